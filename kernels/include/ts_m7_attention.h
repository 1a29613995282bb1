// SPDX-License-Identifier: Apache-2.0
/* Attention on the Cortex-M7, one head at a time: projections, and two rows of queries at once
 * through scores, softmax and context, so that no map is ever stored. Panels: ts_m7_tiles.h.
 * Weights in layout panels4, softmax tables in reversed_bytes.
 *
 *   queries  2-panels along the width      [ceil(S/2)][align4(W)/2][2]    width W: P, or E if fused
 *   keys     4-panels along the width      [ceil(S/4)][align4(W)/2][4]
 *   values   4-panels along the sequence   [align4(P)/4][ceil(S/2)][4]
 *   map      2-panel along the keys        [2*ceil(S/4)][2]               two rows
 *   context  2-panels along the channels   [ceil(S/2)][ts_m7_context_pairs][2]
 *
 * Rows and keys beyond the last may hold anything; channels beyond a head's are 0, since padded
 * weights and biases are, until the next head's values take their place. */
#ifndef TS_M7_ATTENTION_H
#define TS_M7_ATTENTION_H

#include "ts_m7_product.h"
#include "ts_m7_softmax.h"

typedef struct {
    const int16_t *weight; /* 4-panels, of all heads */
    const int32_t *bias;
    ts_requant requant;
} ts_m7_projection;

typedef struct {
    ts_shape shape;
    uint32_t width;                     /* of queries and keys */
    const int8_t *input;                /* [S, E] */
    ts_m7_projection query, key, value; /* no key weight: the input itself serves as keys */
    ts_m7_projection output;
    ts_requant scores, context;
    ts_softmax_table table;
    int8_t *result; /* [S, E] */
} ts_m7_layer;

/* What one head of attention needs besides its projections' constants. */
typedef struct {
    const int16_t *query, *key, *value;
    ts_m7_scale scores, context;
    ts_m7_softmax softmax;
    int8_t *score_tiles; /* 8 * ceil(S/4) + 8 bytes */
    uint16_t *map;       /* 16 * ceil(S/4) bytes */
    int16_t *context_to; /* of the head's first channel pair */
    uint32_t context_step;
    uint32_t odd; /* the head's first channel is the second of its pair */
} ts_m7_head;

/* Pairs of a row of the context: the last head's strips end at a multiple of 4 from its start. */
static inline uint32_t ts_m7_context_pairs(const ts_shape *shape) {
    return ts_m7_pairs((shape->H - 1) * shape->P + ts_m7_align4(shape->P));
}

/* int16 values of one head's weights in a projection to `channels`. */
static inline uint32_t ts_m7_head_weight(uint32_t channels, uint32_t depth) {
    return ts_m7_align4(channels) * 2 * ts_m7_pairs(depth);
}

/* A projection of `rows` rows of 2-panels `x` to one head's `channels`, as the kind says; `call`
 * brings output and steps. `room`: 2 * align4(channels) words. */
static inline void ts_m7_project(const ts_m7_kind *kind, const ts_m7_projection *projection,
                                 uint32_t head, uint32_t channels, uint32_t depth, ts_m7_call *call,
                                 int32_t *room) {
    const uint32_t first = head * channels, padded = ts_m7_align4(channels);
    const int16_t *weight = projection->weight + head * ts_m7_head_weight(channels, depth);
    const ts_m7_scale scale =
        ts_m7_scale_of(ts_requant_from(projection->requant, first), channels, room + padded);
    call->pairs = ts_m7_pairs(depth);
    call->bias = ts_m7_bias_of(projection->bias + first, channels, room);
    call->a = weight - 8;
    call->a_last = weight - 8 + 2 * padded * call->pairs;
    ts_m7_strips_of(kind, call, &scale);
}

/* The queries of `pairs` pairs of rows. */
static inline void ts_m7_queries(const ts_m7_layer *layer, uint32_t head, const int16_t *x,
                                 uint32_t pairs, int16_t *query, int32_t *room) {
    ts_m7_call call = {
        .b = x,
        .output = query,
        .outer = pairs,
        .b_step = 8 * ts_m7_pairs(layer->shape.E),
        .outer_step = 16,
        .other_step = 16,
    };
    ts_m7_project(&ts_m7_to_2_panel, &layer->query, head, layer->width, layer->shape.E, &call,
                  room);
}

static inline void ts_m7_keys(const ts_m7_layer *layer, uint32_t head, const int16_t *x,
                              uint32_t pairs, int16_t *key, int32_t *room) {
    const uint32_t padded = ts_m7_align4(layer->width);
    const uint32_t back = 32 * (padded / 4 - 1);
    ts_m7_call call = {
        .b = x,
        .output = key,
        .outer = pairs,
        .b_step = 8 * ts_m7_pairs(layer->shape.E),
        .outer_step = 8 - back,
        .other_step = 8 * padded - 8 - back,
    };
    ts_m7_project(&ts_m7_to_4_panel, &layer->key, head, layer->width, layer->shape.E, &call, room);
}

/* `all`: pairs of the whole sequence; those computed start at `value`. */
static inline void ts_m7_values(const ts_m7_layer *layer, uint32_t head, const int16_t *x,
                                uint32_t pairs, uint32_t all, int16_t *value, int32_t *room) {
    const uint32_t P = layer->shape.P;
    ts_m7_call call = {
        .b = x,
        .output = value,
        .step = 16 * all,
        .outer = pairs,
        .b_step = 8 * ts_m7_pairs(layer->shape.E),
        .outer_step = 16 - 16 * all * (ts_m7_align4(P) / 4 - 1),
        .other_step = 16 - 16 * all * (ts_m7_align4(P) / 4 - 1),
    };
    ts_m7_project(&ts_m7_to_transposed, &layer->value, head, P, layer->shape.E, &call, room);
}

/* The contexts of `pairs` pairs of rows of queries. */
static inline void ts_m7_attend(const ts_m7_layer *layer, const ts_m7_head *head, uint32_t pairs) {
    const uint32_t quads = head->softmax.quads, width = ts_m7_align4(layer->width);
    const uint32_t key_pairs = ts_m7_pairs(layer->shape.S);
    const uint32_t value_panels = ts_m7_align4(layer->shape.P) / 4;
    ts_m7_call scores = {
        .b = head->query,
        .output = head->score_tiles,
        .a = head->key - 8,
        .a_last = head->key - 8 + quads * 4 * width,
        .outer = 1,
        .pairs = width / 2,
    };
    ts_m7_call context = {
        .b = (const int16_t *)head->map,
        .output = head->context_to,
        .a = head->value - 8,
        .a_last = head->value - 8 + value_panels * 8 * key_pairs,
        .outer = 1,
        .pairs = key_pairs,
    };
    const ts_m7_kind *kind = head->odd ? &ts_m7_context_odd : &ts_m7_context_even;
    for (uint32_t i = 0; i < pairs; i++) {
        ts_m7_strips_of(&ts_m7_to_bytes, &scores, &head->scores);
        ts_m7_softmax_rows(&head->softmax, head->score_tiles, head->map);
        ts_m7_strips_of(kind, &context, &head->context);
        scores.b += 2 * width;
        context.output = (int16_t *)context.output + head->context_step / 2;
    }
}

#endif
