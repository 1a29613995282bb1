/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnfunctions.h"

/* acc * multiplier * 2^(shift - 31), rounded half up, int8. */
static int8_t requantise(int32_t acc, int32_t multiplier, int32_t shift) {
    const int64_t product = (int64_t)acc * multiplier;
    const int32_t right = 31 - shift;
    const int64_t value = (product + ((int64_t)1 << (right - 1))) >> right;
    return (int8_t)(value > 127 ? 127 : value < -128 ? -128 : value);
}

arm_cmsis_nn_status
arm_nn_mat_mult_nt_t_s8(const int8_t *lhs, const int8_t *rhs, const int32_t *bias, int8_t *dst,
                        const int32_t *multipliers, const int32_t *shifts, const int32_t lhs_rows,
                        const int32_t rhs_rows, const int32_t rhs_cols, const int32_t lhs_offset,
                        const int32_t dst_offset, const int32_t min, const int32_t max,
                        const int32_t row_address_offset, const int32_t lhs_cols_offset) {
    (void)dst_offset, (void)min, (void)max, (void)row_address_offset;
    for (int32_t i = 0; i < lhs_rows; i++)
        for (int32_t j = 0; j < rhs_rows; j++) {
            int32_t acc = bias ? bias[j] : 0;
            for (int32_t k = 0; k < rhs_cols; k++)
                acc += (lhs[i * lhs_cols_offset + k] + lhs_offset) * rhs[j * rhs_cols + k];
            dst[i * rhs_rows + j] = requantise(acc, multipliers[j], shifts[j]);
        }
    return 0;
}

static void per_tensor(const cmsis_nn_per_tensor_quant_params *quant, const int8_t *lhs,
                       const int8_t *rhs, const int32_t *bias, int8_t *dst, int32_t rows,
                       int32_t columns, int32_t depth, int32_t offset) {
    for (int32_t j = 0; j < columns; j++)
        for (int32_t i = 0; i < rows; i++)
            arm_nn_mat_mult_nt_t_s8(lhs + i * depth, rhs + j * depth, bias ? bias + j : NULL,
                                    dst + i * columns + j, &quant->multiplier, &quant->shift, 1, 1,
                                    depth, offset, 0, 0, 0, 1, depth);
}

arm_cmsis_nn_status arm_fully_connected_s8(const cmsis_nn_context *ctx,
                                           const cmsis_nn_fc_params *params,
                                           const cmsis_nn_per_tensor_quant_params *quant,
                                           const cmsis_nn_dims *input_dims, const int8_t *input,
                                           const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                           const cmsis_nn_dims *bias_dims, const int32_t *bias,
                                           const cmsis_nn_dims *output_dims, int8_t *output) {
    (void)ctx, (void)bias_dims;
    per_tensor(quant, input, filter, bias, output, input_dims->n, output_dims->c, filter_dims->n,
               params->input_offset);
    return 0;
}

arm_cmsis_nn_status arm_convolve_1x1_s8_fast(const cmsis_nn_context *ctx,
                                             const cmsis_nn_conv_params *params,
                                             const cmsis_nn_per_channel_quant_params *quant,
                                             const cmsis_nn_dims *input_dims, const int8_t *input,
                                             const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                             const cmsis_nn_dims *bias_dims, const int32_t *bias,
                                             const cmsis_nn_dims *output_dims, int8_t *output) {
    (void)ctx, (void)filter_dims, (void)bias_dims;
    return arm_nn_mat_mult_nt_t_s8(input, filter, bias, output, quant->multiplier, quant->shift,
                                   input_dims->w, output_dims->c, input_dims->c,
                                   params->input_offset, 0, 0, 0, output_dims->c, input_dims->c);
}

arm_cmsis_nn_status arm_batch_matmul_s8(const cmsis_nn_context *ctx,
                                        const cmsis_nn_bmm_params *params,
                                        const cmsis_nn_per_tensor_quant_params *quant,
                                        const cmsis_nn_dims *left_dims, const int8_t *left,
                                        const cmsis_nn_dims *right_dims, const int8_t *right,
                                        const cmsis_nn_dims *output_dims, int8_t *output) {
    (void)ctx, (void)output_dims;
    const int32_t rows = left_dims->w, columns = right_dims->w, depth = left_dims->c;
    for (int32_t h = 0; h < left_dims->h; h++)
        per_tensor(quant, left + h * rows * depth, right + h * columns * depth, NULL,
                   output + h * rows * columns, rows, columns, depth,
                   params->fc_params.input_offset);
    return 0;
}

arm_cmsis_nn_status arm_transpose_s8(const int8_t *input, int8_t *const output,
                                     const cmsis_nn_dims *const input_dims,
                                     const cmsis_nn_dims *const output_dims,
                                     const cmsis_nn_transpose_params *const params) {
    const int32_t in[3] = {input_dims->n, input_dims->h, input_dims->w};
    const int32_t out[3] = {output_dims->n, output_dims->h, output_dims->w};
    const int32_t strides[3] = {in[1] * in[2], in[2], 1};
    const uint32_t *axes = params->permutations;
    const int32_t third = params->num_dims == 3 ? strides[axes[2]] : 0;
    for (int32_t a = 0; a < out[0]; a++)
        for (int32_t b = 0; b < out[1]; b++)
            for (int32_t c = 0; c < out[2]; c++)
                output[(a * out[1] + b) * out[2] + c] =
                    input[a * strides[axes[0]] + b * strides[axes[1]] + c * third];
    return 0;
}
