// SPDX-License-Identifier: Apache-2.0
/* Bytes to panels of int16 (ts_m7_loop.h). */
#ifndef TS_M7_PANELS_H
#define TS_M7_PANELS_H

#include "ts_armv7em.h"
#include "ts_kernel.h"

static inline uint32_t ts_m7_align4(uint32_t n) { return (n + 3u) & ~3u; }

/* Pairs of a reduction over n. */
static inline uint32_t ts_m7_pairs(uint32_t n) { return (n + 1u) / 2u; }

static inline uint32_t ts_m7_low_pair(uint32_t even, uint32_t odd) {
    return (even & 0xFFFFu) | odd << 16;
}

static inline uint32_t ts_m7_high_pair(uint32_t even, uint32_t odd) {
    return even >> 16 | (odd & 0xFFFF0000u);
}

/* Expands n bytes into words of two int16, `stride` words apart; an odd end is filled with 0. */
static inline __attribute__((always_inline)) void ts_m7_expand(const int8_t *row, uint32_t n,
                                                               int16_t *words, uint32_t stride) {
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const uint32_t x = ts_load4(row + i);
        const uint32_t even = (uint32_t)__sxtb16((int8x4_t)x);
        const uint32_t odd = (uint32_t)__sxtb16((int8x4_t)(x >> 8 | x << 24));
        *(uint32_t *)(void *)words = ts_m7_low_pair(even, odd);
        *(uint32_t *)(void *)(words + 2 * stride) = ts_m7_high_pair(even, odd);
        words += 4 * stride;
    }
    for (; i < n; i += 2) {
        words[0] = row[i];
        words[1] = (int16_t)(i + 1 < n ? row[i + 1] : 0);
        words += 2 * stride;
    }
}

/* Neighbours at even and odd places as pairs of 16 bits. */
static inline uint32_t ts_m7_widen(uint32_t x, int is_signed) {
    return is_signed ? (uint32_t)__sxtb16((int8x4_t)x) : (uint32_t)__uxtb16((uint8x4_t)x);
}

static inline int16_t ts_m7_widen_one(const int8_t *x, int is_signed) {
    return is_signed ? *x : (int16_t)(uint8_t)*x;
}

/* The last one to three of two rows. */
static inline void ts_m7_expand_rest(const int8_t *row, const int8_t *other, uint32_t n,
                                     int16_t *words, int is_signed) {
    for (uint32_t i = 0; i < n; i += 2) {
        words[2 * i] = ts_m7_widen_one(row + i, is_signed);
        words[2 * i + 2] = ts_m7_widen_one(other + i, is_signed);
        words[2 * i + 1] = words[2 * i + 3] = 0;
        if (i + 1 < n) {
            words[2 * i + 1] = ts_m7_widen_one(row + i + 1, is_signed);
            words[2 * i + 3] = ts_m7_widen_one(other + i + 1, is_signed);
        }
    }
}

/* Two rows of n bytes as a 2-panel. */
static inline __attribute__((always_inline)) void ts_m7_expand_rows(const int8_t *row,
                                                                    const int8_t *other, uint32_t n,
                                                                    int16_t *words, int is_signed) {
    uint32_t *to = (uint32_t *)(void *)words;
    uint32_t i = 0;
#pragma GCC unroll 2
    for (; i + 4 <= n; i += 4) {
        const uint32_t x = ts_load4(row + i), y = ts_load4(other + i);
        const uint32_t even_x = ts_m7_widen(x, is_signed);
        const uint32_t even_y = ts_m7_widen(y, is_signed);
        const uint32_t odd_x = ts_m7_widen(x >> 8 | x << 24, is_signed);
        const uint32_t odd_y = ts_m7_widen(y >> 8 | y << 24, is_signed);
        to[0] = ts_m7_low_pair(even_x, odd_x);
        to[1] = ts_m7_low_pair(even_y, odd_y);
        to[2] = ts_m7_high_pair(even_x, odd_x);
        to[3] = ts_m7_high_pair(even_y, odd_y);
        to += 4;
    }
    ts_m7_expand_rest(row + i, other + i, n - i, words + 2 * i, is_signed);
}

/* Rows [row, row + 2) of [rows, n] as a 2-panel; a missing second row is the first once more. */
static inline void ts_m7_expand_2(const int8_t *input, uint32_t rows, uint32_t n, uint32_t row,
                                  int16_t *panel) {
    const uint32_t other = row + 1 < rows ? row + 1 : row;
    ts_m7_expand_rows(input + row * n, input + other * n, n, panel, 1);
}

/* Rows [row, row + 4) as a 4-panel. */
static inline void ts_m7_expand_4(const int8_t *input, uint32_t rows, uint32_t n, uint32_t row,
                                  int16_t *panel) {
    for (uint32_t i = 0; i < 4 && row + i < rows; i++)
        ts_m7_expand(input + (row + i) * n, n, panel + 2 * i, 4);
}

/* All rows as 2-panels. */
static __attribute__((noinline, unused)) void ts_m7_expand_all(const int8_t *input, uint32_t rows,
                                                               uint32_t n, int16_t *panels) {
    for (uint32_t row = 0; row < rows; row += 2)
        ts_m7_expand_2(input, rows, n, row, panels + 2 * row * ts_m7_pairs(n));
}

#endif
