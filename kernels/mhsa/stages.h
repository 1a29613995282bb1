// SPDX-License-Identifier: Apache-2.0
/* mhsa as a sequence of other kernels, whatever their instruction set. */
#ifndef TS_MHSA_STAGES_H
#define TS_MHSA_STAGES_H

#include "../attention_context/attention_context.h"
#include "../attention_scores/attention_scores.h"
#include "../linear_o/linear_o.h"
#include "../linear_qk/linear_qk.h"
#include "../linear_v/linear_v.h"
#include "mhsa.h"
#include "ts_requant.h"

typedef struct {
    ts_linear_qk_fn *linear_qk;
    ts_linear_v_fn *linear_v;
    ts_attention_scores_fn *attention_scores;
    ts_attention_context_fn *attention_context;
    ts_linear_o_fn *linear_o;
    /* Bytes that the weight layout pads each weight row to a multiple of; 1 when it does not. */
    uint32_t weight_row_multiple;
} ts_mhsa_stages;

/* Where the intermediate operands lie: of `heads` heads, except the context, which is whole. */
typedef struct {
    uint32_t heads;
    int8_t *query, *key; /* [heads, S, P] */
    int8_t *value;       /* [heads, P, S] */
    uint8_t *map;        /* [heads, S, S] */
    int8_t *context;     /* [S, H, P] */
    void *stage_scratch; /* what the stages themselves need */
} ts_mhsa_buffers;

static inline uint32_t ts_mhsa_buffer_bytes(const ts_shape *shape, uint32_t cores) {
    const uint32_t heads = ts_heads_at_once(shape, cores);
    return 3 * ts_align16(heads * shape->S * shape->P) + ts_align16(heads * shape->S * shape->S) +
           ts_align16(shape->S * shape->H * shape->P);
}

static inline ts_mhsa_buffers ts_mhsa_place(const ts_shape *shape, uint32_t cores, void *scratch) {
    ts_mhsa_buffers b = {.heads = ts_heads_at_once(shape, cores)};
    const uint32_t projection = ts_align16(b.heads * shape->S * shape->P);
    b.query = scratch;
    b.key = b.query + projection;
    b.value = b.key + projection;
    b.map = (uint8_t *)(b.value + projection);
    b.context = (int8_t *)(b.map + ts_align16(b.heads * shape->S * shape->S));
    b.stage_scratch = b.context + ts_align16(shape->S * shape->H * shape->P);
    return b;
}

/* Queries, keys and values of heads [h, h + heads). */
static inline void ts_mhsa_project(const ts_team *team, const ts_mhsa_args *args,
                                   const ts_mhsa_stages *stages, const ts_mhsa_buffers *b,
                                   uint32_t h, const ts_shape *heads_shape) {
    const uint32_t multiple = stages->weight_row_multiple;
    const uint32_t channel = h * args->shape.P;
    const uint32_t weight = channel * ts_ceil_div(args->shape.E, multiple) * multiple;
    const ts_linear_qk_args query_args = {
        .shape = *heads_shape,
        .input = args->input,
        .weight = args->q_weight + weight,
        .bias = args->q_bias + channel,
        .requant = ts_requant_from(args->q, channel),
        .output = b->query,
    };
    const ts_linear_qk_args key_args = {
        .shape = *heads_shape,
        .input = args->input,
        .weight = args->k_weight + weight,
        .bias = args->k_bias + channel,
        .requant = ts_requant_from(args->k, channel),
        .output = b->key,
    };
    const ts_linear_v_args value_args = {
        .shape = *heads_shape,
        .input = args->input,
        .weight = args->v_weight + weight,
        .bias = args->v_bias + channel,
        .requant = ts_requant_from(args->v, channel),
        .output = b->value,
    };
    stages->linear_qk(team, &query_args, b->stage_scratch);
    stages->linear_qk(team, &key_args, b->stage_scratch);
    stages->linear_v(team, &value_args, b->stage_scratch);
}

/* Maps and contexts of heads [h, h + heads). */
static inline void ts_mhsa_attend(const ts_team *team, const ts_mhsa_args *args,
                                  const ts_mhsa_stages *stages, const ts_mhsa_buffers *b,
                                  uint32_t h, const ts_shape *heads_shape) {
    const uint32_t S = args->shape.S, P = args->shape.P;
    const ts_attention_scores_args scores_args = {
        .shape = *heads_shape,
        .query = b->query,
        .key = b->key,
        .key_head_stride = S * P,
        .requant = args->scores,
        .table = args->table,
        .output = b->map,
    };
    stages->attention_scores(team, &scores_args, b->stage_scratch);
    ts_team_barrier(team);
    const ts_attention_context_args context_args = {
        .shape = *heads_shape,
        .map = b->map,
        .value = b->value,
        .requant = ts_requant_from(args->context, h * P),
        .output = b->context + h * P,
        .output_row_stride = args->shape.H * P,
    };
    stages->attention_context(team, &context_args, b->stage_scratch);
}

/* The whole block in given buffers. */
static inline void ts_mhsa_run_in(const ts_team *team, const ts_mhsa_args *args,
                                  const ts_mhsa_stages *stages, const ts_mhsa_buffers *b) {
    for (uint32_t h = 0; h < args->shape.H; h += b->heads) {
        ts_shape heads_shape = args->shape;
        heads_shape.H = ts_min(b->heads, args->shape.H - h);
        ts_mhsa_project(team, args, stages, b, h, &heads_shape);
        ts_team_barrier(team);
        ts_mhsa_attend(team, args, stages, b, h, &heads_shape);
        ts_team_barrier(team);
    }
    const ts_linear_o_args output_args = {
        .shape = args->shape,
        .input = b->context,
        .weight = args->o_weight,
        .bias = args->o_bias,
        .requant = args->o,
        .output = args->output,
    };
    stages->linear_o(team, &output_args, b->stage_scratch);
}

/* `scratch`: ts_mhsa_buffer_bytes, then what the most demanding stage needs. */
static inline void ts_mhsa_run(const ts_team *team, const ts_mhsa_args *args, void *scratch,
                               const ts_mhsa_stages *stages) {
    const ts_mhsa_buffers b = ts_mhsa_place(&args->shape, team->cores, scratch);
    ts_mhsa_run_in(team, args, stages, &b);
}

#endif
