// SPDX-License-Identifier: Apache-2.0
/* fwsa as a sequence of other kernels, whatever their instruction set. */
#ifndef TS_FWSA_STAGES_H
#define TS_FWSA_STAGES_H

#include "../attention_scores/attention_scores.h"
#include "../linear_qk/linear_qk.h"
#include "fwsa.h"
#include "ts_requant.h"

typedef struct {
    ts_linear_qk_fn *linear_qk;
    ts_attention_scores_fn *attention_scores;
    /* Bytes that the weight layout pads each weight row to a multiple of; 1 when it does not. */
    uint32_t weight_row_multiple;
} ts_fwsa_stages;

/* Bytes of scratch for the inner operand of the heads that are processed at once. */
static inline uint32_t ts_fwsa_buffer_bytes(const ts_shape *shape, uint32_t cores) {
    return ts_align16(ts_heads_at_once(shape, cores) * shape->S * shape->E);
}

/* `scratch` holds the buffers, then `stage_scratch` follows: what the stages themselves need. */
static inline void ts_fwsa_run(const ts_team *team, const ts_fwsa_args *args, void *scratch,
                               const ts_fwsa_stages *stages) {
    const ts_shape *shape = &args->shape;
    const uint32_t S = shape->S, E = shape->E, H = shape->H;
    const uint32_t step = ts_heads_at_once(shape, team->cores);
    const uint32_t weight_row =
        ts_ceil_div(E, stages->weight_row_multiple) * stages->weight_row_multiple;
    int8_t *inner = scratch;
    void *stage_scratch = inner + ts_fwsa_buffer_bytes(shape, team->cores);

    for (uint32_t h = 0; h < H; h += step) {
        const uint32_t heads = ts_min(step, H - h);
        /* The last heads' inner operand must have been read before it is overwritten. */
        if (h > 0)
            ts_team_barrier(team);
        const ts_linear_qk_args inner_args = {
            .shape = {.S = S, .E = E, .P = E, .H = heads},
            .input = args->input,
            .weight = args->weight + h * E * weight_row,
            .bias = args->bias + h * E,
            .requant = ts_requant_from(args->requant, h * E),
            .output = inner,
        };
        stages->linear_qk(team, &inner_args, stage_scratch);
        ts_team_barrier(team);
        const ts_attention_scores_args scores_args = {
            .shape = {.S = S, .E = E, .P = E, .H = heads},
            .query = inner,
            .key = args->input,
            .key_head_stride = 0,
            .requant = args->scores_requant,
            .table = args->table,
            .output = args->output + h * S * S,
        };
        stages->attention_scores(team, &scores_args, stage_scratch);
    }
}

#endif
