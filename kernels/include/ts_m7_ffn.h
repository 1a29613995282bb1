// SPDX-License-Identifier: Apache-2.0
/* A feed-forward network on the Cortex-M7: a few rows at a time through both layers, the hidden
 * values as 2-panels. Weights in layout panels4. */
#ifndef TS_M7_FFN_H
#define TS_M7_FFN_H

#include "../ffn/ffn.h"
#include "ts_m7_product.h"

enum { TS_M7_FFN_PAIRS = 4 }; /* pairs of rows whose hidden values exist at once */

/* Input and hidden values as panels, biases and multipliers. */
static inline uint32_t ts_m7_ffn_bytes(const ts_shape *shape) {
    const uint32_t pairs = ts_min(TS_M7_FFN_PAIRS, ts_ceil_div(shape->S, 2));
    const uint32_t E = ts_m7_align4(shape->E), F = ts_m7_align4(shape->F);
    return pairs * (8 * ts_m7_pairs(shape->E) + 4 * F) + 4 * F + 4 * F + 4 * E + 4 * E;
}

/* GELU in place on 2-panels: their values are int8. */
static inline void ts_m7_ffn_activate(const int8_t *table, int16_t *hidden, uint32_t count) {
    uint32_t *words = (uint32_t *)(void *)hidden;
#pragma GCC unroll 2
    for (uint32_t i = 0; i < count / 2; i += 2) {
        const uint32_t x = words[i], y = words[i + 1];
        const int32_t a = table[x & 255u], b = table[x >> 16 & 255u];
        const int32_t c = table[y & 255u], d = table[y >> 16 & 255u];
        words[i] = ((uint32_t)a & 0xFFFFu) | (uint32_t)b << 16;
        words[i + 1] = ((uint32_t)c & 0xFFFFu) | (uint32_t)d << 16;
    }
}

static inline void ts_m7_ffn_run(const ts_ffn_args *args, void *scratch) {
    const uint32_t S = args->shape.S, E = args->shape.E, F = args->shape.F;
    const uint32_t padded_E = ts_m7_align4(E), padded_F = ts_m7_align4(F);
    const uint32_t step = ts_min(TS_M7_FFN_PAIRS, ts_ceil_div(S, 2));
    int16_t *x = scratch, *hidden = x + step * 4 * ts_m7_pairs(E);
    int32_t *room = (int32_t *)(void *)(hidden + step * 2 * padded_F);
    const ts_m7_scale up = ts_m7_scale_of(args->up, F, room);
    const ts_m7_scale down = ts_m7_scale_of(args->down, E, room + padded_F);
    const int16_t *up_weight = (const int16_t *)(const void *)args->up_weight;
    ts_m7_call call = {
        .b = x,
        .bias = ts_m7_bias_of(args->up_bias, F, room + padded_F + padded_E),
        .a = up_weight - 8,
        .a_last = up_weight - 8 + 2 * padded_F * ts_m7_pairs(E),
        .b_step = 8 * ts_m7_pairs(E),
        .outer_step = 16,
        .other_step = 16,
        .pairs = ts_m7_pairs(E),
    };
    ts_m7_rows rows = {
        .a = (const int16_t *)(const void *)args->down_weight,
        .b = hidden,
        .bias = ts_m7_bias_of(args->down_bias, E, room + 2 * padded_F + padded_E),
        .channels = E,
        .pairs = ts_m7_pairs(F),
        .b_step = 4 * padded_F,
        .pitch = E,
    };
    for (uint32_t row = 0; row < S; row += 2 * step) {
        rows.rows = ts_min(2 * step, S - row);
        rows.output = args->output + row * E;
        call.output = hidden;
        call.outer = ts_ceil_div(rows.rows, 2);
        ts_m7_expand_all(args->input + row * E, rows.rows, E, x);
        ts_m7_strips_of(&ts_m7_to_2_panel, &call, &up);
        ts_m7_ffn_activate(args->table, hidden, call.outer * 2 * padded_F);
        ts_m7_rows_run(&rows, &down);
    }
}

#endif
