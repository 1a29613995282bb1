// SPDX-License-Identifier: Apache-2.0
/* Softmax rows of softmax/cortexm4_rows.S, for tables without an entry above 255. Definition and
 * ranges: softmax/softmax.h. `reversed`: the table's entries as bytes, the last one first. n >= 1.
 */
#ifndef TS_M4_SOFTMAX_H
#define TS_M4_SOFTMAX_H

#include <stdint.h>

/* Scores plus 128 in groups of four, a group to every second word, and zeros to a multiple of 16
 * scores; output int16 pairs to every second word, an odd last one's partner is 0. */
void ts_m4_softmax_pairs(const uint8_t *scores, uint32_t n, const uint8_t *reversed,
                         uint32_t *output);

/* int8 scores and uint8 output, both contiguous; `output` may be `scores`. */
void ts_m4_softmax_bytes(const int8_t *scores, uint32_t n, const uint8_t *reversed,
                         uint8_t *output);

/* The bytes that packer reversed_bytes puts behind a table's 256 entries. */
static inline const uint8_t *ts_m4_reversed(const uint32_t *entries) {
    return (const uint8_t *)(entries + 256);
}

#endif
