// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, table of the softmax in reversed_bytes. One file, so that attention
 * and feed-forward network share the loop. Scratch: two tensors, then what the larger layer needs.
 */
#include "../mhsa/cortexm7_layer.h"
#include "stages.h"
#include "ts_m7_ffn.h"
#include "ts_m7_layer.h"
#include "ts_m7_pointwise.h"

static void attend(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    (void)team;
    const ts_m7_layer layer = ts_mhsa_cortexm7_layer(args);
    ts_m7_layer_run(&layer, scratch);
}

static uint32_t attend_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m7_place(shape, shape->P, NULL).bytes;
}

static void feed_forward(const ts_team *team, const ts_ffn_args *args, void *scratch) {
    (void)team;
    ts_m7_ffn_run(args, scratch);
}

static uint32_t feed_forward_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m7_ffn_bytes(shape);
}

static void normalise(const ts_team *team, const ts_layernorm_args *args, void *scratch) {
    (void)team;
    (void)scratch;
    const uint32_t E = args->shape.E;
    const ts_m7_norm norm = {args->weight, args->bias, args->shift};
    for (uint32_t row = 0; row < args->shape.S; row++)
        ts_m7_normalise(&norm, args->input + row * E, E, args->output + row * E);
}

static void add(const ts_team *team, const ts_add_args *args, void *scratch) {
    (void)team;
    (void)scratch;
    const ts_m7_addition addition = {
        .a_mul = (int32_t)args->a_mul,
        .b_mul = (int32_t)args->b_mul,
        .rounding = args->round_half_up ? (int32_t)(1u << (args->shift - 1)) : 0,
        .shift = args->shift,
    };
    ts_m7_add(&addition, args->a, args->b, args->shape.S * args->shape.E, args->output);
}

static const ts_encoder_stages stages = {
    .layernorm = normalise,
    .mhsa = attend,
    .ffn = feed_forward,
    .add = add,
    .mhsa_scratch = attend_scratch,
    .ffn_scratch = feed_forward_scratch,
};

uint32_t ts_encoder_block_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_encoder_scratch(shape, cores, &stages);
}

void ts_encoder_block_cortexm7(const ts_team *team, const ts_encoder_block_args *args,
                               void *scratch) {
    if (team->core == 0)
        ts_encoder_run(team, args, scratch, &stages);
}
