// SPDX-License-Identifier: Apache-2.0
/* The arithmetic of a layer normalisation: an exact square root, and one division a row. */
#ifndef TS_NORMALISE_H
#define TS_NORMALISE_H

#include <stdint.h>

/* floor(sqrt(x)) for x < 2^16, one result bit at a time from the highest. A variance of int8 values
 * about their truncated mean, plus 1, is at most 127.5^2 + 2. */
static inline uint32_t ts_isqrt(uint32_t x) {
    uint32_t root = 0;
    for (uint32_t bit = 1u << 14; bit != 0; bit >>= 2) {
        const uint32_t tried = root + bit;
        root >>= 1;
        if (x >= tried) {
            x -= tried;
            root += bit;
        }
    }
    return root;
}

/* M = floor(2^31 / d) + 1, for 1 <= d <= 255.
 *
 * floor(n * M / 2^31) = floor(n / d) for 0 <= n <= 255 * 2^15: M * d = 2^31 + e with 0 < e <= d, so
 * n * M / 2^31 exceeds n / d by n * e / (d * 2^31), which is below 1 / d as n * d < 2^31. */
static inline uint32_t ts_deviation_reciprocal(uint32_t d) { return (1u << 31) / d + 1u; }

/* n / d truncated toward zero, for |n| <= 255 * 2^15 and the reciprocal of d. */
static inline int32_t ts_divide(int32_t n, uint32_t reciprocal) {
    const uint32_t magnitude = n < 0 ? -(uint32_t)n : (uint32_t)n;
    const int32_t quotient = (int32_t)((uint64_t)magnitude * reciprocal >> 31);
    return n < 0 ? -quotient : quotient;
}

#endif
