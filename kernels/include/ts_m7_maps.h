// SPDX-License-Identifier: Apache-2.0
/* Attention maps as rows of bytes on the Cortex-M7: two rows at a time through scores and softmax.
 */
#ifndef TS_M7_MAPS_H
#define TS_M7_MAPS_H

#include "ts_m7_attention.h"

/* n entries of a row of ts_m7_softmax_rows' map as bytes. */
static inline void ts_m7_narrow(const uint16_t *map, uint32_t n, uint8_t *row) {
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const uint32_t low = map[2 * i] | (uint32_t)map[2 * i + 1] << 8;
        const uint32_t high = map[2 * i + 4] | (uint32_t)map[2 * i + 5] << 8;
        ts_store4(row + i, low | high << 16);
    }
    for (; i < n; i++)
        row[i] = (uint8_t)map[2 * (i & ~1u) + (i & 1u)];
}

/* Rows `row` and, if it exists, the next of a head's map; `scores` says which queries and keys. */
static inline void ts_m7_map_rows(const ts_m7_call *scores, const ts_m7_scale *scale,
                                  const ts_m7_softmax *softmax, uint16_t *map, uint32_t row,
                                  uint8_t *output) {
    const uint32_t S = softmax->n;
    ts_m7_call call = *scores;
    ts_m7_strips_of(&ts_m7_to_bytes, &call, scale);
    ts_m7_softmax_rows(softmax, call.output, map);
    ts_m7_narrow(map, S, output + row * S);
    if (row + 1 < S)
        ts_m7_narrow(map + 2, S, output + (row + 1) * S);
}

#endif
