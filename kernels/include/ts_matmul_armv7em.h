// SPDX-License-Identifier: Apache-2.0
/* Tile functions of ts_matmul.h for Armv7E-M, in strips of two columns (ts_strip_armv7em.h).
 *
 * Requantisation (definition: ts_requant.h) is one SMMUL, or SMMULR to round half up. With
 * mul < 2^(shift-1), mul << (32 - shift) fits int32, and the wanted floor is the upper half of the
 * accumulator's product with it, after adding 2^31 when rounding half up: exact for every
 * accumulator. Larger factors, 1/2 and up, are left to the portable tile. */
#ifndef TS_MATMUL_ARMV7EM_H
#define TS_MATMUL_ARMV7EM_H

#include "ts_matmul.h"
#include "ts_matmul_portable.h"
#include "ts_strip_armv7em.h"

typedef void ts_strip_fn(ts_strip *strip);

static inline uint32_t ts_requant_mul(const ts_requant *requant, uint32_t channel) {
    return requant->mul[requant->per_channel ? channel : 0];
}

/* Columns `column` and `column + 1`, if this header's requantisation serves both. */
static inline int ts_strip_fits(const ts_matmul *m, uint32_t channel) {
    const uint32_t mul0 = ts_requant_mul(&m->requant, channel);
    const uint32_t mul1 = ts_requant_mul(&m->requant, channel + 1);
    return (mul0 | mul1) >> (m->requant.shift - 1) == 0;
}

/* Odd numbers of columns are covered by strips that overlap. `portable` does what strips cannot: a
 * single row or column, and large requantisation factors. */
static inline __attribute__((always_inline)) void ts_tile_strips(const ts_matmul *m, uint32_t head,
                                                                 ts_range rows, ts_range columns,
                                                                 ts_strip_fn *run,
                                                                 ts_tile_fn *portable) {
    if (rows.end - rows.begin < 2 || columns.end - columns.begin < 2) {
        portable(m, head, rows, columns);
        return;
    }
    const uint32_t depth = m->depth, up = 32u - m->requant.shift;
    const int8_t *left = (const int8_t *)m->left + head * m->left_head + rows.begin * depth;
    const int8_t *right = m->right + head * m->right_head;
    int8_t *output = m->output + head * m->output_head + rows.begin * m->output_row;
    for (uint32_t c = columns.begin; c < columns.end; c += 2) {
        const uint32_t column = ts_min(c, columns.end - 2);
        const uint32_t channel = head * m->columns + column;
        if (!ts_strip_fits(m, channel)) {
            portable(m, head, rows, (ts_range){column, column + 2});
            continue;
        }
        ts_strip strip = {
            .bias = {m->bias ? m->bias[channel] : 0, m->bias ? m->bias[channel + 1] : 0},
            .mul = {(int32_t)(ts_requant_mul(&m->requant, channel) << up),
                    (int32_t)(ts_requant_mul(&m->requant, channel + 1) << up)},
            .output = output + column * m->output_column,
            .output_row = m->output_row,
            .output_column = m->output_column,
            .half_up = m->requant.round_half_up,
            .left = left,
            .right = right + column * depth,
            .depth = depth,
            .words = depth >> 2,
            .rows = rows.end - rows.begin,
        };
        run(&strip);
    }
}

/* int8 x int8. Not inlined: called in two places. */
static __attribute__((noinline, unused)) void ts_tile_armv7em(const ts_matmul *m, uint32_t head,
                                                              ts_range rows, ts_range columns) {
    ts_tile_strips(m, head, rows, columns, ts_strip_s8_armv7em, ts_tile_portable);
}

/* uint8 x int8 */
static __attribute__((noinline, unused)) void ts_tile_u8_armv7em(const ts_matmul *m, uint32_t head,
                                                                 ts_range rows, ts_range columns) {
    ts_tile_strips(m, head, rows, columns, ts_strip_u8_armv7em, ts_tile_u8_portable);
}

#endif
