// SPDX-License-Identifier: Apache-2.0
/* mhsa of a few short rows on the Cortex-M7, where setting up the tiles of ts_m7_layer.h would take
 * longer than their products: two to four rows of heads of one to three channels. All heads'
 * queries, keys and values exist at once. */
#ifndef TS_MHSA_CORTEXM7_SHORT_H
#define TS_MHSA_CORTEXM7_SHORT_H

#include "mhsa.h"
#include "ts_m7_product.h"
#include "ts_m7_short.h"
#include "ts_m7_softmax.h"

/* Layouts: x as a 4-panel [ceil(E/2)][4]; queries, keys, values [H][P][4 rows]; contexts 2-panels
 * [2][ceil(H*P/2)][2]. Room for the multipliers of the stage that runs, and for the last one's
 * biases. */
typedef struct {
    int16_t *x, *query, *key, *value, *context;
    int32_t *room;
    uint32_t bytes;
} ts_m7_short;

/* Of more than one row. */
static inline int ts_m7_short_shape(const ts_shape *shape) {
    return shape->S <= 4 && shape->P <= 3 && shape->E <= 2 * TS_M7_SHORT_PAIRS;
}

static inline ts_m7_short ts_m7_short_place(const ts_shape *shape, void *scratch) {
    const uint32_t channels = shape->H * shape->P, pairs = ts_m7_pairs(channels);
    const uint32_t edge = 2 * ts_m7_align4(shape->E);
    ts_m7_short b = {.x = scratch};
    b.query = b.x + 8 * ts_m7_pairs(shape->E);
    b.key = b.query + 4 * channels;
    b.value = b.key + 4 * channels;
    b.context = b.value + 4 * channels;
    b.room = (int32_t *)(void *)(b.context + 8 * pairs);
    b.bytes =
        (uint32_t)((uint8_t *)(b.room + (channels > edge ? channels : edge)) - (uint8_t *)b.x);
    return b;
}

/* Four rows as a 4-panel; those that are missing are the last one once more. */
static inline void ts_m7_short_expand(const ts_mhsa_args *args, int16_t *x) {
    const uint32_t E = args->shape.E;
    const int8_t *row = args->input;
    for (uint32_t i = 0; i < 4; i++) {
        ts_m7_expand(row, E, x + 2 * i, 4);
        if (i + 1 < args->shape.S)
            row += E;
    }
}

/* What rounding adds to the low word of a sum times mul' (ts_m7_tiles.h). */
static inline uint32_t ts_m7_short_rounding(const ts_requant *requant) {
    return requant->round_half_up ? 0x80000000u : 0;
}

/* A sum requantised to int8. */
static inline int32_t ts_m7_short_scaled(int32_t sum, int32_t mul, uint32_t rounding) {
    return __ssat((int32_t)(((int64_t)sum * mul + rounding) >> 32), 8);
}

/* mul' of `channels`, or of one that stands for each of a head's. */
static inline void ts_m7_short_muls(const ts_requant *requant, uint32_t channels, int32_t *muls) {
    const uint32_t up = 32u - requant->shift;
    if (requant->per_channel)
        for (uint32_t i = 0; i < channels; i++)
            muls[i] = (int32_t)((uint32_t)requant->mul[i] << up);
    else
        muls[0] = muls[1] = muls[2] = (int32_t)((uint32_t)requant->mul[0] << up);
}

/* Not 0 where some mul' has more than 31 bits. */
static inline uint32_t ts_m7_short_steep(const ts_requant *requant, uint32_t channels) {
    uint32_t any = requant->mul[0];
    if (requant->per_channel)
        for (uint32_t i = 1; i < channels; i++)
            any |= requant->mul[i];
    return any >> (requant->shift - 1u);
}

/* One projection of all heads. */
static __attribute__((noinline)) void ts_m7_short_project(const ts_mhsa_args *args,
                                                          const int8_t *weight, const int32_t *bias,
                                                          const ts_requant *requant,
                                                          const ts_m7_short *b, int16_t *output) {
    static ts_m7_short_fn *const kinds[4] = {ts_m7_short_floor, ts_m7_short_half_up,
                                             ts_m7_short_channel_floor,
                                             ts_m7_short_channel_half_up};
    const uint32_t P = args->shape.P, channels = args->shape.H * P;
    const uint32_t pairs = ts_m7_pairs(args->shape.E);
    ts_m7_short_call call = {
        .x = b->x,
        .weight = (const int16_t *)(const void *)weight,
        .output = output,
        .pairs = pairs,
        .bias = bias,
        .mul = (uint32_t)requant->mul[0] << (32u - requant->shift),
        .channels = P,
        .skip = 16 * pairs - 4 * P,
        .end = output + 4 * channels,
    };
    uint32_t kind = requant->round_half_up ? 1 : 0;
    if (requant->per_channel) {
        ts_m7_short_muls(requant, channels, b->room);
        call.mul = (uint32_t)(uintptr_t)b->room;
        kind += 2;
    }
    kinds[kind](&call);
}

/* What a row's maps and contexts need. */
typedef struct {
    const uint8_t *top;    /* where T[0] lies among the table's bytes */
    uint32_t keep2, keep3; /* 0 where the third or the fourth key is missing */
    int32_t scores;        /* mul' */
    uint32_t scores_rounding, context_rounding;
    const int32_t *context; /* mul' of each channel of a head ... */
    uint32_t context_step;  /* ... and from head to head */
    uint32_t row_pair;      /* values from a pair of rows of the context to the next */
} ts_m7_short_rows;

static inline uint32_t ts_m7_short_word(const int16_t *pair) {
    return *(const uint32_t *)(const void *)pair;
}

/* The top bytes of two products t * reciprocal, as a pair. */
static inline uint32_t ts_m7_short_pair(uint32_t even, uint32_t odd) {
    const uint32_t pair = (odd & 0xFFFF0000u) | even >> 16;
    return __uxtb16((uint8x4_t)(pair >> 8 | pair << 24));
}

/* Four scores of a row to its map, two pairs. */
static inline void ts_m7_short_softmax(const ts_m7_short_rows *rows, const int32_t *s,
                                       uint32_t *map) {
    const int32_t a = s[0] > s[1] ? s[0] : s[1], b = s[2] > s[3] ? s[2] : s[3];
    const uint8_t *base = rows->top - (a > b ? a : b);
    const uint32_t t0 = base[s[0]], t1 = base[s[1]];
    const uint32_t t2 = base[s[2]] & rows->keep2, t3 = base[s[3]] & rows->keep3;
    const uint32_t reciprocal = ts_softmax_reciprocal(t0 + t1 + (t2 + t3));
    map[0] = ts_m7_short_pair(t0 * reciprocal, t1 * reciprocal);
    map[1] = ts_m7_short_pair(t2 * reciprocal, t3 * reciprocal);
}

/* One row of all heads from queries to contexts, `to`: of a 2-panel. */
static inline __attribute__((always_inline)) void ts_m7_short_row(const ts_m7_short *b,
                                                                  const ts_m7_short_rows *rows,
                                                                  const int16_t *query, uint32_t P,
                                                                  int16_t *to) {
    const int16_t *key = b->key, *value = b->value;
    const int32_t *muls = rows->context;
    uint32_t step = 1; /* to the next channel: in the same pair or not */
    do {
        int32_t s[4] = {0, 0, 0, 0};
        for (uint32_t p = 0; p < P; p++)
            for (uint32_t i = 0; i < 4; i++)
                s[i] += query[4 * p] * key[4 * p + i];
        for (uint32_t i = 0; i < 4; i++)
            s[i] = ts_m7_short_scaled(s[i], rows->scores, rows->scores_rounding);
        uint32_t map[2];
        ts_m7_short_softmax(rows, s, map);
        for (uint32_t p = 0; p < P; p++) {
            const int16_t *v = value + 4 * p;
            int32_t sum = __smuad((int16x2_t)map[0], (int16x2_t)ts_m7_short_word(v));
            sum = __smlad((int16x2_t)map[1], (int16x2_t)ts_m7_short_word(v + 2), sum);
            *to = (int16_t)ts_m7_short_scaled(sum, muls[p], rows->context_rounding);
            to += step;
            step ^= 2u;
        }
        query += 4 * P;
        key += 4 * P;
        value += 4 * P;
        muls += rows->context_step;
    } while (key != b->value);
}

static inline __attribute__((always_inline)) void
ts_m7_short_all(const ts_m7_short *b, const ts_m7_short_rows *rows, uint32_t S, uint32_t P) {
    for (uint32_t r = 0; r < S; r++)
        ts_m7_short_row(b, rows, b->query + r, P, b->context + r / 2 * rows->row_pair + r % 2 * 2);
}

static __attribute__((noinline)) void ts_m7_short_attend(const ts_mhsa_args *args,
                                                         const ts_m7_short *b) {
    const ts_shape *shape = &args->shape;
    ts_m7_short_muls(&args->context, shape->H * shape->P, b->room);
    const ts_m7_short_rows rows = {
        .top = (const uint8_t *)args->table.entries + TS_M7_TABLE_BYTES + 255,
        .keep2 = shape->S > 2 ? 0xFFu : 0,
        .keep3 = shape->S > 3 ? 0xFFu : 0,
        .scores = (int32_t)((uint32_t)args->scores.mul[0] << (32u - args->scores.shift)),
        .scores_rounding = ts_m7_short_rounding(&args->scores),
        .context_rounding = ts_m7_short_rounding(&args->context),
        .context = b->room,
        .context_step = args->context.per_channel ? shape->P : 0,
        .row_pair = 4 * ts_m7_pairs(shape->H * shape->P),
    };
    if (shape->P == 1)
        ts_m7_short_all(b, &rows, shape->S, 1);
    else if (shape->P == 2)
        ts_m7_short_all(b, &rows, shape->S, 2);
    else
        ts_m7_short_all(b, &rows, shape->S, 3);
}

/* Contexts to the output of fewer than four channels: the tiles would be an edge. */
static inline void ts_m7_short_narrow(const ts_mhsa_args *args, const ts_m7_short *b) {
    const uint32_t E = args->shape.E, S = args->shape.S;
    const uint32_t pairs = ts_m7_pairs(args->shape.H * args->shape.P);
    const uint32_t rounding = ts_m7_short_rounding(&args->o), up = 32u - args->o.shift;
    const int16x2_t *first = (const int16x2_t *)(const void *)b->context;
    const int16x2_t *second = first + 2 * pairs;
    const int16x2_t *weight = (const int16x2_t *)(const void *)args->o_weight;
    for (uint32_t e = 0; e < E; e++) {
        const int32_t bias = args->o_bias[e];
        int32_t s[4] = {bias, bias, bias, bias};
        for (uint32_t k = 0; k < pairs; k++) {
            const int16x2_t w = weight[4 * k];
            s[0] = __smlad(first[2 * k], w, s[0]);
            s[1] = __smlad(first[2 * k + 1], w, s[1]);
            s[2] = __smlad(second[2 * k], w, s[2]);
            s[3] = __smlad(second[2 * k + 1], w, s[3]);
        }
        weight++;
        const int32_t mul = (int32_t)((uint32_t)args->o.mul[args->o.per_channel ? e : 0] << up);
        int8_t *to = args->output + e;
        to[0] = (int8_t)ts_m7_short_scaled(s[0], mul, rounding);
        to[E] = (int8_t)ts_m7_short_scaled(s[1], mul, rounding);
        if (S > 2)
            to[2 * E] = (int8_t)ts_m7_short_scaled(s[2], mul, rounding);
        if (S > 3)
            to[3 * E] = (int8_t)ts_m7_short_scaled(s[3], mul, rounding);
    }
}

/* Contexts to the output. */
static inline void ts_m7_short_output(const ts_mhsa_args *args, const ts_m7_short *b) {
    const uint32_t E = args->shape.E, pairs = ts_m7_pairs(args->shape.H * args->shape.P);
    const ts_m7_rows rows = {
        .a = (const int16_t *)(const void *)args->o_weight,
        .b = b->context,
        .bias = ts_m7_bias_of(args->o_bias, E, b->room),
        .rows = args->shape.S,
        .channels = E,
        .pairs = pairs,
        .b_step = 8 * pairs,
        .output = args->output,
        .pitch = E,
    };
    const ts_m7_scale scale = ts_m7_scale_of(args->o, E, b->room + ts_m7_align4(E));
    ts_m7_rows_run(&rows, &scale);
}

/* Whether the numerics are what the short way takes: tables of bytes and factors whose mul' has 31
 * bits. */
static inline int ts_m7_short_numerics(const ts_mhsa_args *args) {
    const uint32_t channels = args->shape.H * args->shape.P;
    const uint32_t steep =
        ts_m7_short_steep(&args->q, channels) | ts_m7_short_steep(&args->k, channels) |
        ts_m7_short_steep(&args->v, channels) | ts_m7_short_steep(&args->scores, 1) |
        ts_m7_short_steep(&args->context, channels);
    return args->table.max <= 255u && steep == 0;
}

static inline void ts_m7_short_run(const ts_mhsa_args *args, void *scratch) {
    const ts_m7_short b = ts_m7_short_place(&args->shape, scratch);
    ts_m7_short_expand(args, b.x);
    ts_m7_short_project(args, args->q_weight, args->q_bias, &args->q, &b, b.query);
    ts_m7_short_project(args, args->k_weight, args->k_bias, &args->k, &b, b.key);
    ts_m7_short_project(args, args->v_weight, args->v_bias, &args->v, &b, b.value);
    ts_m7_short_attend(args, &b);
    if (args->shape.E < 4 && args->shape.H * args->shape.P <= 32 &&
        ts_m7_short_steep(&args->o, args->shape.E) == 0)
        ts_m7_short_narrow(args, &b);
    else
        ts_m7_short_output(args, &b);
}

#endif
