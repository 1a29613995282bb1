// SPDX-License-Identifier: Apache-2.0
/* mhsa of a single row on the Cortex-M7, of any E, P and H. Its attention map is one entry, which
 * the definition of the softmax makes 255 whatever the score: floor(255 * T[0] / T[0]). So neither
 * queries nor keys are computed, and the context is the requantised 255 * value. */
#ifndef TS_MHSA_CORTEXM7_ROW_H
#define TS_MHSA_CORTEXM7_ROW_H

#include "cortexm7_short.h"
#include "mhsa.h"

/* The input and the context as pairs of int16. */
typedef struct {
    int16_t *x, *context;
    uint32_t bytes;
} ts_m7_row;

static inline ts_m7_row ts_m7_row_place(const ts_shape *shape, void *scratch) {
    const uint32_t x = 2 * ts_m7_pairs(shape->E);
    const uint32_t context = 2 * ts_m7_pairs(shape->H * shape->P);
    return (ts_m7_row){scratch, (int16_t *)scratch + x, 2 * (x + context)};
}

/* Whether the factors are what this way takes: their mul' have 31 bits. */
static inline int ts_m7_row_numerics(const ts_mhsa_args *args) {
    const uint32_t channels = args->shape.H * args->shape.P;
    return (ts_m7_short_steep(&args->v, channels) | ts_m7_short_steep(&args->context, channels) |
            ts_m7_short_steep(&args->o, args->shape.E)) == 0;
}

static inline int32_t ts_m7_row_scaled(const ts_requant *requant, uint32_t channel, int32_t sum) {
    const uint32_t mul = requant->mul[requant->per_channel ? channel : 0];
    return ts_m7_short_scaled(sum, (int32_t)(mul << (32u - requant->shift)),
                              ts_m7_short_rounding(requant));
}

/* Dot products of x with the four rows of a 4-panel, both of `pairs`. */
static inline void ts_m7_row_dots(const int16_t *x, const int16_t *panel, uint32_t pairs,
                                  int32_t *sums) {
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    const int16x2_t *to = (const int16x2_t *)(const void *)panel;
    const int16x2_t *from = (const int16x2_t *)(const void *)x;
    do {
        s0 = __smlad(*from, to[0], s0);
        s1 = __smlad(*from, to[1], s1);
        s2 = __smlad(*from, to[2], s2);
        s3 = __smlad(*from, to[3], s3);
        from++;
        to += 4;
    } while (--pairs > 0);
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* Values of all heads, and at once the contexts. */
static inline void ts_m7_row_contexts(const ts_mhsa_args *args, const ts_m7_row *b) {
    const uint32_t P = args->shape.P, pairs = ts_m7_pairs(args->shape.E);
    const int16_t *weight = (const int16_t *)(const void *)args->v_weight;
    uint32_t channel = 0;
    for (uint32_t h = 0; h < args->shape.H; h++) {
        for (uint32_t p = 0; p < P; p += 4) {
            int32_t sums[4];
            ts_m7_row_dots(b->x, weight, pairs, sums);
            weight += 8 * pairs;
            for (uint32_t i = 0; i < ts_min(4, P - p); i++) {
                const int32_t value =
                    ts_m7_row_scaled(&args->v, channel, sums[i] + args->v_bias[channel]);
                b->context[channel] =
                    (int16_t)ts_m7_row_scaled(&args->context, channel, 255 * value);
                channel++;
            }
        }
    }
    if (channel % 2)
        b->context[channel] = 0;
}

static inline void ts_m7_row_output(const ts_mhsa_args *args, const ts_m7_row *b) {
    const uint32_t E = args->shape.E, pairs = ts_m7_pairs(args->shape.H * args->shape.P);
    const int16_t *weight = (const int16_t *)(const void *)args->o_weight;
    for (uint32_t e = 0; e < E; e += 4) {
        int32_t sums[4];
        ts_m7_row_dots(b->context, weight, pairs, sums);
        weight += 8 * pairs;
        for (uint32_t i = 0; i < ts_min(4, E - e); i++)
            args->output[e + i] =
                (int8_t)ts_m7_row_scaled(&args->o, e + i, sums[i] + args->o_bias[e + i]);
    }
}

static __attribute__((noinline)) void ts_m7_row_run(const ts_mhsa_args *args, void *scratch) {
    const ts_m7_row b = ts_m7_row_place(&args->shape, scratch);
    ts_m7_expand(args->input, args->shape.E, b.x, 1);
    ts_m7_row_contexts(args, &b);
    ts_m7_row_output(args, &b);
}

#endif
