/* SPDX-License-Identifier: Apache-2.0 */
/* CMSIS-NN as its public functions compose to an attention layer: arm_fully_connected_s8 for the
 * four projections, arm_transpose_s8 between the layouts, arm_batch_matmul_s8 for both products,
 * arm_softmax_s8 for the maps. */
#include "cmsis_nn.h"

typedef struct {
    int8_t *rows;        /* [S, H, P]: what a projection gives, then the context */
    int8_t *query, *key; /* [H, S, P] */
    int8_t *value;       /* [H, P, S] */
    int8_t *map;         /* [H, S, S] */
    int8_t *context;     /* [H, S, P], over the queries */
} buffers;

static buffers place(const ts_shape *shape, void *scratch) {
    const uint32_t projection = ts_align16(shape->S * shape->H * shape->P);
    buffers b;
    b.rows = scratch;
    b.query = b.rows + projection;
    b.key = b.query + projection;
    b.value = b.key + projection;
    b.map = b.value + projection;
    b.context = b.query;
    return b;
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return 4 * ts_align16(shape->S * shape->H * shape->P) +
           ts_align16(shape->H * shape->S * shape->S);
}

static void linear(const ts_case *c, uint32_t requant, const int8_t *input, uint32_t depth,
                   const int8_t *weight, const int32_t *bias, uint32_t width, int8_t *output) {
    const cmsis_nn_context context = {0};
    const cmsis_nn_fc_params params = {.activation = {PEER_MIN, PEER_MAX}};
    const cmsis_nn_per_tensor_quant_params quant = peer_quant(c, requant);
    const int32_t rows = (int32_t)c->shape.S, in = (int32_t)depth, out = (int32_t)width;
    const cmsis_nn_dims input_dims = {rows, 1, 1, in}, filter_dims = {in, 1, 1, out};
    const cmsis_nn_dims bias_dims = {1, 1, 1, out}, output_dims = {rows, 1, 1, out};
    arm_fully_connected_s8(&context, &params, &quant, &input_dims, input, &filter_dims, weight,
                           &bias_dims, bias, &output_dims, output);
}

/* [d0, d1, d2] with its axes in the order of `axes`. */
static void transpose(const int8_t *input, const uint32_t dims[3], const uint32_t axes[3],
                      int8_t *output) {
    const cmsis_nn_transpose_params params = {3, axes};
    const cmsis_nn_dims in = {(int32_t)dims[0], (int32_t)dims[1], (int32_t)dims[2], 1};
    const cmsis_nn_dims out = {(int32_t)dims[axes[0]], (int32_t)dims[axes[1]],
                               (int32_t)dims[axes[2]], 1};
    arm_transpose_s8(input, output, &in, &out, &params);
}

/* output[h] = left[h] [rows, depth] * right[h]^T [columns, depth]. */
static void product(const ts_case *c, uint32_t requant, int32_t left_offset, const int8_t *left,
                    const int8_t *right, uint32_t columns, uint32_t depth, int8_t *output) {
    const cmsis_nn_context context = {0};
    const cmsis_nn_bmm_params params = {
        .adj_x = false,
        .adj_y = true,
        .fc_params = {.input_offset = left_offset, .activation = {PEER_MIN, PEER_MAX}},
    };
    const cmsis_nn_per_tensor_quant_params quant = peer_quant(c, requant);
    const int32_t heads = (int32_t)c->shape.H, rows = (int32_t)c->shape.S;
    const cmsis_nn_dims left_dims = {1, heads, rows, (int32_t)depth};
    const cmsis_nn_dims right_dims = {1, heads, (int32_t)columns, (int32_t)depth};
    const cmsis_nn_dims output_dims = {1, heads, rows, (int32_t)columns};
    arm_batch_matmul_s8(&context, &params, &quant, &left_dims, left, &right_dims, right,
                        &output_dims, output);
}

void ts_job_run(const ts_team *team, const ts_case *c) {
    (void)team;
    static const uint32_t by_head[3] = {1, 0, 2}, value_axes[3] = {1, 2, 0};
    const uint32_t S = c->shape.S, E = c->shape.E, P = c->shape.P, H = c->shape.H;
    const uint32_t rows_dims[3] = {S, H, P}, heads_dims[3] = {H, S, P};
    const buffers b = place(&c->shape, c->scratch);
    const int8_t *input = c->operands[PEER_INPUT];

    linear(c, PEER_Q, input, E, c->operands[PEER_Q_WEIGHT], c->operands[PEER_Q_BIAS], H * P,
           b.rows);
    transpose(b.rows, rows_dims, by_head, b.query);
    linear(c, PEER_K, input, E, c->operands[PEER_K_WEIGHT], c->operands[PEER_K_BIAS], H * P,
           b.rows);
    transpose(b.rows, rows_dims, by_head, b.key);
    linear(c, PEER_V, input, E, c->operands[PEER_V_WEIGHT], c->operands[PEER_V_BIAS], H * P,
           b.rows);
    transpose(b.rows, rows_dims, value_axes, b.value);
    product(c, PEER_SCORES, 0, b.query, b.key, S, P, b.map);
    peer_softmax(b.map, (int32_t)(H * S), (int32_t)S, b.map);
    product(c, PEER_CONTEXT, -PEER_MAP_ZERO, b.map, b.value, P, S, b.context);
    transpose(b.context, heads_dims, by_head, b.rows);
    linear(c, PEER_O, b.rows, H * P, c->operands[PEER_O_WEIGHT], c->operands[PEER_O_BIAS], E,
           c->operands[PEER_OUTPUT]);
}
