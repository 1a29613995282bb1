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

/* Room for what a projection's channels need, rounded up to a multiple of 4: biases if they are no
 * multiple of 4, multipliers if they have their own. */
typedef struct {
    int32_t *bias, *muls;
} ts_m7_room;

/* What one head of attention needs besides its projections' constants. */
typedef struct {
    const int16_t *query, *key, *value;
    ts_m7_scale scores, context;
    ts_m7_softmax softmax;
    int8_t *score_tiles; /* 8 * ceil(S/4) + 8 bytes */
    uint16_t *map;       /* 16 * ceil(S/4) bytes */
    int16_t *context_to; /* of the head's first channel pair */
    uint32_t odd;        /* the head's first channel is the second of its pair */
} ts_m7_head;

/* Pairs of a row of the context: the last head's strips end at a multiple of 4 from its start. */
static inline uint32_t ts_m7_context_pairs(const ts_shape *shape) {
    return ts_m7_pairs((shape->H - 1) * shape->P + ts_m7_align4(shape->P));
}

/* A projection of one head, to be called for whatever rows there are. */
typedef struct {
    const ts_m7_kind *kind;
    ts_m7_call call;
    ts_m7_scale scale;
} ts_m7_head_projection;

/* What all heads of a projection have in common, from inputs of `depth` to `channels` a head;
 * `call` brings output and steps. */
static inline void ts_m7_set_projection(ts_m7_head_projection *to,
                                        const ts_m7_projection *projection, uint32_t channels,
                                        uint32_t depth) {
    to->call.pairs = ts_m7_pairs(depth);
    to->call.b_step = 8 * to->call.pairs;
    if (!projection->requant.per_channel)
        to->scale = ts_m7_scale_all(projection->requant, channels);
}

/* One head's weights, biases and multipliers. */
static __attribute__((noinline, unused)) void ts_m7_to_head(ts_m7_head_projection *to,
                                                            const ts_m7_projection *projection,
                                                            uint32_t head, uint32_t channels,
                                                            const ts_m7_room *room) {
    const uint32_t first = head * channels;
    const uint32_t panels = 2 * ts_m7_align4(channels) * to->call.pairs; /* int16 values */
    to->call.a = projection->weight + head * panels - 8;
    to->call.a_last = to->call.a + panels;
    to->call.bias = ts_m7_bias_of(projection->bias + first, channels, room->bias);
    if (projection->requant.per_channel)
        to->scale =
            ts_m7_scale_of(ts_requant_from(projection->requant, first), channels, room->muls);
}

/* Projects `pairs` pairs of rows, the 2-panels x, to `output`. */
static inline void ts_m7_project(ts_m7_head_projection *projection, const int16_t *x,
                                 uint32_t pairs, int16_t *output) {
    projection->call.b = x;
    projection->call.output = output;
    projection->call.outer = pairs;
    ts_m7_strips_of(projection->kind, &projection->call, &projection->scale);
}

static inline void ts_m7_set_queries(ts_m7_head_projection *to, const ts_m7_layer *layer) {
    to->kind = &ts_m7_to_2_panel;
    to->call.outer_step = to->call.other_step = 16;
    ts_m7_set_projection(to, &layer->query, layer->width, layer->shape.E);
}

static inline void ts_m7_set_keys(ts_m7_head_projection *to, const ts_m7_layer *layer) {
    const uint32_t padded = ts_m7_align4(layer->width);
    const uint32_t back = 32 * (padded / 4 - 1);
    to->kind = &ts_m7_to_4_panel;
    to->call.outer_step = 8 - back;
    to->call.other_step = 8 * padded - 8 - back;
    ts_m7_set_projection(to, &layer->key, layer->width, layer->shape.E);
}

static inline void ts_m7_set_values(ts_m7_head_projection *to, const ts_m7_layer *layer) {
    const uint32_t panel = 16 * ts_m7_pairs(layer->shape.S);
    to->kind = &ts_m7_to_transposed;
    to->call.step = panel;
    to->call.outer_step = to->call.other_step = 16 - panel * (ts_m7_align4(layer->shape.P) / 4 - 1);
    ts_m7_set_projection(to, &layer->value, layer->shape.P, layer->shape.E);
}

static inline void ts_m7_queries_of(ts_m7_head_projection *to, const ts_m7_layer *layer,
                                    uint32_t head, const ts_m7_room *room) {
    ts_m7_to_head(to, &layer->query, head, layer->width, room);
}

static inline void ts_m7_keys_of(ts_m7_head_projection *to, const ts_m7_layer *layer, uint32_t head,
                                 const ts_m7_room *room) {
    ts_m7_to_head(to, &layer->key, head, layer->width, room);
}

static inline void ts_m7_values_of(ts_m7_head_projection *to, const ts_m7_layer *layer,
                                   uint32_t head, const ts_m7_room *room) {
    ts_m7_to_head(to, &layer->value, head, layer->shape.P, room);
}

/* Scores of a pair of rows against all keys. */
static inline ts_m7_call ts_m7_scores_call(const ts_m7_layer *layer, const ts_m7_head *head) {
    const uint32_t width = ts_m7_align4(layer->width);
    return (ts_m7_call){
        .b = head->query,
        .output = head->score_tiles,
        .a = head->key - 8,
        .a_last = head->key - 8 + head->softmax.quads * 4 * width,
        .outer = 1,
        .pairs = width / 2,
    };
}

/* Context of a pair of rows. */
static inline ts_m7_call ts_m7_context_call(const ts_m7_layer *layer, const ts_m7_head *head) {
    const uint32_t pairs = ts_m7_pairs(layer->shape.S);
    return (ts_m7_call){
        .b = (const int16_t *)head->map,
        .output = head->context_to,
        .a = head->value - 8,
        .a_last = head->value - 8 + 2 * ts_m7_align4(layer->shape.P) * pairs,
        .outer = 1,
        .pairs = pairs,
    };
}

static inline const ts_m7_kind *ts_m7_context_kind(const ts_m7_head *head) {
    return head->odd ? &ts_m7_context_odd : &ts_m7_context_even;
}

/* A pair of rows from its queries to its contexts, which may take the queries' place. */
static inline void ts_m7_attend(const ts_m7_head *head, ts_m7_call *scores, ts_m7_call *context) {
    ts_m7_strips_of(&ts_m7_to_bytes, scores, &head->scores);
    ts_m7_softmax_rows(&head->softmax, head->score_tiles, head->map);
    ts_m7_strips_of(ts_m7_context_kind(head), context, &head->context);
}

#endif
