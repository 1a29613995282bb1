// SPDX-License-Identifier: Apache-2.0
/* Additions, tables and layer normalisations on the Cortex-M4, four elements at a time:
 * neighbouring loads cost one cycle each, so all of a group's come first, and then the output may
 * take an input's place. Where two values share a register its halves are multiplied (SMULBB to
 * SMULTT). */
#ifndef TS_M4_POINTWISE_H
#define TS_M4_POINTWISE_H

#include "ts_armv7em.h"
#include "ts_kernel.h"
#include "ts_normalise.h"
#include "ts_requant.h"

/* A pointer that goes on by itself: a compiler that knows where it came from makes an index of it,
 * and then adds for every access. */
#define TS_M4_POINTER(pointer) __asm__("" : "+r"(pointer))

/* output[i] = table[input[i] & 255] */
static inline void ts_m4_look_up(const int8_t *input, const int8_t *table, uint32_t n,
                                 int8_t *output) {
    const int8_t *end = input + (n & ~3u);
    while (input != end) {
        const uint32_t a = (uint8_t)input[0], b = (uint8_t)input[1];
        const uint32_t c = (uint8_t)input[2], d = (uint8_t)input[3];
        const int8_t x = table[a], y = table[b], z = table[c], w = table[d];
        output[0] = x;
        output[1] = y;
        output[2] = z;
        output[3] = w;
        input += 4;
        output += 4;
        TS_M4_POINTER(input);
        TS_M4_POINTER(output);
    }
    for (uint32_t i = 0; i < (n & 3u); i++)
        output[i] = table[(uint8_t)input[i]];
}

/* The same in place on int16 pairs, whose values are int8. */
static inline void ts_m4_look_up_pairs(const int8_t *table, uint32_t *words, uint32_t n) {
    uint32_t i = 0;
    for (; i + 2 <= n; i += 2) {
        const uint32_t x = words[i], y = words[i + 1];
        const uint32_t a = (uint32_t)(int32_t)table[x & 255u];
        const uint32_t b = (uint32_t)(int32_t)table[x >> 16 & 255u];
        const uint32_t c = (uint32_t)(int32_t)table[y & 255u];
        const uint32_t d = (uint32_t)(int32_t)table[y >> 16 & 255u];
        words[i] = (a & 0xFFFFu) | b << 16;
        words[i + 1] = (c & 0xFFFFu) | d << 16;
    }
}

/* See add.h; nothing overflows 32 bits. */
typedef struct {
    int32_t a_mul, b_mul, rounding;
    uint32_t shift;
} ts_m4_addition;

static inline int8_t ts_m4_add_one(const ts_m4_addition *add, int32_t a, int32_t b) {
    return (int8_t)__ssat((add->rounding + a * add->a_mul + b * add->b_mul) >> add->shift, 8);
}

static inline void ts_m4_add(const ts_m4_addition *add, const int8_t *a, const int8_t *b,
                             uint32_t n, int8_t *output) {
    const ts_m4_addition by = *add;
    const int8_t *end = a + (n & ~1u);
    while (a != end) {
        const int32_t a0 = a[0], a1 = a[1], b0 = b[0], b1 = b[1];
        const int8_t x = ts_m4_add_one(&by, a0, b0), y = ts_m4_add_one(&by, a1, b1);
        output[0] = x;
        output[1] = y;
        a += 2;
        b += 2;
        output += 2;
        TS_M4_POINTER(a);
        TS_M4_POINTER(b);
        TS_M4_POINTER(output);
    }
    if (n & 1u)
        *output = ts_m4_add_one(&by, *a, *b);
}

/* Bytes 0 and 2, and 1 and 3, of four as int16 pairs. */
static inline int16x2_t ts_m4_even(uint32_t bytes) { return __sxtb16((int8x4_t)bytes); }

static inline int16x2_t ts_m4_odd(uint32_t bytes) {
    return __sxtb16((int8x4_t)(bytes >> 8 | bytes << 24));
}

/* Sum and sum of squares of n bytes. */
static inline void ts_m4_moments(const int8_t *x, uint32_t n, int32_t *sum, int32_t *squares) {
    const int8_t *end = x + (n & ~3u);
    int32_t s = 0, q = 0;
    while (x != end) {
        const uint32_t word = ts_load4(x);
        const int16x2_t even = ts_m4_even(word), odd = ts_m4_odd(word);
        s = __smlad(even, 0x00010001, s);
        q = __smlad(even, even, q);
        s = __smlad(odd, 0x00010001, s);
        q = __smlad(odd, odd, q);
        x += 4;
        TS_M4_POINTER(x);
    }
    for (uint32_t i = 0; i < (n & 3u); i++) {
        s += x[i];
        q += x[i] * x[i];
    }
    *sum = s;
    *squares = q;
}

typedef struct {
    const int16_t *weight; /* 4-byte aligned */
    const int32_t *bias;
    uint32_t shift;
} ts_m4_norm;

/* clip((n / d + bias) >> shift), the quotient truncated toward zero, for the doubled reciprocal M
 * of d >= 3 (ts_normalise.h): the high word of n * M is floor(n * M / 2^31) for the reciprocal
 * itself, and a negative n's quotient is one more, as n * M is then no multiple of 2^31: M has at
 * most 8 factors of 2 for every d <= 255, and |n| <= 255 * 2^15 < 2^23. One SMMLA adds the bias. */
static inline int8_t ts_m4_normalise_one(int32_t n, int32_t bias, int32_t doubled, uint32_t shift) {
    const int32_t floor = (int32_t)((int64_t)n * doubled >> 32) + bias;
    return (int8_t)__ssat((floor + (int32_t)((uint32_t)n >> 31)) >> shift, 8);
}

/* Elements [begin, n) of a row: what is left over, and rows of deviations 1 and 2, whose doubled
 * reciprocal does not fit 31 bits. */
static __attribute__((noinline)) void ts_m4_normalise_each(const ts_m4_norm *norm, const int8_t *x,
                                                           int32_t mean, uint32_t reciprocal,
                                                           ts_range range, int8_t *output) {
    for (uint32_t e = range.begin; e < range.end; e++) {
        const int32_t scaled = ts_divide((x[e] - mean) * norm->weight[e], reciprocal);
        output[e] = (int8_t)__ssat((scaled + norm->bias[e]) >> norm->shift, 8);
    }
}

/* n elements, a multiple of 4. */
static inline void ts_m4_normalise_fours(const ts_m4_norm *norm, const int8_t *x, int32_t mean,
                                         int32_t doubled, uint32_t n, int8_t *output) {
    const int16x2_t means = (int16x2_t)(((uint32_t)mean & 0xFFFFu) | (uint32_t)mean << 16);
    const int16_t *weight = norm->weight;
    const int32_t *bias = norm->bias;
    const uint32_t shift = norm->shift;
    const int8_t *end = x + n;
    while (x != end) {
        const uint32_t word = ts_load4(x);
        const int32_t low = (int32_t)ts_load4(weight), high = (int32_t)ts_load4(weight + 2);
        const int32_t even = (int32_t)__ssub16(ts_m4_even(word), means);
        const int32_t odd = (int32_t)__ssub16(ts_m4_odd(word), means);
        output[0] = ts_m4_normalise_one((int16_t)even * (int16_t)low, bias[0], doubled, shift);
        output[1] = ts_m4_normalise_one((int16_t)odd * (low >> 16), bias[1], doubled, shift);
        output[2] = ts_m4_normalise_one((even >> 16) * (int16_t)high, bias[2], doubled, shift);
        output[3] = ts_m4_normalise_one((odd >> 16) * (high >> 16), bias[3], doubled, shift);
        x += 4;
        weight += 4;
        bias += 4;
        output += 4;
        TS_M4_POINTER(x);
        TS_M4_POINTER(weight);
        TS_M4_POINTER(bias);
        TS_M4_POINTER(output);
    }
}

/* See layernorm.h. */
static inline void ts_m4_normalise(const ts_m4_norm *norm, const int8_t *x, uint32_t n,
                                   int8_t *output) {
    int32_t sum, squares;
    ts_m4_moments(x, n, &sum, &squares);
    const int32_t count = (int32_t)n, mean = sum / count;
    /* sum((x - mean)^2); modulo 2^32 on the way, its value fits. */
    const uint32_t centred =
        (uint32_t)squares - (uint32_t)mean * (2u * (uint32_t)sum - (uint32_t)(count * mean));
    const uint32_t reciprocal = ts_deviation_reciprocal(ts_isqrt(centred / n + 1u));
    const uint32_t fours = reciprocal < 1u << 30 ? n & ~3u : 0;
    ts_m4_normalise_fours(norm, x, mean, (int32_t)(2u * reciprocal), fours, output);
    if (fours != n)
        ts_m4_normalise_each(norm, x, mean, reciprocal, (ts_range){fours, n}, output);
}

#endif
