/* SPDX-License-Identifier: Apache-2.0 */
/* A whole attention layer for XpulpV2, all heads at once, plain or with fused query and key
 * weights.
 *
 * 1. Queries, keys and values of all heads; with fused weights the input serves as the keys of all
 *    heads. Barrier.
 * 2. Scores, softmax and context of a few rows of a head at a time; a core's rows are its own, so
 *    their context takes the queries' place where it is as large. Barrier.
 * 3. Output projection.
 * Each stage writes the layout that the next one reads: queries and context are rows, keys and
 * values panels. What the operands' exact sizes do not suit (E % 4, S % 4 of 2 or 3, P % 4) goes
 * through copies with padding. */
#ifndef TS_XPULP_LAYER_H
#define TS_XPULP_LAYER_H

#include "../mhsa/mhsa.h"
#include "ts_xpulp_prepare.h"
#include "ts_xpulp_share.h"
#include "ts_xpulp_softmax.h"

/* Whoever includes this says with TS_XP_FUSED, 0 or 1, whether the query and key weights are fused:
 * each variant has the code of one kind alone. */

/* Rows of a head that a core takes through scores, softmax and context at once. */
#define TS_XP_CHUNK 12u

/* Narrow heads spend so little time on a chunk that fetching code counts: theirs are twice as long
 * where that takes little memory. */
static inline uint32_t ts_xp_chunk_of(const ts_shape *shape) {
    return shape->P < 4 && shape->S <= 128 ? 2 * TS_XP_CHUNK : TS_XP_CHUNK;
}

/* What the stages share: sizes with padding, and where things lie. */
typedef struct {
    const ts_team *team;
    /* Fused: q_weight [H, E, E] and what belongs to it are the fused ones, those of k unused. */
    const ts_mhsa_args *args;
    uint32_t S, P, width; /* width: of a head's queries, P or E */
    uint32_t query_row, context_row, key_head, parts;
    int8_t *queries, *keys, *values, *context;
    int8_t *map, *mix; /* this core's */
    uint32_t *buffer;  /* this core's */
    int8_t *copy, *spread;
    ts_xp_input input;
} ts_xp_layer;

/* Lays the scratch memory out; returns its end. */
TS_XP_STAGE int8_t *ts_xp_lay_out(ts_xp_layer *layer, const ts_shape *shape, const ts_team *team,
                                  int8_t *output, int8_t *at) {
    const uint32_t S = ts_xp_align4(shape->S), P = ts_xp_align4(shape->P);
    const uint32_t E = ts_xp_align4(shape->E), width = TS_XP_FUSED ? E : P, HP = shape->H * P;
    const uint32_t rows = ts_xp_whole_tiles(shape->S), chunk = ts_min(ts_xp_chunk_of(shape), S);
    layer->S = S;
    layer->P = P;
    layer->width = width;
    layer->key_head = TS_XP_FUSED ? 0 : S * P;
    layer->query_row = shape->H * width;
    layer->context_row = ts_xp_align4(shape->H * shape->P);
    layer->keys = at;
    at += S * (TS_XP_FUSED ? E : HP);
    layer->values = at;
    at += S * HP;
    layer->queries = layer->context = at;
    at += rows * layer->query_row;
    layer->map = at + team->core * chunk * S;
    at += team->cores * chunk * S;
    /* The output is written last: until then it serves as memory where it is large enough. */
    const int in_output = team->cores * 2 * S <= shape->S * shape->E;
    layer->buffer = (uint32_t *)((in_output ? output : at) + team->core * 2 * S);
    at += in_output ? 0 : team->cores * 2 * S;
    layer->copy = at;
    if (ts_xp_copies(shape->S, shape->E))
        at += rows * E;
    if (shape->P & 3 || width != P) {
        layer->context = at;
        at += rows * layer->context_row;
    }
    layer->spread = at;
    if (shape->P & 3 || (TS_XP_FUSED && shape->E & 3))
        at += TS_XP_SPREAD_BYTES * (layer->query_row + 3 * HP);
    layer->mix = at + team->core * chunk * P;
    if (shape->P & 3)
        at += team->cores * chunk * P;
    return at;
}

/* Biases and factors with a place for each column, see ts_xp_spread: query, key, value, context. */
static inline int8_t *ts_xp_spread_place(const ts_xp_layer *layer, uint32_t number) {
    const uint32_t HP = layer->args->shape.H * layer->P;
    return layer->spread + TS_XP_SPREAD_BYTES * (number ? layer->query_row + (number - 1) * HP : 0);
}

TS_XP_SELDOM void ts_xp_use_spread(const ts_xp_layer *layer, ts_xp_call *call, uint32_t number,
                                   uint32_t block) {
    const int8_t *place = ts_xp_spread_place(layer, number);
    const uint32_t columns = number ? layer->args->shape.H * layer->P : layer->query_row;
    call->bias = (const int32_t *)place + 4 * block;
    if (call->factors_step)
        call->factors = (const uint16_t *)(place + 4 * columns) + 4 * block;
}

/* What narrow heads are made of; never a single row. */
TS_XP_SELDOM void ts_xp_run_narrow(ts_xp_call *call, ts_xp_narrow_fn *run, const int8_t *left,
                                   int8_t *output, uint32_t rows) {
    call->left = left;
    call->output = output;
    call->tiles = (rows + 3) / 4;
    run(call);
}

/* Whether they are worth their code. */
static inline int ts_xp_narrow_pays(const ts_shape *shape, uint32_t rows) {
    return (shape->S & 3) != 1 && rows > 8;
}

/* Queries, keys and values of some rows of a head of 2 channels. */
TS_XP_SELDOM void ts_xp_project_narrow(ts_xp_call *calls, uint32_t first, uint32_t rows) {
    for (uint32_t i = 0; i < 3; i++) {
        ts_xp_call *call = calls + i;
        if (call->path == TS_XP_FAST)
            ts_xp_run_narrow(call, i == 2 ? ts_xp_narrow_columns : ts_xp_narrow_rows,
                             call->left + first * call->left_row,
                             call->output + first / 4 * call->output_tile, rows);
        else
            ts_xp_run(call, 1, first, rows);
    }
}

/* Queries, keys and values of some rows of a head. `group`: head and part of its columns. */
TS_XP_STAGE void ts_xp_project(void *context, uint32_t group, uint32_t first, uint32_t rows) {
    const ts_xp_layer *layer = context;
    const ts_mhsa_args *args = layer->args;
    const ts_xp_input *input = &layer->input;
    const uint32_t S = layer->S, P = layer->P, parts = layer->parts;
    uint32_t head = group, part = 0;
    if (parts > 1) {
        head = group / parts;
        part = group - head * parts;
    }
    const uint32_t begin = part * P / 4 / parts, blocks = (part + 1) * P / 4 / parts - begin;
    const uint32_t block = head * P / 4 + begin;
    ts_xp_call calls[3 - TS_XP_FUSED], *call = calls;
    uint32_t query_block = block, query_blocks = blocks;
    if (TS_XP_FUSED) {
        const uint32_t query_begin = part * layer->width / 4 / parts;
        query_block = head * layer->width / 4 + query_begin;
        query_blocks = (part + 1) * layer->width / 4 / parts - query_begin;
    }
    ts_xp_input queries = *input;
    if (TS_XP_FUSED)
        queries.columns = args->shape.H * args->shape.E;
    ts_xp_set_linear(call, &queries, args->q_weight, args->q_bias, &args->q, query_block);
    ts_xp_set_output(call, layer->queries + 4 * query_block, layer->query_row, query_blocks);
    if (layer->width != (TS_XP_FUSED ? args->shape.E : args->shape.P))
        ts_xp_use_spread(layer, call, 0, query_block);
    call++;
    if (!TS_XP_FUSED) {
        ts_xp_set_linear(call, input, args->k_weight, args->k_bias, &args->k, block);
        ts_xp_set_output(call, layer->keys + head * S * P + 16 * begin, 4, blocks);
        call->output_block = 16;
        call->output_tile = 4 * P;
        if (args->shape.P & 3)
            ts_xp_use_spread(layer, call, 1, block);
        call++;
    }
    ts_xp_set_linear(call, input, args->v_weight, args->v_bias, &args->v, block);
    ts_xp_set_output(call, layer->values + 4 * block * S, 4, blocks);
    call->output_block = 4 * S;
    call->select = TS_XP_COLUMNS;
    if (args->shape.P & 3)
        ts_xp_use_spread(layer, call, 2, block);
    if (!TS_XP_FUSED && args->shape.P == 2 && ts_xp_narrow_pays(&args->shape, rows)) {
        ts_xp_project_narrow(calls, first, rows);
        return;
    }
    const uint32_t skipped = query_blocks == 0; /* a part of narrow queries */
    ts_xp_run(calls + skipped, (uint32_t)(call - calls) + 1 - skipped, first, rows);
}

/* P channels of each row, each row align4(P) bytes, to their place in the context. */
TS_XP_SELDOM void ts_xp_close_up(const ts_xp_layer *layer, uint32_t head, uint32_t row,
                                 uint32_t rows) {
    const uint32_t P = layer->args->shape.P;
    const int8_t *from = layer->mix;
    int8_t *to = layer->context + row * layer->context_row + head * P;
    for (; rows; rows--, from += layer->P, to += layer->context_row)
        for (uint32_t i = 0; i < P; i++)
            to[i] = from[i];
}

/* The first rows of those left, no more than a chunk, and no single row left behind. */
static inline uint32_t ts_xp_chunk(uint32_t most, uint32_t rows) {
    return rows <= most ? rows : rows == most + 1 ? most - 4 : most;
}

/* The last key's scores, alone in its panel: no whole block for it. */
TS_XP_SELDOM void ts_xp_last_scores(ts_xp_call *scores, uint32_t keys, uint32_t rows) {
    const int8_t *right = scores->right;
    scores->right += (keys - 1) * 4 * scores->steps;
    scores->output += keys - 1;
    scores->blocks = 1;
    scores->tiles = rows / 4;
    if (rows > 1)
        ts_xp_fast4x1(scores, 1);
    if (rows & 3) {
        scores->left += rows / 4 * 4 * scores->left_row;
        scores->output += rows / 4 * scores->output_tile;
        scores->tiles = 1;
        ts_xp_fast1x1(scores, 1);
    }
    scores->right = right;
}

/* The scores of some rows; where keys % 4 is 1, rows % 4 is 0 or 1. */
TS_XP_STAGE void ts_xp_scores(ts_xp_call *scores, const int8_t *left, int8_t *map, uint32_t keys,
                              uint32_t rows) {
    const uint32_t narrow = (keys & 3) == 1 && keys > 1 && scores->path == TS_XP_FAST;
    scores->left = left;
    scores->output = map;
    scores->blocks = (keys + 3) / 4 - narrow;
    ts_xp_run(scores, 1, 0, rows);
    if (narrow) {
        scores->left = left;
        scores->output = map;
        ts_xp_last_scores(scores, keys, rows);
    }
}

/* Scores, softmax and context of some rows of a head. */
TS_XP_STAGE void ts_xp_attend(void *context, uint32_t head, uint32_t first, uint32_t rows) {
    const ts_xp_layer *layer = context;
    const ts_mhsa_args *args = layer->args;
    const uint32_t S = layer->S, P = layer->P, width = layer->width, row = layer->query_row;
    const uint32_t split = args->shape.P & 3, block = head * P / 4;
    const int8_t *queries = layer->queries + first * row + head * width;
    int8_t *output = split ? layer->mix : layer->context + first * layer->context_row + head * P;
    ts_xp_call scores, mix;
    const uint32_t pays = (uint32_t)ts_xp_narrow_pays(&args->shape, rows);
    ts_xp_set_product(&scores, TS_XP_ZERO, queries, row, layer->keys + head * layer->key_head,
                      width);
    ts_xp_set_output(&scores, layer->map, S, S / 4);
    ts_xp_set_scale(&scores, &args->scores, 0, width * 128 * 128, 0);
    ts_xp_set_product(&mix, TS_XP_UNSIGNED, layer->map, S, layer->values + head * S * P, S);
    ts_xp_set_output(&mix, output, split ? P : layer->context_row, P / 4);
    ts_xp_set_scale(&mix, &args->context, layer->input.columns, 255 * 128, block);
    if (split)
        ts_xp_use_spread(layer, &mix, 3, block);
    const uint32_t one_step = pays && width == 4 && scores.path == TS_XP_FAST;
    const uint32_t narrow = pays && args->shape.P == 2 && mix.path == TS_XP_FAST;
    if (narrow) {
        output = layer->context + first * layer->context_row + 2 * head;
        mix.output_row = layer->context_row;
        mix.output_tile = 4 * layer->context_row;
    }
    while (rows) {
        const uint32_t chunk = ts_xp_chunk(ts_xp_chunk_of(&args->shape), rows);
        if (one_step)
            ts_xp_run_narrow(&scores, ts_xp_narrow_scores, queries, layer->map, chunk);
        else
            ts_xp_scores(&scores, queries, layer->map, args->shape.S, chunk);
        ts_xp_softmax_map(layer->map, args->shape.S, chunk, &args->table, layer->buffer);
        if (narrow) {
            ts_xp_run_narrow(&mix, ts_xp_narrow_context, layer->map, output, chunk);
        } else {
            mix.left = layer->map;
            mix.output = output;
            ts_xp_run_rows(&mix, 1, chunk);
        }
        if (split && !narrow)
            ts_xp_close_up(layer, head, first, chunk);
        else
            output += chunk * layer->context_row;
        first += chunk;
        rows -= chunk;
        queries += chunk * row;
    }
}

/* A block of columns of the output projection, to the result or a padded copy of it. */
TS_XP_STAGE void ts_xp_output(void *context, uint32_t block, uint32_t first, uint32_t rows) {
    const ts_xp_layer *layer = context;
    const ts_mhsa_args *args = layer->args;
    const ts_xp_input input = {layer->context, layer->context_row, args->shape.E};
    const int copies = ts_xp_copies(args->shape.S, args->shape.E);
    ts_xp_call call;
    ts_xp_set_linear(&call, &input, args->o_weight, args->o_bias, &args->o, block);
    ts_xp_set_output(&call, (copies ? layer->copy : args->output) + 4 * block, layer->input.depth,
                     1);
    ts_xp_run(&call, 1, first, rows);
}

/* Copies with padding, for shapes that need them. */
TS_XP_SELDOM void ts_xp_layer_copy(ts_xp_layer *layer) {
    const ts_mhsa_args *args = layer->args;
    const ts_shape *shape = &args->shape;
    const uint32_t H = shape->H, P = shape->P;
    const ts_team *team = layer->team;
    if (layer->query_row != H * (TS_XP_FUSED ? shape->E : P))
        ts_xp_spread(team, ts_xp_spread_place(layer, 0), args->q_bias + 4, &args->q, H,
                     TS_XP_FUSED ? shape->E : P);
    if (P & 3) {
        if (!TS_XP_FUSED)
            ts_xp_spread(team, ts_xp_spread_place(layer, 1), args->k_bias + 4, &args->k, H, P);
        ts_xp_spread(team, ts_xp_spread_place(layer, 2), args->v_bias + 4, &args->v, H, P);
        ts_xp_spread(team, ts_xp_spread_place(layer, 3), NULL, &args->context, H, P);
    }
    if (ts_xp_copies(shape->S, shape->E)) {
        layer->input.left = layer->copy;
        ts_xp_copy_in(team, layer->copy, args->input, shape->S, shape->E);
    }
    ts_team_barrier(team);
}

TS_XP_STAGE void ts_xp_layer_run(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    const ts_shape *shape = &args->shape;
    const int copies = ts_xp_copies(shape->S, shape->E);
    ts_xp_layer layer;
    layer.team = team;
    layer.args = args;
    layer.input.left = args->input;
    layer.input.depth = ts_xp_align4(shape->E);
    layer.input.columns = shape->H * shape->P;
    ts_xp_lay_out(&layer, shape, team, args->output, scratch);
    if (copies || shape->P & 3)
        ts_xp_layer_copy(&layer);
    if (TS_XP_FUSED)
        ts_xp_pack_keys(team, layer.keys, &layer.input, shape->S);
    layer.parts = ts_xp_parts(team, shape->H * ts_xp_tiles(shape->S, 0), layer.P / 4);
    ts_xp_for_pieces(team, shape->H * layer.parts, shape->S, 0, ts_xp_project, &layer);
    ts_team_barrier(team);
    ts_xp_for_pieces(team, shape->H, shape->S, 1, ts_xp_attend, &layer);
    ts_team_barrier(team);
    ts_xp_for_pieces(team, layer.input.depth / 4, shape->S, 1, ts_xp_output, &layer);
    if (copies) {
        ts_team_barrier(team);
        ts_xp_copy_out(team, args->output, layer.copy, shape->S, shape->E);
    }
}

#endif
