// SPDX-License-Identifier: Apache-2.0
/* Additions, tables and layer normalisations on the Cortex-M7, four elements at a time. Inputs of
 * four are loaded before an output is stored, so the output may take an input's place. */
#ifndef TS_M7_POINTWISE_H
#define TS_M7_POINTWISE_H

#include "ts_armv7em.h"
#include "ts_normalise.h"
#include "ts_requant.h"

/* output[i] = table[input[i] & 255] */
static inline void ts_m7_look_up(const int8_t *input, const int8_t *table, uint32_t n,
                                 int8_t *output) {
    uint32_t i = 0;
#pragma GCC unroll 2
    for (; i + 4 <= n; i += 4) {
        const uint32_t a = (uint8_t)input[i], b = (uint8_t)input[i + 1];
        const uint32_t c = (uint8_t)input[i + 2], d = (uint8_t)input[i + 3];
        const int8_t x = table[a], y = table[b], z = table[c], w = table[d];
        output[i] = x;
        output[i + 1] = y;
        output[i + 2] = z;
        output[i + 3] = w;
    }
    for (; i < n; i++)
        output[i] = table[(uint8_t)input[i]];
}

/* See add.h; nothing overflows 32 bits. */
typedef struct {
    int32_t a_mul, b_mul, rounding;
    uint32_t shift;
} ts_m7_addition;

static inline int8_t ts_m7_add_one(const ts_m7_addition *add, int32_t a, int32_t b) {
    return (int8_t)__ssat((add->rounding + a * add->a_mul + b * add->b_mul) >> add->shift, 8);
}

static inline void ts_m7_add(const ts_m7_addition *add, const int8_t *a, const int8_t *b,
                             uint32_t n, int8_t *output) {
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const int32_t a0 = a[i], a1 = a[i + 1], a2 = a[i + 2], a3 = a[i + 3];
        const int32_t b0 = b[i], b1 = b[i + 1], b2 = b[i + 2], b3 = b[i + 3];
        const int8_t x = ts_m7_add_one(add, a0, b0), y = ts_m7_add_one(add, a1, b1);
        const int8_t z = ts_m7_add_one(add, a2, b2), w = ts_m7_add_one(add, a3, b3);
        output[i] = x;
        output[i + 1] = y;
        output[i + 2] = z;
        output[i + 3] = w;
    }
    for (; i < n; i++)
        output[i] = ts_m7_add_one(add, a[i], b[i]);
}

/* Sum and sum of squares of n bytes. */
static inline void ts_m7_moments(const int8_t *x, uint32_t n, int32_t *sum, int32_t *squares) {
    int32_t s = 0, q = 0;
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const uint32_t word = ts_load4(x + i);
        const int16x2_t even = __sxtb16((int8x4_t)word);
        const int16x2_t odd = __sxtb16((int8x4_t)(word >> 8 | word << 24));
        s = __smlad(even, 0x00010001, s);
        q = __smlad(even, even, q);
        s = __smlad(odd, 0x00010001, s);
        q = __smlad(odd, odd, q);
    }
    for (; i < n; i++) {
        s += x[i];
        q += x[i] * x[i];
    }
    *sum = s;
    *squares = q;
}

typedef struct {
    const int16_t *weight;
    const int32_t *bias;
    uint32_t shift;
} ts_m7_norm;

/* n / d truncated toward zero for the doubled reciprocal M of d >= 3 (ts_normalise.h): the high
 * word is floor(n * M / 2^31), and for negative n one more is the quotient, as n * M is then no
 * multiple of 2^31: M has at most 8 factors of 2 for every d <= 255, and |n| <= 255 * 2^15 < 2^23.
 */
static inline int32_t ts_m7_quotient(int32_t n, int32_t doubled) {
    return (int32_t)((int64_t)n * doubled >> 32) + (int32_t)((uint32_t)n >> 31);
}

static inline int8_t ts_m7_normalise_one(const ts_m7_norm *norm, int32_t centred, uint32_t e,
                                         int32_t doubled) {
    const int32_t scaled = ts_m7_quotient(centred * norm->weight[e], doubled);
    return (int8_t)__ssat((scaled + norm->bias[e]) >> norm->shift, 8);
}

/* See layernorm.h. */
static inline void ts_m7_normalise(const ts_m7_norm *norm, const int8_t *x, uint32_t n,
                                   int8_t *output) {
    int32_t sum, squares;
    ts_m7_moments(x, n, &sum, &squares);
    const int32_t count = (int32_t)n, mean = sum / count;
    /* sum((x - mean)^2); modulo 2^32 on the way, its value fits. */
    const uint32_t centred =
        (uint32_t)squares - (uint32_t)mean * (2u * (uint32_t)sum - (uint32_t)(count * mean));
    const uint32_t reciprocal = ts_deviation_reciprocal(ts_isqrt(centred / n + 1u));
    if (reciprocal >= 1u << 30) { /* a deviation of 1 or 2: twice that does not fit 31 bits */
        for (uint32_t e = 0; e < n; e++) {
            const int32_t scaled = ts_divide((x[e] - mean) * norm->weight[e], reciprocal);
            output[e] = (int8_t)__ssat((scaled + norm->bias[e]) >> norm->shift, 8);
        }
        return;
    }
    const int32_t doubled = (int32_t)(2u * reciprocal);
    uint32_t e = 0;
    for (; e + 4 <= n; e += 4) {
        const int32_t a = x[e] - mean, b = x[e + 1] - mean;
        const int32_t c = x[e + 2] - mean, d = x[e + 3] - mean;
        const int8_t p = ts_m7_normalise_one(norm, a, e, doubled);
        const int8_t q = ts_m7_normalise_one(norm, b, e + 1, doubled);
        const int8_t r = ts_m7_normalise_one(norm, c, e + 2, doubled);
        const int8_t s = ts_m7_normalise_one(norm, d, e + 3, doubled);
        output[e] = p;
        output[e + 1] = q;
        output[e + 2] = r;
        output[e + 3] = s;
    }
    for (; e < n; e++)
        output[e] = ts_m7_normalise_one(norm, x[e] - mean, e, doubled);
}

#endif
