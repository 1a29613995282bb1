// SPDX-License-Identifier: Apache-2.0
/* encoder_block as a sequence of other kernels, whatever their instruction set. */
#ifndef TS_ENCODER_BLOCK_STAGES_H
#define TS_ENCODER_BLOCK_STAGES_H

#include "../add/add.h"
#include "../ffn/ffn.h"
#include "../layernorm/layernorm.h"
#include "../mhsa/mhsa.h"
#include "encoder_block.h"

typedef struct {
    ts_layernorm_fn *layernorm;
    ts_mhsa_fn *mhsa;
    ts_ffn_fn *ffn;
    ts_add_fn *add;
    ts_scratch_fn *mhsa_scratch, *ffn_scratch; /* the other two need none */
} ts_encoder_stages;

static inline uint32_t ts_encoder_scratch(const ts_shape *shape, uint32_t cores,
                                          const ts_encoder_stages *stages) {
    const uint32_t mhsa = stages->mhsa_scratch(shape, cores);
    const uint32_t ffn = stages->ffn_scratch(shape, cores);
    return 2 * ts_align16(shape->S * shape->E) + (mhsa > ffn ? mhsa : ffn);
}

static inline void ts_encoder_normalise(const ts_team *team, const ts_encoder_block_args *args,
                                        const ts_encoder_stages *stages,
                                        const ts_encoder_norm *norm, const int8_t *input,
                                        int8_t *output) {
    const ts_layernorm_args layernorm_args = {
        .shape = args->shape,
        .input = input,
        .weight = norm->weight,
        .bias = norm->bias,
        .shift = norm->shift,
        .output = output,
    };
    stages->layernorm(team, &layernorm_args, NULL);
    ts_team_barrier(team);
}

static inline ts_mhsa_args ts_encoder_mhsa_args(const ts_encoder_block_args *args,
                                                const int8_t *input, int8_t *output) {
    return (ts_mhsa_args){
        .shape = args->shape,
        .input = input,
        .q_weight = args->q_weight,
        .q_bias = args->q_bias,
        .k_weight = args->k_weight,
        .k_bias = args->k_bias,
        .v_weight = args->v_weight,
        .v_bias = args->v_bias,
        .o_weight = args->o_weight,
        .o_bias = args->o_bias,
        .q = args->q,
        .k = args->k,
        .v = args->v,
        .scores = args->scores,
        .context = args->context,
        .o = args->o,
        .table = args->softmax,
        .output = output,
    };
}

static inline void ts_encoder_attend(const ts_team *team, const ts_encoder_block_args *args,
                                     const ts_encoder_stages *stages, const int8_t *input,
                                     int8_t *output, void *scratch) {
    const ts_mhsa_args mhsa_args = ts_encoder_mhsa_args(args, input, output);
    stages->mhsa(team, &mhsa_args, scratch);
    ts_team_barrier(team);
}

static inline ts_ffn_args ts_encoder_ffn_args(const ts_encoder_block_args *args,
                                              const int8_t *input, int8_t *output) {
    return (ts_ffn_args){
        .shape = args->shape,
        .input = input,
        .up_weight = args->up_weight,
        .up_bias = args->up_bias,
        .down_weight = args->down_weight,
        .down_bias = args->down_bias,
        .up = args->up,
        .down = args->down,
        .table = args->gelu_table,
        .output = output,
    };
}

static inline void ts_encoder_feed_forward(const ts_team *team, const ts_encoder_block_args *args,
                                           const ts_encoder_stages *stages, const int8_t *input,
                                           int8_t *output, void *scratch) {
    const ts_ffn_args ffn_args = ts_encoder_ffn_args(args, input, output);
    stages->ffn(team, &ffn_args, scratch);
    ts_team_barrier(team);
}

static inline void ts_encoder_add_residual(const ts_team *team, const ts_encoder_block_args *args,
                                           const ts_encoder_stages *stages,
                                           const ts_encoder_add *add, const int8_t *residual,
                                           const int8_t *layer, int8_t *output) {
    const ts_add_args add_args = {
        .shape = args->shape,
        .a = residual,
        .b = layer,
        .a_mul = add->residual_mul,
        .b_mul = add->layer_mul,
        .shift = add->shift,
        .round_half_up = add->round_half_up,
        .output = output,
    };
    stages->add(team, &add_args, NULL);
}

/* `scratch`: ts_encoder_scratch. */
static inline void ts_encoder_run(const ts_team *team, const ts_encoder_block_args *args,
                                  void *scratch, const ts_encoder_stages *stages) {
    const uint32_t bytes = ts_align16(args->shape.S * args->shape.E);
    int8_t *normal = scratch;
    int8_t *sum = normal + bytes; /* attention, then its sum with the input */
    void *stage_scratch = sum + bytes;
    ts_encoder_normalise(team, args, stages, &args->norm1, args->input, normal);
    ts_encoder_attend(team, args, stages, normal, sum, stage_scratch);
    ts_encoder_add_residual(team, args, stages, &args->add1, args->input, sum, sum);
    ts_team_barrier(team);
    ts_encoder_normalise(team, args, stages, &args->norm2, sum, normal);
    ts_encoder_feed_forward(team, args, stages, normal, args->output, stage_scratch);
    ts_encoder_add_residual(team, args, stages, &args->add2, sum, args->output, args->output);
}

#endif
