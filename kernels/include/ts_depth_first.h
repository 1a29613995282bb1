// SPDX-License-Identifier: Apache-2.0
/* Self-attention depth first, in plain loops over an instruction set's own tile functions: the
 * attention map exists one row tile at a time and never whole. A tile goes through query, scores,
 * softmax and context on one core, without a barrier; its schedule (ts_schedule) says what is kept
 * between tiles. Bit-identical to the layer-by-layer kernels: int32 sums do not depend on order.
 *
 * With fused weights the keys are the input itself, and the query is X W*_h^T, E wide. */
#ifndef TS_DEPTH_FIRST_H
#define TS_DEPTH_FIRST_H

#include "ts_matmul.h"
#include "ts_requant.h"
#include "ts_softmax.h"

typedef struct {
    const int8_t *weight; /* rows of the operand it is applied to, see ts_depth_first */
    const int32_t *bias;
    ts_requant requant;
} ts_linear;

typedef struct {
    ts_shape shape;
    const int8_t *input; /* [S, E] */
    uint32_t width;      /* of queries and keys: P, or E with fused weights */
    ts_linear query;     /* weight [H, width, E] */
    ts_linear key;       /* weight [H, width, E]; NULL: the input is the keys of every head */
    ts_linear value;     /* weight [H, P, E] */
    ts_linear output;    /* weight [E, H*P] */
    ts_requant scores;   /* per tensor */
    ts_requant context;  /* H*P channels when per channel */
    ts_softmax_table table;
    int8_t *result; /* [S, E] */
} ts_depth_first;

/* acc[row, e] += sum over p of left[row, p] * weight[e * weight_row + p] */
typedef void ts_accumulate_fn(const int8_t *left, uint32_t rows, uint32_t depth,
                              const int8_t *weight, uint32_t weight_row, uint32_t columns,
                              int32_t *acc);

typedef struct {
    ts_tile_fn *tile;    /* int8 x int8 */
    ts_tile_fn *tile_u8; /* uint8 x int8 */
    ts_softmax_row_fn *softmax_row;
    ts_accumulate_fn *accumulate;
} ts_depth_first_functions;

/* The schedule with every choice made, and where things lie in the scratch. */
typedef struct {
    uint32_t tile, heads, order;
    uint32_t acc, key, value, slots, context; /* offsets; a slot is one core's tile */
    uint32_t slot_bytes, bytes;
} ts_depth_first_plan;

/* A tile of four rows; accumulators where they are smaller than the context and every core finds a
 * tile of rows; otherwise as many heads at once as give every core a tile. */
static inline ts_depth_first_plan ts_depth_first_choose(const ts_shape *shape, uint32_t cores) {
    const ts_schedule *given = &shape->schedule;
    const uint32_t tile = ts_min(shape->S, given->tile ? given->tile : 4);
    const uint32_t tiles = ts_ceil_div(shape->S, tile);
    const uint32_t small = 4 * shape->E < shape->H * shape->P && tiles >= cores;
    const uint32_t own_order = small ? TS_ORDER_ACCUMULATE : TS_ORDER_CONTEXT;
    const uint32_t order = given->order ? given->order : own_order;
    const uint32_t own_heads = order == TS_ORDER_CONTEXT ? ts_ceil_div(cores, tiles) : 1;
    const uint32_t heads = ts_min(shape->H, given->heads ? given->heads : own_heads);
    return (ts_depth_first_plan){.tile = tile, .heads = heads, .order = order};
}

/* `width` of queries; `keys`: whether keys are computed (no fused weights). */
static inline ts_depth_first_plan ts_depth_first_lay_out(const ts_shape *shape, uint32_t width,
                                                         int keys, uint32_t cores) {
    const uint32_t S = shape->S, E = shape->E, P = shape->P;
    ts_depth_first_plan plan = ts_depth_first_choose(shape, cores);
    uint32_t acc_rows = 0;
    if (plan.order == TS_ORDER_ACCUMULATE)
        acc_rows = S;
    else if (plan.order == TS_ORDER_RECOMPUTE)
        acc_rows = cores * plan.tile;
    plan.key = ts_align16(4 * acc_rows * E);
    plan.value = plan.key + (keys ? ts_align16(plan.heads * S * width) : 0);
    plan.slots = plan.value + ts_align16(plan.heads * S * P);
    /* The tile's context takes the place of its query, which is dead once the scores are there. */
    plan.slot_bytes = ts_align16(plan.tile * (S + (width > P ? width : P)));
    plan.context = plan.slots + cores * plan.slot_bytes;
    plan.bytes = plan.context + (plan.order == TS_ORDER_CONTEXT ? ts_align16(S * shape->H * P) : 0);
    return plan;
}

/* A call with what its cores share. */
typedef struct {
    const ts_depth_first *layer;
    const ts_depth_first_functions *functions;
    ts_depth_first_plan plan;
    uint8_t *scratch;
} ts_depth_first_call;

/* rows x columns = rows [., E] of the input times one head's weights. */
static inline ts_matmul ts_depth_first_linear(const ts_depth_first *layer, const ts_linear *linear,
                                              uint32_t head, uint32_t columns) {
    return (ts_matmul){
        .heads = 1,
        .rows = layer->shape.S,
        .columns = columns,
        .depth = layer->shape.E,
        .left = layer->input,
        .right = linear->weight + head * columns * layer->shape.E,
        .bias = linear->bias + head * columns,
        .requant = ts_requant_from(linear->requant, head * columns),
        .output_row = columns,
        .output_column = 1,
    };
}

/* Keys [S, width] and values [P, S] of heads [h, h + heads), shared by the team. */
static inline void ts_depth_first_project(const ts_team *team, const ts_depth_first_call *call,
                                          uint32_t h, uint32_t heads) {
    const ts_depth_first *layer = call->layer;
    const uint32_t S = layer->shape.S, P = layer->shape.P;
    ts_matmul value = ts_depth_first_linear(layer, &layer->value, h, P);
    value.heads = heads;
    value.right_head = P * layer->shape.E;
    value.output = (int8_t *)call->scratch + call->plan.value;
    value.output_head = S * P;
    value.output_row = 1;
    value.output_column = S;
    ts_matmul_run(team, &value, call->functions->tile);
    if (!layer->key.weight)
        return;
    ts_matmul key = ts_depth_first_linear(layer, &layer->key, h, layer->width);
    key.heads = heads;
    key.right_head = layer->width * layer->shape.E;
    key.output = (int8_t *)call->scratch + call->plan.key;
    key.output_head = S * layer->width;
    ts_matmul_run(team, &key, call->functions->tile);
}

/* Attention map [rows, S] of one head's tile, in `map`; `query` [rows, width] on the way. */
static inline void ts_depth_first_map(const ts_depth_first_call *call, uint32_t head,
                                      uint32_t in_group, ts_range rows, int8_t *query,
                                      uint8_t *map) {
    const ts_depth_first *layer = call->layer;
    const uint32_t S = layer->shape.S, count = rows.end - rows.begin;
    ts_matmul project = ts_depth_first_linear(layer, &layer->query, head, layer->width);
    project.rows = count;
    project.left = layer->input + rows.begin * layer->shape.E;
    project.output = query;
    call->functions->tile(&project, 0, (ts_range){0, count}, (ts_range){0, layer->width});
    const int8_t *keys = (const int8_t *)call->scratch + call->plan.key;
    const ts_matmul scores = {
        .heads = 1,
        .rows = count,
        .columns = S,
        .depth = layer->width,
        .left = query,
        .right = layer->key.weight ? keys + in_group * S * layer->width : layer->input,
        .requant = layer->scores,
        .output = (int8_t *)map,
        .output_row = S,
        .output_column = 1,
    };
    call->functions->tile(&scores, 0, (ts_range){0, count}, (ts_range){0, S});
    for (uint32_t row = 0; row < count; row++) {
        uint8_t *line = map + row * S;
        call->functions->softmax_row((const int8_t *)line, line, S, &layer->table);
    }
}

/* One head's tile: its context, to `output` with `output_row` from row to row. */
static inline void ts_depth_first_context(const ts_depth_first_call *call, uint32_t head,
                                          uint32_t in_group, uint32_t count, const uint8_t *map,
                                          int8_t *output, uint32_t output_row) {
    const ts_depth_first *layer = call->layer;
    const uint32_t S = layer->shape.S, P = layer->shape.P;
    const ts_matmul product = {
        .heads = 1,
        .rows = count,
        .columns = P,
        .depth = S,
        .left = map,
        .right = (const int8_t *)call->scratch + call->plan.value + in_group * P * S,
        .requant = ts_requant_from(layer->context, head * P),
        .output = output,
        .output_row = output_row,
        .output_column = 1,
    };
    call->functions->tile_u8(&product, 0, (ts_range){0, count}, (ts_range){0, P});
}

/* One head's tile, into the accumulators [rows, E] or the context [S, H, P]. */
static inline void ts_depth_first_tile(const ts_team *team, const ts_depth_first_call *call,
                                       uint32_t head, uint32_t in_group, ts_range rows,
                                       int32_t *acc) {
    const ts_depth_first *layer = call->layer;
    const uint32_t E = layer->shape.E, P = layer->shape.P, channels = layer->shape.H * P;
    const uint32_t count = rows.end - rows.begin;
    uint8_t *map = call->scratch + call->plan.slots + team->core * call->plan.slot_bytes;
    int8_t *query = (int8_t *)map + call->plan.tile * layer->shape.S;
    ts_depth_first_map(call, head, in_group, rows, query, map);
    if (!acc) {
        int8_t *context = (int8_t *)call->scratch + call->plan.context;
        context += rows.begin * channels + head * P;
        ts_depth_first_context(call, head, in_group, count, map, context, channels);
        return;
    }
    ts_depth_first_context(call, head, in_group, count, map, query, P);
    for (uint32_t row = 0; head == 0 && row < count; row++)
        for (uint32_t e = 0; e < E; e++)
            acc[row * E + e] = layer->output.bias[e];
    call->functions->accumulate(query, count, P, layer->output.weight + head * P, channels, E, acc);
}

/* The output rows of finished accumulators. */
static inline void ts_depth_first_finish(const ts_depth_first_call *call, ts_range rows,
                                         const int32_t *acc) {
    const ts_depth_first *layer = call->layer;
    const uint32_t E = layer->shape.E, count = rows.end - rows.begin;
    int8_t *result = layer->result + rows.begin * E;
    for (uint32_t i = 0; i < count * E; i += E)
        for (uint32_t e = 0; e < E; e++)
            result[i + e] = ts_requantize(&layer->output.requant, e, acc[i + e]);
}

static inline ts_range ts_depth_first_rows(const ts_depth_first_call *call, uint32_t tile) {
    const uint32_t begin = tile * call->plan.tile;
    return (ts_range){begin, ts_min(begin + call->plan.tile, call->layer->shape.S)};
}

/* TS_ORDER_CONTEXT: a unit of work is one head's tile. */
static inline void ts_depth_first_keep_context(const ts_team *team,
                                               const ts_depth_first_call *call) {
    const ts_depth_first *layer = call->layer;
    const ts_shape *shape = &layer->shape;
    const uint32_t tiles = ts_ceil_div(shape->S, call->plan.tile);
    for (uint32_t h = 0; h < shape->H; h += call->plan.heads) {
        const uint32_t heads = ts_min(call->plan.heads, shape->H - h);
        ts_depth_first_project(team, call, h, heads);
        ts_team_barrier(team);
        const ts_range share = ts_team_share(team, heads * tiles);
        for (uint32_t unit = share.begin; unit < share.end; unit++) {
            const uint32_t in_group = unit / tiles;
            const ts_range rows = ts_depth_first_rows(call, unit - in_group * tiles);
            ts_depth_first_tile(team, call, h + in_group, in_group, rows, NULL);
        }
        ts_team_barrier(team);
    }
    const ts_matmul output = {
        .heads = 1,
        .rows = shape->S,
        .columns = shape->E,
        .depth = shape->H * shape->P,
        .left = call->scratch + call->plan.context,
        .right = layer->output.weight,
        .bias = layer->output.bias,
        .requant = layer->output.requant,
        .output = layer->result,
        .output_row = shape->E,
        .output_column = 1,
    };
    ts_matmul_run(team, &output, call->functions->tile);
}

/* TS_ORDER_ACCUMULATE: a core keeps its tiles of rows through all heads. */
static inline void ts_depth_first_accumulate(const ts_team *team, const ts_depth_first_call *call) {
    const ts_shape *shape = &call->layer->shape;
    const ts_range share = ts_team_share(team, ts_ceil_div(shape->S, call->plan.tile));
    for (uint32_t h = 0; h < shape->H; h += call->plan.heads) {
        const uint32_t heads = ts_min(call->plan.heads, shape->H - h);
        if (h > 0)
            ts_team_barrier(team);
        ts_depth_first_project(team, call, h, heads);
        ts_team_barrier(team);
        for (uint32_t unit = share.begin; unit < share.end; unit++) {
            const ts_range rows = ts_depth_first_rows(call, unit);
            int32_t *acc = (int32_t *)(void *)call->scratch + rows.begin * shape->E;
            for (uint32_t i = 0; i < heads; i++)
                ts_depth_first_tile(team, call, h + i, i, rows, acc);
            if (h + heads == shape->H)
                ts_depth_first_finish(call, rows, acc);
        }
    }
}

/* TS_ORDER_RECOMPUTE: the team goes through the rows once, a tile for each core at a time. */
static inline void ts_depth_first_recompute(const ts_team *team, const ts_depth_first_call *call) {
    const ts_shape *shape = &call->layer->shape;
    const uint32_t tiles = ts_ceil_div(shape->S, call->plan.tile);
    int32_t *acc = (int32_t *)(void *)call->scratch + team->core * call->plan.tile * shape->E;
    for (uint32_t first = 0; first < tiles; first += team->cores) {
        const uint32_t unit = first + team->core;
        const ts_range rows = ts_depth_first_rows(call, ts_min(unit, tiles - 1));
        for (uint32_t h = 0; h < shape->H; h += call->plan.heads) {
            const uint32_t heads = ts_min(call->plan.heads, shape->H - h);
            if (first + h > 0)
                ts_team_barrier(team);
            ts_depth_first_project(team, call, h, heads);
            ts_team_barrier(team);
            for (uint32_t i = 0; i < heads && unit < tiles; i++)
                ts_depth_first_tile(team, call, h + i, i, rows, acc);
        }
        if (unit < tiles)
            ts_depth_first_finish(call, rows, acc);
    }
}

static inline void ts_depth_first_run(const ts_team *team, const ts_depth_first *layer,
                                      void *scratch, const ts_depth_first_functions *functions) {
    const ts_depth_first_call call = {
        .layer = layer,
        .functions = functions,
        .plan = ts_depth_first_lay_out(&layer->shape, layer->width, layer->key.weight != NULL,
                                       team->cores),
        .scratch = scratch,
    };
    if (call.plan.order == TS_ORDER_CONTEXT)
        ts_depth_first_keep_context(team, &call);
    else if (call.plan.order == TS_ORDER_ACCUMULATE)
        ts_depth_first_accumulate(team, &call);
    else
        ts_depth_first_recompute(team, &call);
}

#endif
