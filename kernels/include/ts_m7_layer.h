// SPDX-License-Identifier: Apache-2.0
/* An attention block on the Cortex-M7, head after head; see ts_m7_attention.h. Scratch holds the
 * input as panels, one head's queries, keys and values and the context of all heads. */
#ifndef TS_M7_LAYER_H
#define TS_M7_LAYER_H

#include "ts_m7_attention.h"

typedef struct {
    int16_t *x, *query, *key, *value, *context;
    uint16_t *map;
    int8_t *score_tiles;
    ts_m7_room room;
    int32_t *context_muls;
    uint32_t bytes;
} ts_m7_buffers;

static inline int16_t *ts_m7_take(uint8_t *base, uint32_t *used, uint32_t bytes) {
    int16_t *place = (int16_t *)(void *)(base + *used);
    *used += bytes;
    return place;
}

/* `width`: of queries and keys. */
static inline ts_m7_buffers ts_m7_place(const ts_shape *shape, uint32_t width, void *scratch) {
    const uint32_t pairs = ts_ceil_div(shape->S, 2), quads = ts_ceil_div(shape->S, 4);
    const uint32_t W = ts_m7_align4(width), P = ts_m7_align4(shape->P);
    const uint32_t E = ts_m7_align4(shape->E);
    uint8_t *base = scratch;
    uint32_t used = 0;
    ts_m7_buffers b;
    b.x = ts_m7_take(base, &used, 8 * pairs * ts_m7_pairs(shape->E));
    b.query = ts_m7_take(base, &used, 4 * pairs * W);
    b.key = ts_m7_take(base, &used, 8 * quads * W);
    b.value = ts_m7_take(base, &used, 4 * pairs * P);
    b.context = ts_m7_take(base, &used, 8 * pairs * ts_m7_context_pairs(shape));
    b.map = (uint16_t *)ts_m7_take(base, &used, 16 * quads);
    b.score_tiles = (int8_t *)ts_m7_take(base, &used, 8 * quads + 8);
    const uint32_t widest = W > P ? (W > E ? W : E) : (P > E ? P : E);
    b.room.bias = (int32_t *)(void *)ts_m7_take(base, &used, 4 * widest);
    b.room.muls = (int32_t *)(void *)ts_m7_take(base, &used, 4 * widest);
    b.context_muls = (int32_t *)(void *)ts_m7_take(base, &used, 4 * P);
    b.bytes = used;
    return b;
}

/* What is made ready once for all heads. */
typedef struct {
    ts_m7_head_projection query, key, value;
    ts_m7_head head;
    ts_m7_call scores, context;
} ts_m7_heads;

static inline void ts_m7_set_heads(ts_m7_heads *all, const ts_m7_layer *layer,
                                   const ts_m7_buffers *b) {
    ts_m7_set_queries(&all->query, layer);
    if (layer->key.weight)
        ts_m7_set_keys(&all->key, layer);
    ts_m7_set_values(&all->value, layer);
    all->head = (ts_m7_head){
        .query = b->query,
        .key = b->key,
        .value = b->value,
        .scores = ts_m7_scale_all(layer->scores, 1),
        .softmax = ts_m7_softmax_of(&layer->table, layer->shape.S),
        .score_tiles = b->score_tiles,
        .map = b->map,
        .context_to = b->context,
    };
    if (!layer->context.per_channel)
        all->head.context = ts_m7_scale_all(layer->context, layer->shape.P);
    all->scores = ts_m7_scores_call(layer, &all->head);
    all->context = ts_m7_context_call(layer, &all->head);
}

static inline void ts_m7_layer_head(const ts_m7_layer *layer, const ts_m7_buffers *b,
                                    ts_m7_heads *all, uint32_t h) {
    const uint32_t pairs = ts_ceil_div(layer->shape.S, 2), P = layer->shape.P;
    const uint32_t query_step = 2 * ts_m7_align4(layer->width);
    const uint32_t context_step = 4 * ts_m7_context_pairs(&layer->shape);
    ts_m7_queries_of(&all->query, layer, h, &b->room);
    ts_m7_project(&all->query, b->x, pairs, b->query);
    if (layer->key.weight) {
        ts_m7_keys_of(&all->key, layer, h, &b->room);
        ts_m7_project(&all->key, b->x, pairs, b->key);
    }
    ts_m7_values_of(&all->value, layer, h, &b->room);
    ts_m7_project(&all->value, b->x, pairs, b->value);
    if (layer->context.per_channel)
        all->head.context =
            ts_m7_scale_of(ts_requant_from(layer->context, h * P), P, b->context_muls);
    all->head.odd = h * P % 2;
    int16_t *to = b->context + 4 * (h * P / 2);
    all->scores.b = b->query;
    for (uint32_t i = 0; i < pairs; i++) {
        all->context.output = to;
        ts_m7_attend(&all->head, &all->scores, &all->context);
        all->scores.b += query_step;
        to += context_step;
    }
}

/* One core. */
static inline void ts_m7_layer_run(const ts_m7_layer *layer, void *scratch) {
    const ts_shape *shape = &layer->shape;
    const ts_m7_buffers b = ts_m7_place(shape, layer->width, scratch);
    ts_m7_expand_all(layer->input, shape->S, shape->E, b.x);
    if (!layer->key.weight) {
        const uint32_t step = 4 * ts_m7_align4(shape->E);
        for (uint32_t row = 0; row < shape->S; row += 4)
            ts_m7_expand_4(layer->input, shape->S, shape->E, row, b.key + row / 4 * step);
    }
    const uint32_t context_step = 8 * ts_m7_context_pairs(shape);
    ts_m7_heads all;
    ts_m7_set_heads(&all, layer, &b);
    for (uint32_t h = 0; h < shape->H; h++)
        ts_m7_layer_head(layer, &b, &all, h);
    const ts_m7_rows rows = {
        .a = layer->output.weight,
        .b = b.context,
        .bias = ts_m7_bias_of(layer->output.bias, shape->E, b.room.bias),
        .rows = shape->S,
        .channels = shape->E,
        .pairs = ts_m7_pairs(shape->H * shape->P),
        .b_step = context_step,
        .output = layer->result,
        .pitch = shape->E,
    };
    const ts_m7_scale scale = ts_m7_scale_of(layer->output.requant, shape->E, b.room.muls);
    ts_m7_rows_run(&rows, &scale);
}

#endif
