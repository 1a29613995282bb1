// SPDX-License-Identifier: Apache-2.0
/* Rows of bytes as panels of ts_m4_tiles.h. Nothing is read beyond a row's n bytes. */
#ifndef TS_M4_PANELS_H
#define TS_M4_PANELS_H

#include <arm_acle.h>

#include "ts_armv7em.h"
#include "ts_kernel.h"
#include "ts_m4_tiles.h"

static inline uint32_t ts_m4_low_pair(uint32_t even, uint32_t odd) {
    return (even & 0xFFFFu) | odd << 16;
}

static inline uint32_t ts_m4_high_pair(uint32_t even, uint32_t odd) {
    return even >> 16 | (odd & 0xFFFF0000u);
}

/* Row [n] of int8 to every `gap`th word of `out`, pair by pair; an odd last one's partner is 0. */
static inline void ts_m4_expand(const int8_t *row, uint32_t n, uint32_t *out, uint32_t gap) {
    for (; n >= 4; n -= 4, row += 4, out += 2 * gap) {
        const uint32_t word = ts_load4(row);
        const uint32_t even = (uint32_t)__sxtb16((int8x4_t)word);
        const uint32_t odd = (uint32_t)__sxtb16((int8x4_t)(word >> 8 | word << 24));
        out[0] = ts_m4_low_pair(even, odd);
        out[gap] = ts_m4_high_pair(even, odd);
    }
    for (; n >= 2; n -= 2, row += 2, out += gap)
        *out = ts_m4_low_pair((uint32_t)row[0], (uint32_t)row[1]);
    if (n)
        *out = (uint32_t)row[0] & 0xFFFFu;
}

/* The same of uint8. */
static inline void ts_m4_expand_u8(const uint8_t *row, uint32_t n, uint32_t *out, uint32_t gap) {
    for (; n >= 4; n -= 4, row += 4, out += 2 * gap) {
        const uint32_t word = ts_load4(row);
        const uint32_t even = (uint32_t)__uxtb16((uint8x4_t)word);
        const uint32_t odd = (uint32_t)__uxtb16((uint8x4_t)(word >> 8 | word << 24));
        out[0] = ts_m4_low_pair(even, odd);
        out[gap] = ts_m4_high_pair(even, odd);
    }
    for (; n >= 2; n -= 2, row += 2, out += gap)
        *out = row[0] | (uint32_t)row[1] << 16;
    if (n)
        *out = row[0];
}

/* Rows i and i + 1 of [rows, n] as a stationary panel; a last row without a second goes twice. */
static inline void ts_m4_expand_pair(const int8_t *rows, uint32_t i, uint32_t count, uint32_t n,
                                     uint32_t *panel) {
    ts_m4_expand(rows + i * n, n, panel, 2);
    ts_m4_expand(rows + ts_min(i + 1, count - 1) * n, n, panel + 1, 2);
}

/* `count` rows of n, `row` bytes apart, as a streamed panel; missing rows of the last tile are 0.
 */
static inline void ts_m4_expand_tiles(const int8_t *rows, uint32_t row, uint32_t count, uint32_t n,
                                      uint32_t *panel) {
    const uint32_t steps = ts_m4_pairs(n);
    for (uint32_t i = 0; i < ts_m4_up4(count); i++) {
        uint32_t *to = panel + i / 4 * 4 * steps + i % 4;
        if (i < count)
            ts_m4_expand(rows + i * row, n, to, 4);
        else
            for (uint32_t k = 0; k < steps; k++)
                to[4 * k] = 0;
    }
}

/* Rows i and i + 1 of [rows, n] of uint8 as a stationary panel, as ts_m4_expand_pair. */
static inline void ts_m4_expand_pair_u8(const uint8_t *rows, uint32_t i, uint32_t count, uint32_t n,
                                        uint32_t *panel) {
    ts_m4_expand_u8(rows + i * n, n, panel, 2);
    ts_m4_expand_u8(rows + ts_min(i + 1, count - 1) * n, n, panel + 1, 2);
}

#endif
