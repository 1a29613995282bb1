/* SPDX-License-Identifier: Apache-2.0 */
/* A whole attention layer for XpulpV2 where each core has heads of its own: it takes one from the
 * queries to the context without waiting for the others. What ts_xpulp_layer.h does, with the same
 * result and in the same memory, for shapes whose heads, and whose output's blocks of columns,
 * share out evenly and whose operands need no copies. At short sequences most of the time that is
 * not products is spent on fetching code that runs once: there is little of it here. */
#ifndef TS_XPULP_HEADS_H
#define TS_XPULP_HEADS_H

#include "ts_xpulp_layer.h"

TS_XP_SELDOM uint32_t ts_xp_divided(uint32_t count, uint32_t cores) {
    return count % cores ? 0 : count / cores;
}

/* `count` shared out evenly, or 0. */
static TS_XP_INLINE uint32_t ts_xp_each(const ts_team *team, uint32_t count) {
    return count == team->cores ? 1 : ts_xp_divided(count, team->cores);
}

static inline int ts_xp_heads_suit(const ts_shape *shape) {
    return !((shape->E | shape->P) & 3) && (shape->S & 3) < 2;
}

/* Lays the scratch memory out as ts_xp_lay_out does. */
TS_XP_STAGE void ts_xp_heads_lay_out(ts_xp_layer *layer, int8_t *output, int8_t *at) {
    const ts_shape *shape = &layer->args->shape;
    const uint32_t S = ts_xp_align4(shape->S), HP = shape->H * shape->P;
    const uint32_t core = layer->team->core, cores = layer->team->cores;
    const uint32_t map = ts_min(TS_XP_CHUNK, S) * S;
    layer->S = S;
    layer->P = shape->P;
    layer->width = TS_XP_FUSED ? shape->E : shape->P;
    layer->key_head = TS_XP_FUSED ? 0 : S * shape->P;
    layer->query_row = TS_XP_FUSED ? shape->H * shape->E : HP;
    layer->context_row = HP;
    layer->keys = at;
    at += S * (TS_XP_FUSED ? shape->E : HP);
    layer->values = at;
    at += S * HP;
    layer->queries = layer->context = at;
    at += shape->S * layer->query_row;
    layer->map = at + core * map;
    at += cores * map;
    if (cores * 2 * S <= shape->S * shape->E) {
        layer->buffer = (uint32_t *)(output + core * 2 * S);
    } else {
        layer->buffer = (uint32_t *)(at + core * 2 * S);
        at += cores * 2 * S;
    }
    if (TS_XP_FUSED && layer->width != shape->P)
        layer->context = at;
}

/* Queries, keys and values of a head. */
TS_XP_STAGE void ts_xp_head_project(const ts_xp_layer *layer, uint32_t head) {
    const ts_mhsa_args *args = layer->args;
    const uint32_t P = layer->P, S = layer->S, width = layer->width, block = head * P / 4;
    ts_xp_call calls[3 - TS_XP_FUSED], *call = calls;
    ts_xp_input input = layer->input;
    ts_xp_set_linear(call + 1 - TS_XP_FUSED, &input, args->v_weight, args->v_bias, &args->v, block);
    ts_xp_set_output(call + 1 - TS_XP_FUSED, layer->values + 4 * block * S, 4, P / 4);
    call[1 - TS_XP_FUSED].output_block = 4 * S;
    call[1 - TS_XP_FUSED].select = TS_XP_COLUMNS;
    if (!TS_XP_FUSED) {
        ts_xp_set_linear(call, &input, args->k_weight, args->k_bias, &args->k, block);
        ts_xp_set_output(call, layer->keys + 4 * block * S, 4, P / 4);
        call->output_block = 16;
        call->output_tile = 4 * P;
    }
    call += 2 - TS_XP_FUSED;
    if (TS_XP_FUSED)
        input.columns = args->shape.H * width;
    ts_xp_set_linear(call, &input, args->q_weight, args->q_bias, &args->q, head * width / 4);
    ts_xp_set_output(call, layer->queries + head * width, layer->query_row, width / 4);
    ts_xp_run_rows(calls, 3 - TS_XP_FUSED, args->shape.S);
}

/* Scores, softmax and context of a head. */
TS_XP_STAGE void ts_xp_head_attend(const ts_xp_layer *layer, uint32_t head) {
    const ts_mhsa_args *args = layer->args;
    const uint32_t S = layer->S, P = layer->P, width = layer->width;
    const int8_t *queries = layer->queries + head * width;
    ts_xp_call scores, mix;
    ts_xp_set_product(&scores, TS_XP_ZERO, NULL, layer->query_row,
                      layer->keys + head * layer->key_head, width);
    ts_xp_set_output(&scores, NULL, S, S / 4);
    ts_xp_set_scale(&scores, &args->scores, 0, width * 128 * 128, 0);
    ts_xp_set_product(&mix, TS_XP_UNSIGNED, NULL, S, layer->values + head * S * P, S);
    ts_xp_set_output(&mix, layer->context + head * P, layer->context_row, P / 4);
    ts_xp_set_scale(&mix, &args->context, layer->input.columns, 255 * 128, head * P / 4);
    int8_t *output = mix.output;
    for (uint32_t rows = args->shape.S, chunk; rows; rows -= chunk) {
        chunk = ts_xp_chunk(TS_XP_CHUNK, rows);
        ts_xp_scores(&scores, queries, layer->map, args->shape.S, chunk);
        ts_xp_softmax_map(layer->map, args->shape.S, chunk, &args->table, layer->buffer);
        mix.left = layer->map;
        mix.output = output;
        ts_xp_run_rows(&mix, 1, chunk);
        output += chunk * layer->context_row;
        queries += chunk * layer->query_row;
    }
}

/* `blocks` blocks of columns of the output projection. */
TS_XP_STAGE void ts_xp_head_output(const ts_xp_layer *layer, uint32_t blocks) {
    const ts_mhsa_args *args = layer->args;
    const uint32_t block = layer->team->core * blocks;
    const ts_xp_input input = {layer->context, layer->context_row, args->shape.E};
    ts_xp_call call;
    ts_xp_set_linear(&call, &input, args->o_weight, args->o_bias, &args->o, block);
    ts_xp_set_output(&call, args->output + 4 * block, args->shape.E, blocks);
    ts_xp_run_rows(&call, 1, args->shape.S);
}

/* The layer, whatever its shape. */
TS_XP_STAGE void ts_xp_heads_run(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    const ts_shape *shape = &args->shape;
    const uint32_t heads = ts_xp_each(team, shape->H), blocks = ts_xp_each(team, shape->E / 4);
    if (!ts_xp_heads_suit(shape) || !heads || !blocks) {
        ts_xp_layer_run(team, args, scratch);
        return;
    }
    ts_xp_layer layer;
    layer.team = team;
    layer.args = args;
    layer.input.left = args->input;
    layer.input.depth = shape->E;
    layer.input.columns = shape->H * shape->P;
    ts_xp_heads_lay_out(&layer, args->output, scratch);
    if (TS_XP_FUSED) {
        ts_xp_pack_keys(team, layer.keys, &layer.input, shape->S);
        ts_team_barrier(team);
    }
    const uint32_t first = team->core * heads;
    for (uint32_t head = first; head < first + heads; head++) {
        ts_xp_head_project(&layer, head);
        ts_xp_head_attend(&layer, head);
    }
    ts_team_barrier(team);
    ts_xp_head_output(&layer, blocks);
}

#endif
