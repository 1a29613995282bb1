// SPDX-License-Identifier: Apache-2.0
/* A single row times weights in layout panels4, any requantisation: nothing is made ready, so it is
 * the fastest where there is little to do.
 *
 *   output[c] = requant(bias[c] + sum over d of weight[c, d] * x[d]) */
#ifndef TS_M4_SINGLE_H
#define TS_M4_SINGLE_H

#include <arm_acle.h>

#include "ts_kernel.h"
#include "ts_m4_tiles.h"
#include "ts_requant.h"

/* Of `heads` times n channels, each head a whole number of tiles. */
typedef struct {
    const int8_t *panel;
    const int32_t *bias;       /* [heads*n] */
    const ts_requant *requant; /* heads*n channels when per channel */
    uint32_t heads, n;
    uint32_t depth; /* of the reduction */
} ts_m4_single;

/* Factors of 1/2 and up. */
static __attribute__((noinline)) int8_t ts_m4_requantize_large(const ts_requant *requant,
                                                               uint32_t channel, int32_t sum) {
    return ts_requantize(requant, channel, sum);
}

/* ts_requantize: smaller factors by the high word of one product. */
static inline int8_t ts_m4_requantize(const ts_requant *requant, uint32_t channel, int32_t sum) {
    const uint32_t mul = requant->mul[requant->per_channel ? channel : 0];
    const int64_t half = requant->round_half_up ? (int64_t)1 << 31 : 0;
    if (mul >> (requant->shift - 1))
        return ts_m4_requantize_large(requant, channel, sum);
    const int32_t factor = (int32_t)(mul << (32 - requant->shift));
    return (int8_t)__ssat((int32_t)(((int64_t)sum * factor + half) >> 32), 8);
}

/* Sums of a tile: four vectors times x, int16 pairs. */
static inline void ts_m4_single_tile(const uint32_t *tile, const uint32_t *x, uint32_t steps,
                                     int32_t sums[4]) {
    int32_t a = 0, b = 0, c = 0, d = 0;
#pragma GCC unroll 2
    for (uint32_t k = 0; k < steps; k++, tile += 4) {
        const int16x2_t pair = (int16x2_t)x[k];
        a = __smlad((int16x2_t)tile[0], pair, a);
        b = __smlad((int16x2_t)tile[1], pair, b);
        c = __smlad((int16x2_t)tile[2], pair, c);
        d = __smlad((int16x2_t)tile[3], pair, d);
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* x: int16 pairs, an odd last one's partner 0. */
static inline void ts_m4_single_run(const ts_m4_single *layer, const uint32_t *x, int8_t *output) {
    const uint32_t steps = ts_m4_pairs(layer->depth), n = layer->n;
    const uint32_t *tile = (const uint32_t *)(const void *)layer->panel;
    const ts_requant requant = *layer->requant;
    const int32_t *bias = layer->bias;
    uint32_t channel = 0;
    for (uint32_t h = 0; h < layer->heads; h++)
        for (uint32_t p = 0; p < n; p += 4, tile += 4 * steps) {
            int32_t sums[4];
            ts_m4_single_tile(tile, x, steps, sums);
            for (uint32_t i = 0; i < ts_min(4, n - p); i++, channel++)
                output[channel] = ts_m4_requantize(&requant, channel, sums[i] + bias[channel]);
        }
}

#endif
