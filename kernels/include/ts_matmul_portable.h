// SPDX-License-Identifier: Apache-2.0
/* Tile functions of ts_matmul.h in plain C. */
#ifndef TS_MATMUL_PORTABLE_H
#define TS_MATMUL_PORTABLE_H

#include "ts_matmul.h"
#include "ts_requant.h"

/* int8 x int8 */
static inline void ts_tile_portable(const ts_matmul *m, uint32_t head, ts_range rows,
                                    ts_range columns) {
    const uint32_t depth = m->depth;
    for (uint32_t row = rows.begin; row < rows.end; row++) {
        const int8_t *restrict left = (const int8_t *)m->left + head * m->left_head + row * depth;
        int8_t *output = m->output + head * m->output_head + row * m->output_row;
        for (uint32_t column = columns.begin; column < columns.end; column++) {
            const int8_t *restrict right = m->right + head * m->right_head + column * depth;
            const uint32_t channel = head * m->columns + column;
            int32_t acc = m->bias ? m->bias[channel] : 0;
#pragma GCC unroll 4
            for (uint32_t d = 0; d < depth; d++)
                acc += left[d] * right[d];
            output[column * m->output_column] = ts_requantize(&m->requant, channel, acc);
        }
    }
}

/* uint8 x int8 */
static inline void ts_tile_u8_portable(const ts_matmul *m, uint32_t head, ts_range rows,
                                       ts_range columns) {
    const uint32_t depth = m->depth;
    for (uint32_t row = rows.begin; row < rows.end; row++) {
        const uint8_t *restrict left = (const uint8_t *)m->left + head * m->left_head + row * depth;
        int8_t *output = m->output + head * m->output_head + row * m->output_row;
        for (uint32_t column = columns.begin; column < columns.end; column++) {
            const int8_t *restrict right = m->right + head * m->right_head + column * depth;
            const uint32_t channel = head * m->columns + column;
            int32_t acc = m->bias ? m->bias[channel] : 0;
#pragma GCC unroll 4
            for (uint32_t d = 0; d < depth; d++)
                acc += left[d] * right[d];
            output[column * m->output_column] = ts_requantize(&m->requant, channel, acc);
        }
    }
}

#endif
