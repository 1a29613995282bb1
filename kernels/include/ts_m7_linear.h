// SPDX-License-Identifier: Apache-2.0
/* Linear layers on the Cortex-M7: the input as panels in scratch, then one product a head. */
#ifndef TS_M7_LINEAR_H
#define TS_M7_LINEAR_H

#include "ts_m7_product.h"

typedef struct {
    uint32_t heads, rows, channels, depth; /* channels of one head */
    const int8_t *input;                   /* [rows, depth] */
    const int16_t *weight;                 /* 4-panels, head after head */
    const int32_t *bias;                   /* [heads * channels] */
    ts_requant requant;
    int8_t *output;
    uint32_t output_head, pitch; /* elements from head to head and from line to line */
} ts_m7_linear;

typedef void ts_m7_product_fn(const ts_m7_rows *rows, const ts_m7_scale *scale);

/* Bytes: panels, and a head's biases and multipliers. */
static inline uint32_t ts_m7_linear_bytes(uint32_t rows, uint32_t channels, uint32_t depth) {
    return 8 * ts_ceil_div(rows, 2) * ts_m7_pairs(depth) + 8 * ts_m7_align4(channels);
}

static inline void ts_m7_linear_run(const ts_m7_linear *linear, void *scratch,
                                    ts_m7_product_fn *product) {
    const uint32_t channels = linear->channels, pairs = ts_m7_pairs(linear->depth);
    int16_t *x = scratch;
    int32_t *bias = (int32_t *)(void *)(x + 4 * ts_ceil_div(linear->rows, 2) * pairs);
    int32_t *muls = bias + ts_m7_align4(channels);
    ts_m7_expand_all(linear->input, linear->rows, linear->depth, x);
    for (uint32_t h = 0; h < linear->heads; h++) {
        const uint32_t first = h * channels;
        const ts_m7_rows rows = {
            .a = linear->weight + h * 2 * ts_m7_align4(channels) * pairs,
            .b = x,
            .bias = ts_m7_bias_of(linear->bias + first, channels, bias),
            .rows = linear->rows,
            .channels = channels,
            .pairs = pairs,
            .b_step = 8 * pairs,
            .output = linear->output + h * linear->output_head,
            .pitch = linear->pitch,
        };
        const ts_m7_scale scale =
            ts_m7_scale_of(ts_requant_from(linear->requant, first), channels, muls);
        product(&rows, &scale);
    }
}

#endif
