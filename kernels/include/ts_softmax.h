// SPDX-License-Identifier: Apache-2.0
/* Integer softmax of one row in plain C; definition and ranges in softmax/softmax.h. */
#ifndef TS_SOFTMAX_H
#define TS_SOFTMAX_H

#include <stdint.h>

#include "ts_types.h"

/* `output` may be the same memory as `input`. n >= 1. */
typedef void ts_softmax_row_fn(const int8_t *input, uint8_t *output, uint32_t n,
                               const ts_softmax_table *table);

/* One division serves the whole row when, with M = floor(255 * 2^24 / sum) + 1, (t * M) >> 24
 * equals floor(255 * t / sum) for every table value t. M exceeds 255 * 2^24 / sum by e / sum with
 * 0 < e <= sum, so t * M / 2^24 exceeds 255 * t / sum by t * e / (sum * 2^24), at most t / 2^24.
 *
 * - The floor stays when the excess is below 1 / sum, that is when t * e < 2^24, which
 *   max * sum < 2^24 ensures.
 * - With max <= 255 and max * sum >= 2^24, 255 * t / sum <= 255 * 255^2 / 2^24 < 0.989: both
 *   floors are 0. So tables of bytes always qualify.
 *
 * As t <= sum, t * M <= 255 * 2^24 + t, which fits 32 bits in both cases. */
static inline int ts_softmax_reciprocal_is_exact(const ts_softmax_table *table, uint32_t sum) {
    return table->max <= 255u || (uint64_t)table->max * sum < 1u << 24;
}

static inline uint32_t ts_softmax_reciprocal(uint32_t sum) { return (255u << 24) / sum + 1u; }

static inline void ts_softmax_row(const int8_t *input, uint8_t *output, uint32_t n,
                                  const ts_softmax_table *table) {
    const uint32_t *entries = table->entries;
    int32_t max = input[0];
    for (uint32_t i = 1; i < n; i++)
        max = input[i] > max ? input[i] : max;

    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += entries[max - input[i]];

    if (ts_softmax_reciprocal_is_exact(table, sum)) {
        const uint32_t reciprocal = ts_softmax_reciprocal(sum);
        for (uint32_t i = 0; i < n; i++)
            output[i] = (uint8_t)(entries[max - input[i]] * reciprocal >> 24);
    } else {
        /* 32 bits hold the numerator: an entry is at most 2^24. */
        for (uint32_t i = 0; i < n; i++)
            output[i] = (uint8_t)(255u * entries[max - input[i]] / sum);
    }
}

#endif
