// SPDX-License-Identifier: Apache-2.0
/* Depth-first attention on the Cortex-M7: the map exists for two rows at a time, queries and
 * contexts for a tile of rows, and the output projection adds up head by head, so that the context
 * of all heads never exists. See ts_m7_attention.h for panels and ts_types.h for schedules.
 *
 *   accumulate  heads outermost: keys and values of one head, sums of the whole output. Two rows of
 *               queries a tile cost hardly more cycles than many, so that is the variant's choice.
 *   recompute   tiles outermost: sums of one tile's rows. Values are computed anew for every tile,
 *               and so are keys, four at a time: scores of the whole tile take their place. */
#ifndef TS_M7_DEPTH_FIRST_H
#define TS_M7_DEPTH_FIRST_H

#include "ts_m7_attention.h"

typedef struct {
    uint32_t recompute; /* else accumulate */
    uint32_t tile;      /* pairs of rows */
    uint32_t slot;      /* bytes of a pair's queries, and then its contexts */
    int32_t *sums;      /* [pairs][align4(E)/4][4][2] */
    int16_t *key, *value;
    ts_m7_room room;
    int32_t *context_muls;
    uint16_t *map;
    int8_t *score_tiles;
    int16_t *queries;
    int16_t *x; /* 2-panels of the input: in the place of the map and what follows */
    uint32_t bytes;
} ts_m7_tiling;

static inline uint32_t ts_m7_max(uint32_t a, uint32_t b) { return a > b ? a : b; }

static inline void *ts_m7_place_bytes(uint8_t *base, uint32_t *used, uint32_t bytes) {
    void *place = base + *used;
    *used += bytes;
    return place;
}

/* `fused`: the input serves as keys. */
static inline ts_m7_tiling ts_m7_tile(const ts_shape *shape, uint32_t width, int fused,
                                      void *scratch) {
    const uint32_t pairs = ts_ceil_div(shape->S, 2), quads = ts_ceil_div(shape->S, 4);
    const uint32_t W = ts_m7_align4(width), P = ts_m7_align4(shape->P);
    const uint32_t E = ts_m7_align4(shape->E), widest = ts_m7_max(W, P);
    const uint32_t x = 8 * ts_m7_pairs(shape->E), scores = 8 * quads;
    const ts_schedule *schedule = &shape->schedule;
    ts_m7_tiling t = {.recompute = schedule->order == TS_ORDER_RECOMPUTE};
    const uint32_t rows = schedule->tile ? schedule->tile : t.recompute ? 16 : 2;
    t.tile = ts_min(pairs, ts_ceil_div(rows, 2));
    t.slot = ts_m7_max(4 * W, 4 * P + (shape->P % 2 ? 8 : 0));
    uint32_t used = 0;
    t.sums = ts_m7_place_bytes(scratch, &used, 8 * E * (t.recompute ? t.tile : pairs));
    t.key = ts_m7_place_bytes(scratch, &used, 8 * W * (t.recompute ? 1 : quads));
    t.value = ts_m7_place_bytes(scratch, &used, 4 * pairs * P);
    t.room.bias = ts_m7_place_bytes(scratch, &used, W != width || P != shape->P ? 4 * widest : 0);
    t.room.muls = ts_m7_place_bytes(scratch, &used, 4 * ts_m7_max(widest, E));
    t.context_muls = ts_m7_place_bytes(scratch, &used, 4 * P);
    const uint32_t map = ts_m7_max(16 * quads, t.recompute && !fused ? 2 * x : x);
    t.map = ts_m7_place_bytes(scratch, &used, map);
    t.score_tiles = ts_m7_place_bytes(scratch, &used, scores * (t.recompute ? t.tile : 1) + 8);
    t.queries = ts_m7_place_bytes(scratch, &used, t.slot * t.tile);
    t.x = (int16_t *)t.map;
    t.bytes = used;
    return t;
}

/* `pairs` 2-panels of the input from pair `first` on. */
static inline void ts_m7_input(const ts_m7_layer *layer, uint32_t first, uint32_t pairs,
                               int16_t *x) {
    const ts_shape *shape = &layer->shape;
    for (uint32_t i = 0; i < pairs; i++)
        ts_m7_expand_2(layer->input, shape->S, shape->E, 2 * (first + i),
                       x + i * 4 * ts_m7_pairs(shape->E));
}

/* Keys, unless they are computed four at a time, and values of a head. */
static inline void ts_m7_keys_and_values(const ts_m7_layer *layer, const ts_m7_tiling *t,
                                         uint32_t h) {
    const uint32_t pairs = ts_ceil_div(layer->shape.S, 2);
    const uint32_t room =
        (uint32_t)((uint8_t *)(t->queries + t->tile * t->slot / 2) - (uint8_t *)t->x);
    /* An even number, so that every round starts with whole 4-panels of keys, or one pair. */
    const uint32_t fit = room / (8 * ts_m7_pairs(layer->shape.E));
    const uint32_t round = fit > 1 ? fit & ~1u : 1;
    const uint32_t panel = 4 * ts_m7_align4(layer->width);
    ts_m7_head_projection projection;
    for (uint32_t i = 0; i < pairs; i += round) {
        const uint32_t count = ts_min(round, pairs - i);
        ts_m7_input(layer, i, count, t->x);
        if (!t->recompute && layer->key.weight) {
            ts_m7_set_keys(&projection, layer);
            ts_m7_keys_of(&projection, layer, h, &t->room);
            ts_m7_project(&projection, t->x, count, t->key + i / 2 * panel + i % 2 * 4);
        }
        ts_m7_set_values(&projection, layer);
        ts_m7_values_of(&projection, layer, h, &t->room);
        ts_m7_project(&projection, t->x, count, t->value + 8 * i);
    }
}

/* What a tile of one head goes through; set once a head. */
typedef struct {
    ts_m7_head head;
    ts_m7_head_projection queries;
    ts_m7_call scores, context, output;
    uint32_t h;
} ts_m7_tile_head;

static inline void ts_m7_set_tile_head(const ts_m7_layer *layer, const ts_m7_tiling *t, uint32_t h,
                                       ts_m7_tile_head *to) {
    const uint32_t P = layer->shape.P, E = ts_m7_align4(layer->shape.E);
    to->h = h;
    to->head.context = ts_m7_scale_of(ts_requant_from(layer->context, h * P), P, t->context_muls);
    to->head.odd = h * P % 2;
    ts_m7_set_queries(&to->queries, layer);
    ts_m7_queries_of(&to->queries, layer, h, &t->room);
    to->scores = ts_m7_scores_call(layer, &to->head);
    to->context = ts_m7_context_call(layer, &to->head);
    /* the head's part of the output projection */
    const uint32_t all = ts_m7_pairs(layer->shape.H * P);
    const uint32_t first = h * P / 2, end = ts_m7_pairs((h + 1) * P);
    const int16_t *a = layer->output.weight + 8 * first - 8;
    to->output = (ts_m7_call){
        .b = t->queries,
        .a = a,
        .a_last = a + 2 * (E - 4) * all + 8 * (end - first),
        .step = 16 * (all - (end - first)),
        .b_step = t->slot,
        .outer_step = 32,
        .other_step = 32,
        .pairs = end - first,
    };
}

/* Contexts in the place of the queries, pair by pair. */
static inline void ts_m7_attend_by_rows(const ts_m7_tiling *t, ts_m7_tile_head *tile,
                                        uint32_t pairs) {
    for (uint32_t i = 0; i < pairs; i++) {
        tile->scores.b = t->queries + i * (t->slot / 2);
        tile->context.output = t->queries + i * (t->slot / 2);
        ts_m7_attend(&tile->head, &tile->scores, &tile->context);
    }
}

/* Four keys from `row` on. */
static inline void ts_m7_four_keys(const ts_m7_layer *layer, const ts_m7_tiling *t, uint32_t row,
                                   ts_m7_head_projection *keys) {
    const ts_shape *shape = &layer->shape;
    if (layer->key.weight) {
        const uint32_t pairs = row + 2 < shape->S ? 2 : 1;
        ts_m7_input(layer, row / 2, pairs, t->x);
        ts_m7_project(keys, t->x, pairs, t->key);
    } else {
        ts_m7_expand_4(layer->input, shape->S, shape->E, row, t->key);
    }
}

/* The same with keys computed four at a time: scores of all rows first. */
static inline void ts_m7_attend_by_keys(const ts_m7_layer *layer, const ts_m7_tiling *t,
                                        ts_m7_tile_head *tile, uint32_t pairs) {
    const ts_m7_head *head = &tile->head;
    const uint32_t quads = head->softmax.quads;
    ts_m7_head_projection keys;
    if (layer->key.weight) {
        ts_m7_set_keys(&keys, layer);
        ts_m7_keys_of(&keys, layer, tile->h, &t->room);
    }
    ts_m7_call scores = tile->scores;
    scores.a_last = scores.a + 4 * ts_m7_align4(layer->width);
    scores.outer = pairs;
    scores.b_step = t->slot;
    scores.outer_step = scores.other_step = 8 * quads;
    for (uint32_t i = 0; i < quads; i++) {
        ts_m7_four_keys(layer, t, 4 * i, &keys);
        ts_m7_strips_of(&ts_m7_to_bytes, &scores, &head->scores);
        scores.output = (int8_t *)scores.output + 8;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        ts_m7_softmax_rows(&head->softmax, head->score_tiles + 8 * quads * i, head->map);
        tile->context.output = t->queries + i * (t->slot / 2);
        ts_m7_strips_of(ts_m7_context_kind(head), &tile->context, &head->context);
    }
}

/* One head's part of a tile of `pairs` pairs of rows from pair `first` on. */
static inline void ts_m7_run_tile(const ts_m7_layer *layer, const ts_m7_tiling *t,
                                  ts_m7_tile_head *tile, uint32_t first, uint32_t pairs,
                                  int32_t *sums) {
    if (t->recompute) /* the keys of the tile before took the multipliers' place */
        ts_m7_queries_of(&tile->queries, layer, tile->h, &t->room);
    for (uint32_t i = 0; i < pairs; i++) {
        ts_m7_input(layer, first + i, 1, t->x);
        ts_m7_project(&tile->queries, t->x, 1, t->queries + i * (t->slot / 2));
    }
    if (t->recompute)
        ts_m7_attend_by_keys(layer, t, tile, pairs);
    else
        ts_m7_attend_by_rows(t, tile, pairs);
    if (tile->head.odd)
        for (uint32_t i = 0; i < pairs; i++) {
            /* the channel before the head's first */
            t->queries[i * (t->slot / 2)] = 0;
            t->queries[i * (t->slot / 2) + 2] = 0;
        }
    tile->output.outer = pairs;
    tile->output.output = sums;
    ts_m7_sums(&tile->output);
}

static inline void ts_m7_start_sums(const ts_m7_layer *layer, uint32_t pairs, int32_t *sums) {
    const uint32_t E = layer->shape.E, row = 2 * ts_m7_align4(E);
    for (uint32_t e = 0; e < row / 2; e++)
        sums[2 * e] = sums[2 * e + 1] = e < E ? layer->output.bias[e] : 0;
    for (uint32_t i = row; i < pairs * row; i++)
        sums[i] = sums[i - row];
}

/* Requantises the sums of `rows` rows. */
static inline void ts_m7_finish(const ts_m7_layer *layer, const ts_m7_tiling *t, uint32_t rows,
                                const int32_t *sums, int8_t *output) {
    const uint32_t E = layer->shape.E;
    const ts_m7_scale scale = ts_m7_scale_of(layer->output.requant, E, t->room.muls);
    const int32_t all = (int32_t)scale.mul;
    const int32_t *mul = scale.code & 2u ? t->room.muls : &all;
    const uint32_t mul_step = scale.code & 2u ? 1 : 0;
    const int64_t half = scale.code & 1u ? 0x80000000ll : 0;
    for (uint32_t row = 0; row < rows; row++) {
        const int32_t *from = sums + row / 2 * 2 * ts_m7_align4(E) + row % 2;
        for (uint32_t e = 0; e < E; e++) {
            const int32_t sum = from[2 * e];
            output[row * E + e] =
                scale.steep ? ts_requantize(&scale.requant, e, sum)
                            : ts_clip_int8(((int64_t)sum * mul[e * mul_step] + half) >> 32);
        }
    }
}

/* One core. */
static inline void ts_m7_depth_first(const ts_m7_layer *layer, void *scratch) {
    const ts_shape *shape = &layer->shape;
    const ts_m7_tiling t = ts_m7_tile(shape, layer->width, !layer->key.weight, scratch);
    const uint32_t pairs = ts_ceil_div(shape->S, 2), row_sums = 2 * ts_m7_align4(shape->E);
    ts_m7_tile_head tile;
    tile.head = (ts_m7_head){
        .query = t.queries,
        .key = t.key,
        .value = t.value,
        .scores = ts_m7_scale_all(layer->scores, 1),
        .softmax = ts_m7_softmax_of(&layer->table, shape->S),
        .score_tiles = t.score_tiles,
        .map = t.map,
        .context_to = t.queries,
    };
    if (!t.recompute && !layer->key.weight)
        for (uint32_t row = 0; row < shape->S; row += 4)
            ts_m7_expand_4(layer->input, shape->S, shape->E, row,
                           t.key + row * ts_m7_align4(shape->E));
    /* A stretch of rows has its sums to itself, takes every head and is cut into tiles. */
    const uint32_t stretch = t.recompute ? t.tile : pairs;
    for (uint32_t first = 0; first < pairs; first += stretch) {
        const uint32_t end = ts_min(pairs, first + stretch);
        ts_m7_start_sums(layer, end - first, t.sums);
        for (uint32_t h = 0; h < shape->H; h++) {
            ts_m7_keys_and_values(layer, &t, h);
            ts_m7_set_tile_head(layer, &t, h, &tile);
            for (uint32_t i = first; i < end; i += t.tile)
                ts_m7_run_tile(layer, &t, &tile, i, ts_min(t.tile, end - i),
                               t.sums + (i - first) * row_sums);
        }
        ts_m7_finish(layer, &t, ts_min(shape->S, 2 * end) - 2 * first, t.sums,
                     layer->result + 2 * first * shape->E);
    }
}

#endif
