// SPDX-License-Identifier: Apache-2.0
/* Integer softmax of one row for Armv7E-M; definition and ranges in softmax/softmax.h. */
#ifndef TS_SOFTMAX_ARMV7EM_H
#define TS_SOFTMAX_ARMV7EM_H

#include "ts_armv7em.h"
#include "ts_softmax.h"

/* Largest of n >= 1 values, four at a time: SSUB8 sets the flags by which SEL picks. */
static inline int32_t ts_row_max(const int8_t *row, uint32_t n) {
    int32_t max = row[0];
    uint32_t i = 0;
    if (n >= 4) {
        uint32_t best = ts_load4(row);
        for (i = 4; i + 4 <= n; i += 4) {
            const uint32_t word = ts_load4(row + i);
            (void)__ssub8((int8x4_t)word, (int8x4_t)best);
            best = __sel(word, best);
        }
        for (uint32_t byte = 0; byte < 32; byte += 8) {
            const int32_t x = (int8_t)(best >> byte);
            max = x > max ? x : max;
        }
    }
#pragma GCC unroll 1
    for (; i < n; i++)
        max = row[i] > max ? row[i] : max;
    return max;
}

/* Writes the table entries (all <= 255) of a row where the result goes and returns their sum. */
static inline uint32_t ts_row_lookup(const int8_t *input, uint8_t *output, uint32_t n, int32_t max,
                                     const uint32_t *entries) {
    const uint32_t max4 = (uint32_t)(max & 255) * 0x01010101u;
    uint32_t sum = 0, i = 0;
#pragma GCC unroll 2
    for (; i + 4 <= n; i += 4) {
        /* max - x lies in 0..255, so bytewise modular subtraction is exact. */
        const uint32_t d = __usub8(max4, ts_load4(input + i));
        const uint32_t t0 = entries[d & 255u], t1 = entries[d >> 8 & 255u];
        const uint32_t t2 = entries[d >> 16 & 255u], t3 = entries[d >> 24];
        const uint32_t packed = t0 | t1 << 8 | t2 << 16 | t3 << 24;
        sum = __usada8(packed, 0, sum);
        ts_store4(output + i, packed);
    }
#pragma GCC unroll 1
    for (; i < n; i++) {
        const uint32_t t = entries[max - input[i]];
        sum += t;
        output[i] = (uint8_t)t;
    }
    return sum;
}

/* Replaces each entry t of a row by (t * reciprocal) >> 24. */
static inline void ts_row_scale(uint8_t *row, uint32_t n, uint32_t reciprocal) {
    uint32_t i = 0;
#pragma GCC unroll 2
    for (; i + 4 <= n; i += 4) {
        const uint32_t t = ts_load4(row + i);
        const uint32_t y0 = (t & 255u) * reciprocal, y1 = (t >> 8 & 255u) * reciprocal;
        const uint32_t y2 = (t >> 16 & 255u) * reciprocal, y3 = (t >> 24) * reciprocal;
        /* the top bytes of y0 and y2 to bytes 0 and 2, those of y1 and y3 to bytes 1 and 3 */
        const uint32_t pair = y0 >> 16 | (y2 & 0xFFFF0000u);
        const uint32_t even = __uxtb16(pair >> 8 | pair << 24);
        const uint32_t odd = (y1 >> 16 | (y3 & 0xFFFF0000u)) & 0xFF00FF00u;
        ts_store4(row + i, even | odd);
    }
#pragma GCC unroll 1
    for (; i < n; i++)
        row[i] = (uint8_t)(row[i] * reciprocal >> 24);
}

/* Same contract as ts_softmax_row. Tables of bytes take the word-wise path, in which the row holds
 * the entries between the passes. */
static inline void ts_softmax_row_armv7em(const int8_t *input, uint8_t *output, uint32_t n,
                                          const ts_softmax_table *table) {
    if (table->max > 255u) {
        ts_softmax_row(input, output, n, table);
        return;
    }
    const int32_t max = ts_row_max(input, n);
    const uint32_t sum = ts_row_lookup(input, output, n, max, table->entries);
    ts_row_scale(output, n, ts_softmax_reciprocal(sum));
}

#endif
