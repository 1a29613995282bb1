// SPDX-License-Identifier: Apache-2.0
/* A single row: its only key has all of the attention, 255, whatever its score. So neither queries
 * nor keys matter, and the context is 255 times the values. */
#include "cortexm4_brief.h"
#include "ts_m4_panels.h"
#include "ts_m4_single.h"

void ts_m4_single_row(const ts_mhsa_args *args, void *scratch) {
    const ts_shape *s = &args->shape;
    const uint32_t channels = s->H * s->P;
    uint32_t *x = scratch, *pairs = x + ts_m4_pairs(s->E);
    int16_t *context = (int16_t *)(void *)pairs;
    int8_t *values = (int8_t *)(pairs + ts_m4_pairs(channels));
    const ts_m4_single value = {args->v_weight, args->v_bias, &args->v, s->H, s->P, s->E};
    const ts_m4_single output = {args->o_weight, args->o_bias, &args->o, 1, s->E, channels};
    ts_m4_expand(args->input, s->E, x, 1);
    ts_m4_single_run(&value, x, values);
    const ts_requant requant = args->context;
    for (uint32_t c = 0; c < channels; c++)
        context[c] = ts_m4_requantize(&requant, c, 255 * values[c]);
    if (channels % 2)
        context[channels] = 0;
    ts_m4_single_run(&output, pairs, args->output);
}
