// SPDX-License-Identifier: Apache-2.0
/* mhsa of two to eight rows on the Cortex-M7 with all heads in one call of each stage, where the
 * calls of ts_m7_layer.h, a head and two rows at a time, would take as long as their tiles. */
#ifndef TS_MHSA_CORTEXM7_JOINED_H
#define TS_MHSA_CORTEXM7_JOINED_H

#include "cortexm7_short.h"
#include "mhsa.h"
#include "ts_m7_attention.h"
#include "ts_m7_diagonal.h"
#include "ts_m7_shallow.h"
#include "ts_m7_softmax_tiles.h"

/* Layouts, with W = H * align4(P) channels, each head's from a multiple of four on:
 *
 *   x        2-panels [pairs of S][ceil(E/2)][2]
 *   queries  2-panels [pairs][W/2][2]
 *   keys     4-panels [ceil(S/4)][W/2][4]
 *   values   4-panels [W/4][pairs][4]
 *   scores   bytes    [pairs][H][ceil(S/4)][2 rows][4 keys]
 *   map      2-panels [pairs][H][pairs][2]
 *   context  2-panels [pairs][ts_m7_context_pairs][2]
 *
 * Room for biases and multipliers of W or E channels. */
typedef struct {
    uint32_t pairs, quads, heads, width; /* width: of a head, a multiple of four */
    int16_t *x, *query, *key, *value, *context;
    int8_t *scores;
    uint16_t *map;
    int32_t *bias, *muls;
    uint32_t bytes;
} ts_m7_joined;

static inline int ts_m7_joined_shape(const ts_shape *shape) {
    return shape->S <= 8 && shape->P >= 4 && shape->E * shape->P <= 128;
}

static inline uint8_t *ts_m7_joined_take(uint8_t **next, uint32_t bytes) {
    uint8_t *place = *next;
    *next += bytes;
    return place;
}

static inline ts_m7_joined ts_m7_joined_place(const ts_shape *shape, void *scratch) {
    const uint32_t pairs = ts_ceil_div(shape->S, 2), quads = ts_ceil_div(shape->S, 4);
    const uint32_t width = ts_m7_align4(shape->P), W = shape->H * width;
    const uint32_t E = ts_m7_align4(shape->E), widest = W > E ? W : E;
    ts_m7_joined b = {.pairs = pairs, .quads = quads, .heads = shape->H, .width = width};
    int16_t *next = scratch;
    b.x = next;
    next += 4 * pairs * ts_m7_pairs(shape->E);
    b.query = next;
    next += 2 * pairs * W;
    b.key = next;
    next += 4 * quads * W;
    b.value = next;
    next += 2 * pairs * W;
    b.context = next;
    next += 4 * pairs * ts_m7_context_pairs(shape);
    b.map = (uint16_t *)next;
    next += 4 * pairs * pairs * shape->H + 8;
    b.scores = (int8_t *)next;
    next += 4 * pairs * quads * shape->H + 4;
    b.bias = (int32_t *)(void *)next;
    b.muls = b.bias + widest;
    b.bytes = (uint32_t)((uint8_t *)(b.muls + widest) - (uint8_t *)b.x);
    return b;
}

/* Biases of all heads, each head's from a multiple of four on. Those of the channels in between are
 * anything, but that of keys which share a pair with the last channel is 0: no other one's results
 * are read. */
static inline const int32_t *ts_m7_joined_bias(const ts_mhsa_args *args, const ts_m7_joined *b,
                                               const int32_t *bias) {
    const uint32_t P = args->shape.P, heads = b->heads, width = b->width;
    if (P == width)
        return bias;
    int32_t *const room = b->bias;
    const int32_t *const last = bias + (heads - 1) * P;
    for (uint32_t first = 0; first < P; first += 4) {
        int32_t *to = room + first;
        for (const int32_t *from = bias + first; from < last; from += P) {
            to[0] = from[0];
            to[1] = from[1];
            to[2] = from[2];
            to[3] = from[3];
            to += width;
        }
    }
    int32_t *to = room + (heads - 1) * width;
    for (uint32_t p = 0; p < P; p++)
        to[p] = last[p];
    if (P % 2 && bias == args->k_bias) {
        to = room + P;
#pragma GCC unroll 1
        for (uint32_t h = 0; h < heads; h++) {
            *to = 0;
            to += width;
        }
    }
    return room;
}

/* What ts_m7_call.mul wants for channels of all heads. */
static inline uint32_t ts_m7_joined_mul(const ts_mhsa_args *args, const ts_m7_joined *b,
                                        const ts_requant *requant) {
    const uint32_t up = 32u - requant->shift;
    if (!requant->per_channel)
        return (uint32_t)requant->mul[0] << up;
    const uint16_t *mul = requant->mul;
    int32_t *to = b->muls;
    for (uint32_t h = 0; h < b->heads; h++)
        for (uint32_t p = 0; p < b->width; p++)
            *to++ = p < args->shape.P ? (int32_t)((uint32_t)*mul++ << up) : 0;
    return (uint32_t)(uintptr_t)b->muls;
}

static inline uint32_t ts_m7_joined_code(const ts_requant *requant) {
    return (requant->per_channel ? 2u : 0) + (requant->round_half_up ? 1u : 0);
}

/* One projection of all rows and heads; `call` brings output and steps. */
static __attribute__((noinline)) void
ts_m7_joined_project(const ts_mhsa_args *args, const ts_m7_joined *b, const ts_m7_kind *kind,
                     ts_m7_call *call, const int8_t *weight, const int32_t *bias,
                     const ts_requant *requant) {
    const uint32_t pairs = ts_m7_pairs(args->shape.E);
    call->b = b->x;
    call->bias = ts_m7_joined_bias(args, b, bias);
    call->mul = ts_m7_joined_mul(args, b, requant);
    call->a = (const int16_t *)(const void *)weight - 8;
    call->a_last = call->a + 2 * b->heads * b->width * pairs;
    call->outer = b->pairs;
    call->b_step = 8 * pairs;
    call->pairs = pairs;
    kind->strips[ts_m7_joined_code(requant)](call);
}

/* Whether the projections are what ts_m7_shallow.h takes. */
static inline int ts_m7_joined_is_shallow(const ts_mhsa_args *args) {
    const uint32_t E = args->shape.E, P = args->shape.P;
    const uint32_t others = args->q.per_channel | args->q.round_half_up | args->k.per_channel |
                            args->k.round_half_up | args->v.per_channel | args->v.round_half_up;
    return E <= TS_M7_SHALLOW_INPUTS && P / 4 <= TS_M7_SHALLOW_QUADS && P % 4 != 3 && others == 0;
}

/* Queries, keys and values of at most four input channels. */
static inline void ts_m7_joined_shallow(const ts_mhsa_args *args, const ts_m7_joined *b) {
    const uint32_t P = args->shape.P, W = b->heads * b->width, channels = b->heads * P;
    const int deep = args->shape.E > 2;
    ts_m7_shallow_fn *const along = deep ? ts_m7_shallow_along_2 : ts_m7_shallow_along_1;
    ts_m7_shallow call = {
        .weight = (const int16_t *)(const void *)args->q_weight,
        .bias = args->q_bias,
        .output = b->query,
        .mul = (uint32_t)args->q.mul[0] << (32u - args->q.shift),
        .x = b->x,
        .pairs = b->pairs,
        .bias_end = args->q_bias + channels,
        .quads = P / 4,
        .rest = P % 4,
        .half = 8,
        .other_half = 8,
        .quad = 16,
        .row_step = 4 * W,
        .other_step = 4 * W,
    };
    along(call);
    call.weight = (const int16_t *)(const void *)args->k_weight;
    call.bias = args->k_bias;
    call.output = b->key;
    call.mul = (uint32_t)args->k.mul[0] << (32u - args->k.shift);
    call.bias_end = args->k_bias + channels;
    call.half = call.other_half = 16;
    call.quad = 32;
    call.row_step = 8;
    call.other_step = 8 * W - 8;
    along(call);
    call.weight = (const int16_t *)(const void *)args->v_weight;
    call.bias = args->v_bias;
    call.output = b->value;
    call.mul = (uint32_t)args->v.mul[0] << (32u - args->v.shift);
    call.bias_end = args->v_bias + channels;
    call.half = 8;
    call.quad = 16 * b->pairs;
    call.other_half = call.quad - 8;
    call.row_step = call.other_step = 16;
    (deep ? ts_m7_shallow_across_2 : ts_m7_shallow_across_1)(call);
}

static inline void ts_m7_joined_projections(const ts_mhsa_args *args, const ts_m7_joined *b) {
    const uint32_t W = b->heads * b->width, panel = 16 * b->pairs, back = 8 * W - 32;
    ts_m7_call call;
    call.output = b->query;
    call.outer_step = call.other_step = 16;
    ts_m7_joined_project(args, b, &ts_m7_to_2_panel, &call, args->q_weight, args->q_bias, &args->q);
    call.output = b->key;
    call.outer_step = 8 - back;
    call.other_step = 24;
    ts_m7_joined_project(args, b, &ts_m7_to_4_panel, &call, args->k_weight, args->k_bias, &args->k);
    call.output = b->value;
    call.step = panel;
    call.outer_step = call.other_step = 16 - panel * (W / 4 - 1);
    ts_m7_joined_project(args, b, &ts_m7_to_transposed, &call, args->v_weight, args->v_bias,
                         &args->v);
}

/* All scores: a call for every four keys, a strip for every two rows, a tile for every head. */
static inline void ts_m7_joined_scores(const ts_mhsa_args *args, const ts_m7_joined *b) {
    const uint32_t W = b->heads * b->width, pairs = ts_m7_pairs(args->shape.P);
    const uint32_t skipped = b->width / 2 - pairs; /* of a head */
    ts_m7_strip_fn *const strips =
        args->scores.round_half_up ? ts_m7_scores_half_up : ts_m7_scores_floor;
    ts_m7_call call = {
        .b = b->query,
        .output = b->scores,
        .mul = (uint32_t)args->scores.mul[0] << (32u - args->scores.shift),
        .a = b->key - 8,
        .a_last = b->key - 8 + 4 * W - 8 * skipped,
        .step = 8 * b->quads,
        .outer = b->pairs,
        .b_step = 4 * W,
        .outer_step = 8 * b->quads,
        .other_step = 8 * b->quads,
        .pairs = pairs,
    };
    ts_m7_set_skips(&call, 16 * skipped, 8 * skipped);
    strips(&call);
    if (b->quads > 1) {
        call.a += 4 * W;
        call.a_last += 4 * W;
        call.output = b->scores + 8;
        strips(&call);
    }
}

/* Multipliers of the contexts in the order of ts_m7_joined_contexts. */
static inline void ts_m7_joined_context_muls(const ts_mhsa_args *args, const ts_m7_joined *b,
                                             uint32_t stride) {
    const uint32_t P = args->shape.P, up = 32u - args->context.shift;
    int32_t *to = b->muls;
    for (uint32_t first = b->width; first > 0;) {
        first -= 4;
        for (uint32_t odd = 0; odd < stride; odd++)
            for (uint32_t h = odd; h < b->heads; h += stride)
                for (uint32_t p = first; p < first + 4; p++)
                    *to++ = p < P ? (int32_t)((uint32_t)args->context.mul[h * P + p] << up) : 0;
    }
}

/* Contexts of all heads: a call for every four channels of a head, the last first, since a head's
 * channels beyond P are written where the next head's first ones go; a strip for every two rows, a
 * tile for every head. If P is odd, every second head begins in the middle of a pair and has a call
 * of its own. */
static inline void ts_m7_joined_contexts(const ts_mhsa_args *args, const ts_m7_joined *b,
                                         ts_m7_call *call, uint32_t stride) {
    static ts_m7_strip_fn *const kinds[2][4] = {
        {ts_m7_even_floor, ts_m7_even_half_up, ts_m7_even_channel_floor,
         ts_m7_even_channel_half_up},
        {ts_m7_odd_floor, ts_m7_odd_half_up, ts_m7_odd_channel_floor, ts_m7_odd_channel_half_up},
    };
    const uint32_t P = args->shape.P, code = ts_m7_joined_code(&args->context);
    const uint32_t panel = 8 * b->pairs; /* int16 values */
    const uint32_t row_pair = call->outer_step;
    if (args->context.per_channel)
        ts_m7_joined_context_muls(args, b, stride);
    ts_m7_set_skips(call, (stride * b->width / 4 - 1) * 2 * panel, (stride - 1) * panel);
    call->step = 4 * stride * P;
    for (uint32_t first = b->width; first > 0;) {
        first -= 4;
        for (uint32_t odd = 0; odd < stride; odd++) {
            const uint32_t further = (b->heads - odd + stride - 1) / stride - 1; /* tiles */
            const uint32_t place = odd * P + first;
            call->b = (const int16_t *)b->map + odd * (panel / 2);
            call->a = b->value - 8 + (odd * b->width + first) / 4 * panel;
            call->a_last = call->a + panel + further * stride * (b->width / 4) * panel;
            call->output = b->context + place / 2 * 4;
            call->outer_step = call->other_step = row_pair - further * call->step;
            kinds[place % 2][code](call);
            if (args->context.per_channel)
                call->mul += 16 * (further + 1);
        }
    }
}

/* The same head by head: a tile for every four channels. */
static inline void ts_m7_joined_contexts_by_head(const ts_mhsa_args *args, const ts_m7_joined *b,
                                                 ts_m7_call *call) {
    const uint32_t P = args->shape.P, code = ts_m7_joined_code(&args->context);
    const uint32_t panels = 2 * b->width * b->pairs; /* of a head's values */
    call->b = (const int16_t *)b->map;
    call->a = b->value - 8;
    call->outer_step = call->other_step = call->outer_step - 4 * b->width + 16;
    if (args->context.per_channel)
        ts_m7_joined_mul(args, b, &args->context);
    for (uint32_t h = 0; h < b->heads; h++) {
        const uint32_t place = h * P;
        const ts_m7_kind *kind = place % 2 ? &ts_m7_context_odd : &ts_m7_context_even;
        call->a_last = call->a + panels;
        call->output = b->context + place / 2 * 4;
        kind->strips[code](call);
        call->a = call->a_last;
        call->b += 4 * b->pairs;
        if (args->context.per_channel)
            call->mul += 4 * b->width;
    }
}

/* All contexts, in the way that takes fewer calls. */
static inline void ts_m7_joined_attend(const ts_mhsa_args *args, const ts_m7_joined *b) {
    const uint32_t stride = args->shape.P % 2 ? 2 : 1;
    const uint32_t row_pair = 8 * ts_m7_context_pairs(&args->shape);
    ts_m7_call call;
    call.outer = b->pairs;
    call.b_step = 8 * b->heads * b->pairs;
    call.outer_step = row_pair;
    call.pairs = b->pairs;
    call.mul = args->context.per_channel
                   ? (uint32_t)(uintptr_t)b->muls
                   : (uint32_t)args->context.mul[0] << (32u - args->context.shift);
    if (b->heads <= stride * (b->width / 4))
        ts_m7_joined_contexts_by_head(args, b, &call);
    else
        ts_m7_joined_contexts(args, b, &call, stride);
}

/* Contexts to the output: whole tiles in the place of x, of which what exists is copied. */
static inline void ts_m7_joined_output(const ts_mhsa_args *args, const ts_m7_joined *b) {
    const uint32_t E = args->shape.E, pitch = ts_m7_align4(E);
    const uint32_t pairs = ts_m7_pairs(args->shape.H * args->shape.P);
    int8_t *const rows = (int8_t *)b->x;
    const ts_m7_scale scale = ts_m7_scale_of(args->o, E, b->muls);
    ts_m7_call call = {
        .b = b->context,
        .output = rows,
        .bias = ts_m7_bias_of(args->o_bias, E, b->bias),
        .a = (const int16_t *)(const void *)args->o_weight - 8,
        .outer = b->pairs,
        .b_step = 8 * ts_m7_context_pairs(&args->shape),
        .outer_step = pitch + 4,
        .other_step = pitch + 4,
        .pitch = pitch,
        .pairs = pairs,
    };
    call.a_last = call.a + 2 * pitch * pairs;
    ts_m7_strips_of(&ts_m7_to_rows, &call, &scale);
    int8_t *to = args->output;
    for (uint32_t r = 0; r < args->shape.S; r++)
        for (uint32_t e = 0; e < E; e++)
            *to++ = rows[r * pitch + e];
}

static __attribute__((noinline)) void ts_m7_joined_run(const ts_mhsa_args *args, void *scratch) {
    const ts_m7_joined b = ts_m7_joined_place(&args->shape, scratch);
    ts_m7_expand_all(args->input, args->shape.S, args->shape.E, b.x);
    if (ts_m7_joined_is_shallow(args))
        ts_m7_joined_shallow(args, &b);
    else
        ts_m7_joined_projections(args, &b);
    ts_m7_joined_scores(args, &b);
    ts_m7_softmax_of_tiles(&args->table, args->shape.S, b.pairs * b.heads, b.scores, b.map);
    ts_m7_joined_attend(args, &b);
    ts_m7_joined_output(args, &b);
}

#endif
