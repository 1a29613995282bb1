// SPDX-License-Identifier: Apache-2.0
/* A product whose result is stored transposed, on the Cortex-M7:
 *
 *   output[c * pitch + r] = requant(bias[c] + sum over k of b[r, k] * a[c, k])
 *
 * for the rows and channels of a ts_m7_rows. */
#ifndef TS_M7_COLUMNS_H
#define TS_M7_COLUMNS_H

#include "ts_m7_product.h"

/* The tiles of four channels from `channel` on at `pairs` pairs of rows from `row` on, of which
 * only what exists is kept. */
static inline void ts_m7_columns_edge(const ts_m7_rows *rows, const ts_m7_scale *scale,
                                      uint32_t channel, uint32_t row, uint32_t pairs) {
    ts_m7_scale edge = *scale;
    edge.requant = ts_requant_from(edge.requant, channel);
    edge.channels -= channel;
    if (edge.code & 2u)
        edge.mul += 4 * channel;
    int8_t results[8 * TS_M7_EDGE_PAIRS];
    const int16_t *a = rows->a + 2 * channel * rows->pairs - 8;
    ts_m7_call call = {
        .b = rows->b + row / 2 * (rows->b_step / 2),
        .output = results,
        .bias = rows->bias + channel,
        .a = a,
        .a_last = a + 8 * rows->pairs,
        .outer = pairs,
        .b_step = rows->b_step,
        .outer_step = 2,
        .other_step = 2,
        .pitch = 2 * TS_M7_EDGE_PAIRS,
        .pairs = rows->pairs,
    };
    ts_m7_strips_of(&ts_m7_to_columns, &call, &edge);
    const uint32_t count = ts_min(2 * pairs, rows->rows - row);
    for (uint32_t c = 0; c < 4 && c < edge.channels; c++) {
        int8_t *to = rows->output + (channel + c) * rows->pitch + row;
        for (uint32_t r = 0; r < count; r++)
            to[r] = results[2 * TS_M7_EDGE_PAIRS * c + r];
    }
}

static __attribute__((noinline, unused)) void ts_m7_columns_run(const ts_m7_rows *rows,
                                                                const ts_m7_scale *scale) {
    const uint32_t tiles = rows->channels / 4;
    const uint32_t step = 2 - 4 * (tiles - 1) * rows->pitch;
    ts_m7_call call = {
        .b = rows->b,
        .output = rows->output,
        .bias = rows->bias,
        .a = rows->a - 8,
        .a_last = rows->a - 8 + 8 * tiles * rows->pairs,
        .outer = rows->rows / 2,
        .b_step = rows->b_step,
        .outer_step = step,
        .other_step = step,
        .pitch = rows->pitch,
        .pairs = rows->pairs,
    };
    if (tiles > 0 && call.outer > 0)
        ts_m7_strips_of(&ts_m7_to_columns, &call, scale);
    if (rows->rows % 2)
        for (uint32_t channel = 0; channel < 4 * tiles; channel += 4)
            ts_m7_columns_edge(rows, scale, channel, rows->rows - 1, 1);
    if (rows->channels % 4)
        for (uint32_t row = 0; row < rows->rows; row += 2 * TS_M7_EDGE_PAIRS)
            ts_m7_columns_edge(rows, scale, 4 * tiles, row,
                               ts_min(TS_M7_EDGE_PAIRS, ts_ceil_div(rows->rows - row, 2)));
}

#endif
