// SPDX-License-Identifier: Apache-2.0
/* Requantisation of an int32 accumulator to int8 by a fixed-point factor, defined as
 *
 *   clip_int8((acc * mul [+ 2^(shift-1) when rounding half up]) >> shift)
 *
 * in unlimited precision with an arithmetic shift (so floor without the bracket). */
#ifndef TS_REQUANT_H
#define TS_REQUANT_H

#include <stdint.h>

#include "ts_types.h"

static inline int8_t ts_clip_int8(int64_t x) {
    return (int8_t)(x < -128 ? -128 : x > 127 ? 127 : x);
}

/* |acc * mul| < 2^47, so 64 bits are exact for every accumulator and every valid factor. */
static inline int8_t ts_requantize(const ts_requant *requant, uint32_t channel, int32_t acc) {
    const uint16_t mul = requant->mul[requant->per_channel ? channel : 0];
    const int64_t rounding = requant->round_half_up ? (int64_t)1 << (requant->shift - 1) : 0;
    return ts_clip_int8(((int64_t)acc * mul + rounding) >> requant->shift);
}

/* The same requantisation for the channels from `first` on. */
static inline ts_requant ts_requant_from(ts_requant requant, uint32_t first) {
    if (requant.per_channel)
        requant.mul += first;
    return requant;
}

#endif
