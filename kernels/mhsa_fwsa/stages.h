// SPDX-License-Identifier: Apache-2.0
/* mhsa_fwsa as a sequence of other kernels, whatever their instruction set. */
#ifndef TS_MHSA_FWSA_STAGES_H
#define TS_MHSA_FWSA_STAGES_H

#include "../attention_context/attention_context.h"
#include "../fwsa/fwsa.h"
#include "../linear_o/linear_o.h"
#include "../linear_v/linear_v.h"
#include "mhsa_fwsa.h"
#include "ts_requant.h"

typedef struct {
    ts_fwsa_fn *fwsa;
    ts_linear_v_fn *linear_v;
    ts_attention_context_fn *attention_context;
    ts_linear_o_fn *linear_o;
    /* Bytes that the weight layout pads each weight row to a multiple of; 1 when it does not. */
    uint32_t weight_row_multiple;
} ts_mhsa_fwsa_stages;

/* Where the intermediate operands lie: of `heads` heads, except the context, which is whole. */
typedef struct {
    uint32_t heads;
    int8_t *value;       /* [heads, P, S] */
    uint8_t *map;        /* [heads, S, S] */
    int8_t *context;     /* [S, H, P] */
    void *stage_scratch; /* what the stages themselves need, first of all fwsa */
} ts_mhsa_fwsa_buffers;

/* Without the scratch of the stages. */
static inline uint32_t ts_mhsa_fwsa_buffer_bytes(const ts_shape *shape, uint32_t cores) {
    const uint32_t heads = ts_heads_at_once(shape, cores);
    return ts_align16(heads * shape->S * shape->P) + ts_align16(heads * shape->S * shape->S) +
           ts_align16(shape->S * shape->H * shape->P);
}

static inline ts_mhsa_fwsa_buffers ts_mhsa_fwsa_place(const ts_shape *shape, uint32_t cores,
                                                      void *scratch) {
    ts_mhsa_fwsa_buffers b = {.heads = ts_heads_at_once(shape, cores)};
    b.value = scratch;
    b.map = (uint8_t *)(b.value + ts_align16(b.heads * shape->S * shape->P));
    b.context = (int8_t *)(b.map + ts_align16(b.heads * shape->S * shape->S));
    b.stage_scratch = b.context + ts_align16(shape->S * shape->H * shape->P);
    return b;
}

/* Maps, values and contexts of heads [h, h + heads). */
static inline void ts_mhsa_fwsa_attend(const ts_team *team, const ts_mhsa_fwsa_args *args,
                                       const ts_mhsa_fwsa_stages *stages,
                                       const ts_mhsa_fwsa_buffers *b, uint32_t h,
                                       const ts_shape *heads_shape) {
    const uint32_t multiple = stages->weight_row_multiple;
    const uint32_t E = args->shape.E, P = args->shape.P;
    const uint32_t weight_row = ts_ceil_div(E, multiple) * multiple;
    const ts_linear_v_args value_args = {
        .shape = *heads_shape,
        .input = args->input,
        .weight = args->v_weight + h * P * weight_row,
        .bias = args->v_bias + h * P,
        .requant = ts_requant_from(args->v, h * P),
        .output = b->value,
    };
    const ts_fwsa_args map_args = {
        .shape = *heads_shape,
        .input = args->input,
        .weight = args->f_weight + h * E * weight_row,
        .bias = args->f_bias + h * E,
        .requant = ts_requant_from(args->f, h * E),
        .scores_requant = args->scores,
        .table = args->table,
        .output = b->map,
    };
    const ts_attention_context_args context_args = {
        .shape = *heads_shape,
        .map = b->map,
        .value = b->value,
        .requant = ts_requant_from(args->context, h * P),
        .output = b->context + h * P,
        .output_row_stride = args->shape.H * P,
    };
    stages->linear_v(team, &value_args, b->stage_scratch);
    stages->fwsa(team, &map_args, b->stage_scratch);
    ts_team_barrier(team);
    stages->attention_context(team, &context_args, b->stage_scratch);
}

/* `scratch`: ts_mhsa_fwsa_buffer_bytes, then what the most demanding stage needs. */
static inline void ts_mhsa_fwsa_run(const ts_team *team, const ts_mhsa_fwsa_args *args,
                                    void *scratch, const ts_mhsa_fwsa_stages *stages) {
    const ts_mhsa_fwsa_buffers b = ts_mhsa_fwsa_place(&args->shape, team->cores, scratch);
    for (uint32_t h = 0; h < args->shape.H; h += b.heads) {
        ts_shape heads_shape = args->shape;
        heads_shape.H = ts_min(b.heads, args->shape.H - h);
        ts_mhsa_fwsa_attend(team, args, stages, &b, h, &heads_shape);
        ts_team_barrier(team);
    }
    const ts_linear_o_args output_args = {
        .shape = args->shape,
        .input = b.context,
        .weight = args->o_weight,
        .bias = args->o_bias,
        .requant = args->o,
        .output = args->output,
    };
    stages->linear_o(team, &output_args, b.stage_scratch);
}

#endif
