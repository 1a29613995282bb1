/* SPDX-License-Identifier: Apache-2.0 */
/* The best that can be made of CMSIS-NN for an attention layer: arm_convolve_1x1_s8_fast projects
 * head by head, which gives queries and keys in the layout of the product without a transpose;
 * both products are arm_nn_mat_mult_nt_t_s8 (blocks of rows instead of one row at a time). Only the
 * values are transposed; the context's rows are copied to where the output projection reads them,
 * as the function knows no distance between output rows on these cores. */
#include "cmsis_nn.h"

typedef struct {
    int32_t *multipliers, *shifts; /* one requantisation, repeated for every channel */
    int8_t *query, *key, *rows;    /* [S, P] of one head; rows: values, then context */
    int8_t *value;                 /* [P, S] of one head */
    int8_t *map;                   /* [S, S] of one head */
    int8_t *context;               /* [S, H, P] */
} buffers;

static uint32_t channels(const ts_shape *shape) {
    const uint32_t larger = shape->E > shape->P ? shape->E : shape->P;
    return larger > shape->S ? larger : shape->S;
}

static buffers place(const ts_shape *shape, void *scratch) {
    const uint32_t head = ts_align16(shape->S * shape->P);
    buffers b;
    b.multipliers = scratch;
    b.shifts = b.multipliers + channels(shape);
    b.query = (int8_t *)scratch + ts_align16(8 * channels(shape));
    b.key = b.query + head;
    b.rows = b.key + head;
    b.value = b.rows + head;
    b.map = b.value + head;
    b.context = b.map + ts_align16(shape->S * shape->S);
    return b;
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_align16(8 * channels(shape)) + 4 * ts_align16(shape->S * shape->P) +
           ts_align16(shape->S * shape->S) + ts_align16(shape->S * shape->H * shape->P);
}

/* The functions below want a multiplier and a shift for each channel. */
static void repeat_quant(const ts_case *c, uint32_t requant, uint32_t count, const buffers *b) {
    const cmsis_nn_per_tensor_quant_params quant = peer_quant(c, requant);
    for (uint32_t i = 0; i < count; i++) {
        b->multipliers[i] = quant.multiplier;
        b->shifts[i] = quant.shift;
    }
}

static void linear(const ts_case *c, uint32_t requant, const int8_t *input, uint32_t depth,
                   const int8_t *weight, const int32_t *bias, uint32_t width, const buffers *b,
                   int8_t *output) {
    repeat_quant(c, requant, width, b);
    const cmsis_nn_context context = {0};
    const cmsis_nn_conv_params params = {
        .stride = {1, 1}, .dilation = {1, 1}, .activation = {PEER_MIN, PEER_MAX}};
    const cmsis_nn_per_channel_quant_params quant = {b->multipliers, b->shifts};
    const int32_t rows = (int32_t)c->shape.S, in = (int32_t)depth, out = (int32_t)width;
    const cmsis_nn_dims input_dims = {1, 1, rows, in}, filter_dims = {out, 1, 1, in};
    const cmsis_nn_dims bias_dims = {1, 1, 1, out}, output_dims = {1, 1, rows, out};
    arm_convolve_1x1_s8_fast(&context, &params, &quant, &input_dims, input, &filter_dims, weight,
                             &bias_dims, bias, &output_dims, output);
}

/* output [S, columns] = left [S, depth] * right^T [columns, depth]. */
static void product(const ts_case *c, uint32_t requant, int32_t left_offset, const int8_t *left,
                    const int8_t *right, uint32_t columns, uint32_t depth, const buffers *b,
                    int8_t *output) {
    repeat_quant(c, requant, columns, b);
    arm_nn_mat_mult_nt_t_s8(left, right, NULL, output, b->multipliers, b->shifts,
                            (int32_t)c->shape.S, (int32_t)columns, (int32_t)depth, left_offset, 0,
                            PEER_MIN, PEER_MAX, (int32_t)columns, (int32_t)depth);
}

static void transpose(const int8_t *input, uint32_t rows, uint32_t columns, int8_t *output) {
    static const uint32_t axes[2] = {1, 0};
    const cmsis_nn_transpose_params params = {2, axes};
    const cmsis_nn_dims in = {(int32_t)rows, (int32_t)columns, 1, 1};
    const cmsis_nn_dims out = {(int32_t)columns, (int32_t)rows, 1, 1};
    arm_transpose_s8(input, output, &in, &out, &params);
}

static void copy(int8_t *to, const int8_t *from, uint32_t bytes) {
    for (; bytes >= 4; bytes -= 4, to += 4, from += 4)
        __builtin_memcpy(to, from, 4);
    while (bytes--)
        *to++ = *from++;
}

static void one_head(const ts_case *c, uint32_t h, const buffers *b) {
    const uint32_t S = c->shape.S, E = c->shape.E, P = c->shape.P, H = c->shape.H;
    const int8_t *input = c->operands[PEER_INPUT];
    const int8_t *q_weight = c->operands[PEER_Q_WEIGHT], *k_weight = c->operands[PEER_K_WEIGHT];
    const int8_t *v_weight = c->operands[PEER_V_WEIGHT];
    const int32_t *q_bias = c->operands[PEER_Q_BIAS], *k_bias = c->operands[PEER_K_BIAS];
    const int32_t *v_bias = c->operands[PEER_V_BIAS];

    linear(c, PEER_Q, input, E, q_weight + h * P * E, q_bias + h * P, P, b, b->query);
    linear(c, PEER_K, input, E, k_weight + h * P * E, k_bias + h * P, P, b, b->key);
    linear(c, PEER_V, input, E, v_weight + h * P * E, v_bias + h * P, P, b, b->rows);
    transpose(b->rows, S, P, b->value);
    product(c, PEER_SCORES, 0, b->query, b->key, S, P, b, b->map);
    peer_softmax(b->map, (int32_t)S, (int32_t)S, b->map);
    product(c, PEER_CONTEXT, -PEER_MAP_ZERO, b->map, b->value, P, S, b, b->rows);
    for (uint32_t s = 0; s < S; s++)
        copy(b->context + (s * H + h) * P, b->rows + s * P, P);
}

void ts_job_run(const ts_team *team, const ts_case *c) {
    (void)team;
    const uint32_t E = c->shape.E, P = c->shape.P, H = c->shape.H;
    const buffers b = place(&c->shape, c->scratch);
    for (uint32_t h = 0; h < H; h++)
        one_head(c, h, &b);
    linear(c, PEER_O, b.context, H * P, c->operands[PEER_O_WEIGHT], c->operands[PEER_O_BIAS], E, &b,
           c->operands[PEER_OUTPUT]);
}
