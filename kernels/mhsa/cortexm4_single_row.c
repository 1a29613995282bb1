// SPDX-License-Identifier: Apache-2.0
/* A single row: its only key has all of the attention, 255, whatever its score. So neither queries
 * nor keys matter, and the context is 255 times the values. */
#include <arm_acle.h>

#include "cortexm4_brief.h"
#include "ts_m4_panels.h"
#include "ts_requant.h"

/* Sums of a tile: four vectors times x, `steps` pairs. */
static inline void multiply(const uint32_t *tile, const uint32_t *x, uint32_t steps,
                            int32_t sums[4]) {
    int32_t a = 0, b = 0, c = 0, d = 0;
    do {
        const int16x2_t pair = (int16x2_t)*x++;
        a = __smlad((int16x2_t)tile[0], pair, a);
        b = __smlad((int16x2_t)tile[1], pair, b);
        c = __smlad((int16x2_t)tile[2], pair, c);
        d = __smlad((int16x2_t)tile[3], pair, d);
        tile += 4;
    } while (--steps);
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* The context of all heads, int16 pairs. */
static void attend(const ts_mhsa_args *args, const uint32_t *x, int16_t *context) {
    const uint32_t P = args->shape.P, steps = ts_m4_pairs(args->shape.E);
    const uint32_t channels = args->shape.H * P;
    const uint32_t *tile = (const uint32_t *)(const void *)args->v_weight;
    uint32_t channel = 0;
    while (channel < channels)
        for (uint32_t p = 0; p < P; p += 4, tile += 4 * steps) {
            int32_t sums[4];
            multiply(tile, x, steps, sums);
            for (uint32_t i = 0; i < ts_min(4, P - p); i++, channel++) {
                const int32_t sum = sums[i] + args->v_bias[channel];
                const int32_t value = ts_requantize(&args->v, channel, sum);
                context[channel] = ts_requantize(&args->context, channel, 255 * value);
            }
        }
    if (channels % 2)
        context[channels] = 0;
}

void ts_m4_single_row(const ts_mhsa_args *args, void *scratch) {
    const ts_shape *s = &args->shape;
    uint32_t *x = scratch, *context = x + ts_m4_pairs(s->E);
    const uint32_t steps = ts_m4_pairs(s->H * s->P);
    const uint32_t *tile = (const uint32_t *)(const void *)args->o_weight;
    ts_m4_expand(args->input, s->E, x, 1);
    attend(args, x, (int16_t *)(void *)context);
    for (uint32_t e = 0; e < s->E; e += 4, tile += 4 * steps) {
        int32_t sums[4];
        multiply(tile, context, steps, sums);
        for (uint32_t i = e; i < ts_min(e + 4, s->E); i++)
            args->output[i] = ts_requantize(&args->o, i, sums[i - e] + args->o_bias[i]);
    }
}
