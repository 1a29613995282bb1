/* SPDX-License-Identifier: Apache-2.0 */
/* An attention layer for XpulpV2, head by head: only one head's keys and values exist at a time, a
 * few rows of queries, map and context per core, and the accumulators of the output. With fused
 * query and key weights (TS_XP_FUSED, see ts_xpulp_layer.h) the keys of all heads are the input.
 *
 * For each head: keys and values of all rows, barrier; then each core takes its rows, a few at a
 * time, through queries, scores, softmax and context, and adds what they contribute to the output.
 * Barrier. At the end the accumulators, which began as the bias, are requantised.
 *
 * Weights that lie in far memory come by DMA, each half while the other is in use. Shapes: E % 4 ==
 * 0, P % 4 == 0, S % 4 <= 1 (ts_xp_streams). */
#ifndef TS_XPULP_STREAM_H
#define TS_XPULP_STREAM_H

#include "../mhsa/mhsa.h"
#include "ts_dma.h"
#include "ts_xpulp_prepare.h"
#include "ts_xpulp_share.h"
#include "ts_xpulp_softmax.h"
#include "xpulpv2.h"

/* Whoever mostly goes head by head defines this as TS_XP_STAGE. */
#ifndef TS_XP_STREAM
#define TS_XP_STREAM TS_XP_SELDOM
#endif

typedef struct {
    const ts_team *team;
    const ts_mhsa_args *args;
    uint32_t S, chunk, first, rows; /* this core's rows */
    int8_t *keys, *values;
    int32_t *sums; /* this core's: for each tile of 4 rows or 1, [E / 4][rows][4] */
    int8_t *queries, *map;
    uint32_t *buffer;
    int8_t *near; /* key, value, query, output weights of a head; NULL where there is no room */
    const int8_t *key_weight, *value_weight, *query_weight, *output_weight;
    uint32_t output_skip, parts;
    ts_dma_group group;
    ts_xp_input input;
} ts_xp_stream;

/* Of a head's queries and keys. */
static inline uint32_t ts_xp_stream_width(const ts_shape *shape) {
    return TS_XP_FUSED ? shape->E : shape->P;
}

static inline int ts_xp_streams(const ts_shape *shape) {
    return !(shape->E & 3) && !(shape->P & 3) && (shape->S & 3) <= 1;
}

/* Lays the scratch memory out; returns its end. */
TS_XP_STREAM int8_t *ts_xp_stream_lay_out(ts_xp_stream *s, const ts_shape *shape,
                                          const ts_team *team, int fetches, int8_t *output,
                                          int8_t *at) {
    const uint32_t S = ts_xp_align4(shape->S), P = shape->P, width = ts_xp_stream_width(shape);
    const ts_range share = ts_team_share(team, shape->S);
    const int even = shape->S % (4 * team->cores) == 0;
    s->S = S;
    s->chunk = even ? 8 : 5;
    s->first = share.begin;
    s->rows = share.end - share.begin;
    s->keys = at;
    at += S * width;
    s->values = at;
    at += S * P;
    s->sums = (int32_t *)at + s->first * shape->E;
    at += 4 * shape->S * shape->E;
    /* A chunk's context takes its queries' place. */
    const uint32_t widest = P > width ? P : width;
    s->queries = at + team->core * s->chunk * widest;
    at += team->cores * s->chunk * widest;
    s->map = at + team->core * s->chunk * S;
    at += team->cores * s->chunk * S;
    const int in_output = team->cores * 2 * S <= shape->S * shape->E;
    s->buffer = (uint32_t *)((in_output ? output : at) + team->core * 2 * S);
    at += in_output ? 4 : team->cores * 2 * S; /* softmax reads a word behind the last map */
    s->near = fetches ? at : NULL;
    return fetches ? at + 4 * P * shape->E : at;
}

/* Core 0 begins to fetch two of a head's weights: keys' and values', or queries' and output's. */
TS_XP_STREAM void ts_xp_fetch(ts_xp_stream *s, uint32_t head, int keys) {
    const ts_mhsa_args *args = s->args;
    const uint32_t P = args->shape.P, E = args->shape.E, bytes = P * E;
    if (s->team->core || !s->near || head >= args->shape.H)
        return;
    s->group = ts_dma_begin();
    int8_t *to = s->near + (keys ? 0 : 2 * bytes);
    ts_dma_copy(s->group, to, (keys ? args->k_weight : args->q_weight) + head * bytes, bytes);
    to += bytes;
    if (keys) {
        ts_dma_copy(s->group, to, args->v_weight + head * bytes, bytes);
        return;
    }
    for (uint32_t block = 0; block < E / 4; block++)
        ts_dma_copy(s->group, to + 4 * P * block,
                    args->o_weight + 4 * P * (args->shape.H * block + head), 4 * P);
}

TS_XP_STREAM void ts_xp_fetched(ts_xp_stream *s, uint32_t head) {
    if (!s->team->core && s->near && head < s->args->shape.H)
        ts_dma_wait(s->group);
    ts_team_barrier(s->team);
}

/* Where a head's weights are. */
TS_XP_STREAM void ts_xp_find_weights(ts_xp_stream *s, uint32_t head) {
    const ts_mhsa_args *args = s->args;
    const uint32_t P = args->shape.P, bytes = P * args->shape.E;
    if (s->near) {
        s->key_weight = s->near;
        s->value_weight = s->near + bytes;
        s->query_weight = s->near + 2 * bytes;
        s->output_weight = s->near + 3 * bytes;
        return;
    }
    if (!TS_XP_FUSED)
        s->key_weight = args->k_weight + head * bytes;
    s->value_weight = args->v_weight + head * bytes;
    s->query_weight = args->q_weight + head * ts_xp_stream_width(&args->shape) * args->shape.E;
    s->output_weight = args->o_weight + head * 4 * P;
    s->output_skip = (args->shape.H - 1) * 4 * P;
}

typedef struct {
    ts_xp_stream *stream;
    uint32_t head;
} ts_xp_stream_head;

/* Moves a linear call to a head's channels; its weights are those of that head alone. */
static inline void ts_xp_stream_linear(const ts_xp_stream *s, ts_xp_call *call,
                                       const int8_t *weight, const int32_t *bias,
                                       const ts_requant *requant, uint32_t block, uint32_t begin) {
    ts_xp_set_linear(call, &s->input, NULL, bias, requant, block);
    call->right = weight + begin * 4 * s->input.depth;
}

/* Keys and values of some rows, some of the head's columns. */
TS_XP_STREAM void ts_xp_stream_keys(void *context, uint32_t part, uint32_t first, uint32_t rows) {
    const ts_xp_stream_head *h = context;
    const ts_xp_stream *s = h->stream;
    const ts_mhsa_args *args = s->args;
    const uint32_t P = args->shape.P, all = P / 4;
    const uint32_t begin = part * all / s->parts, blocks = (part + 1) * all / s->parts - begin;
    const uint32_t block = h->head * all + begin;
    ts_xp_call calls[2 - TS_XP_FUSED], *call = calls;
    if (!TS_XP_FUSED) {
        ts_xp_stream_linear(s, call, s->key_weight, args->k_bias, &args->k, block, begin);
        ts_xp_set_output(call, s->keys + 16 * begin, 4, blocks);
        call->output_block = 16;
        call->output_tile = 4 * P;
        call++;
    }
    ts_xp_stream_linear(s, call, s->value_weight, args->v_bias, &args->v, block, begin);
    ts_xp_set_output(call, s->values + 4 * begin * s->S, 4, blocks);
    call->output_block = 4 * s->S;
    call->select = TS_XP_COLUMNS;
    ts_xp_run(calls, 2 - TS_XP_FUSED, first, rows);
}

/* The next rows of those left: 8, 5, 4 or 1. */
static inline uint32_t ts_xp_stream_chunk(const ts_xp_stream *s, uint32_t rows) {
    return rows >= s->chunk ? s->chunk : rows >= 4 ? 4 : 1;
}

/* Adds a chunk's context times the head's output weights to the sums. */
TS_XP_STREAM void ts_xp_stream_add(const ts_xp_stream *s, int32_t *sums, uint32_t rows) {
    const uint32_t P = s->args->shape.P, E = s->args->shape.E;
    ts_xp_call call;
    ts_xp_set_product(&call, TS_XP_BIAS, s->queries, P, s->output_weight, P);
    call.right_skip = s->output_skip;
    call.blocks = E / 4;
    call.bias = sums;
    call.tiles = rows / 4;
    if (call.tiles)
        ts_xp_sum4(&call, 1);
    if (rows & 3) {
        call.left += call.tiles * 4 * P;
        call.bias += call.tiles * 4 * E;
        call.tiles = 1;
        ts_xp_sum1(&call, 1);
    }
}

static TS_XP_INLINE void ts_xp_stream_query(const ts_xp_stream *s, ts_xp_call *call,
                                            uint32_t head) {
    const ts_mhsa_args *args = s->args;
    const uint32_t width = ts_xp_stream_width(&args->shape);
    const ts_xp_input input = {NULL, s->input.depth, args->shape.H * width};
    ts_xp_set_linear(call, &input, NULL, args->q_bias, &args->q, head * width / 4);
    call->right = s->query_weight;
}

static TS_XP_INLINE void ts_xp_stream_mix(const ts_xp_stream *s, ts_xp_call *call, uint32_t head) {
    const ts_mhsa_args *args = s->args;
    ts_xp_set_product(call, TS_XP_UNSIGNED, s->map, s->S, s->values, s->S);
    ts_xp_set_scale(call, &args->context, s->input.columns, 255 * 128, head * args->shape.P / 4);
}

/* This core's rows: queries, scores, softmax, context, output. */
TS_XP_STREAM void ts_xp_stream_rows(const ts_xp_stream *s, uint32_t head) {
    const ts_mhsa_args *args = s->args;
    const uint32_t S = s->S, P = args->shape.P, E = args->shape.E;
    const uint32_t width = ts_xp_stream_width(&args->shape);
    const int8_t *left = s->input.left + s->first * E;
    int32_t *sums = s->sums;
    /* Fused scores need the deepest stack: there queries and context share a call. */
    ts_xp_call scores, calls[2 - TS_XP_FUSED], *query = calls, *mix = calls + 1 - TS_XP_FUSED;
    ts_xp_set_product(&scores, TS_XP_ZERO, s->queries, width, s->keys, width);
    ts_xp_set_scale(&scores, &args->scores, 0, width * 128 * 128, 0);
    if (!TS_XP_FUSED) {
        ts_xp_stream_query(s, query, head);
        ts_xp_stream_mix(s, mix, head);
    }
    for (uint32_t rows = s->rows, chunk; rows; rows -= chunk) {
        chunk = ts_xp_stream_chunk(s, rows);
        if (TS_XP_FUSED)
            ts_xp_stream_query(s, query, head);
        query->left = left;
        ts_xp_set_output(query, s->queries, width, width / 4);
        ts_xp_run(query, 1, 0, chunk);
        scores.left = s->queries;
        ts_xp_set_output(&scores, s->map, S, S / 4);
        ts_xp_run(&scores, 1, 0, chunk);
        ts_xp_softmax_map(s->map, args->shape.S, chunk, &args->table, s->buffer);
        if (TS_XP_FUSED)
            ts_xp_stream_mix(s, mix, head);
        mix->left = s->map;
        ts_xp_set_output(mix, s->queries, P, P / 4);
        ts_xp_run(mix, 1, 0, chunk);
        ts_xp_stream_add(s, sums, chunk);
        left += chunk * E;
        sums += chunk * E;
    }
}

/* One row tile's accumulators start as the bias. */
static __attribute__((noinline)) void ts_xp_stream_begin(int32_t *sums, uint32_t tile,
                                                         const int32_t *bias, uint32_t E) {
    for (const int32_t *end = bias + E; bias < end; bias += 4) {
        const int32_t a = bias[0], b = bias[1], c = bias[2], d = bias[3];
        for (uint32_t row = 0; row < tile; row++, sums += 4) {
            sums[0] = a;
            sums[1] = b;
            sums[2] = c;
            sums[3] = d;
        }
    }
}

static inline int32_t ts_xp_narrow(int32_t sum, int32_t factor) {
    return p_clip(sum * factor, 24) >> 16;
}

/* One row tile's accumulators to the output, where ts_xp_fast* would do. */
static __attribute__((noinline)) void ts_xp_stream_narrow(const int32_t *sums, uint32_t tile,
                                                          int8_t *output, uint32_t E,
                                                          int32_t factor) {
    for (uint32_t column = 0; column < E; column += 4) {
        int8_t *to = output + column;
        for (uint32_t row = 0; row < tile; row++, sums += 4, to += E) {
            const int32_t a = ts_xp_narrow(sums[0], factor), b = ts_xp_narrow(sums[1], factor);
            const int32_t c = ts_xp_narrow(sums[2], factor), d = ts_xp_narrow(sums[3], factor);
            *(uint32_t *)to = xp_pack_bytes((uint32_t)a, (uint32_t)b, (uint32_t)c, (uint32_t)d);
        }
    }
}

/* The same for any requantisation. */
TS_XP_STREAM void ts_xp_stream_wide(const ts_xp_stream *s, const int32_t *sums, uint32_t tile,
                                    int8_t *output) {
    const uint32_t E = s->args->shape.E;
    for (uint32_t column = 0; column < E; column += 4)
        for (uint32_t i = 0; i < 4 * tile; i++, sums++) {
            const uint32_t j = column + (i & 3);
            output[i / 4 * E + j] = ts_requantize(&s->args->o, j, *sums);
        }
}

/* All accumulators of this core. */
TS_XP_STREAM void ts_xp_stream_sums(const ts_xp_stream *s, int8_t *output) {
    const ts_mhsa_args *args = s->args;
    const uint32_t E = args->shape.E, products = args->shape.H * args->shape.P * 128 * 128;
    const uint32_t bound = (uint32_t)args->o_bias[0] + products;
    int32_t *sums = s->sums;
    ts_xp_call scale;
    ts_xp_set_scale(&scale, &args->o, E, bound < products ? ~0u : bound, 0);
    for (uint32_t rows = s->rows, chunk; rows; rows -= chunk) {
        chunk = ts_xp_stream_chunk(s, rows);
        for (uint32_t rest = chunk, tile; rest; rest -= tile) {
            tile = rest >= 4 ? 4 : 1;
            if (!output)
                ts_xp_stream_begin(sums, tile, args->o_bias + 4, E);
            else if (scale.path == TS_XP_FAST)
                ts_xp_stream_narrow(sums, tile, output, E, scale.factor + 1);
            else
                ts_xp_stream_wide(s, sums, tile, output);
            sums += tile * E;
            output += output ? tile * E : 0;
        }
    }
}

/* `fetches`, never with fused weights: the scratch memory has room for weights, and far ones are to
 * be fetched. */
TS_XP_STREAM void ts_xp_stream_run(const ts_team *team, const ts_mhsa_args *args, int fetches,
                                   void *scratch) {
    const ts_shape *shape = &args->shape;
    ts_xp_stream s;
    ts_xp_stream_head head = {&s, 0};
    s.team = team;
    s.args = args;
    s.output_skip = 0;
    s.input.left = args->input;
    s.input.depth = shape->E;
    s.input.columns = shape->H * shape->P;
    ts_xp_stream_lay_out(&s, shape, team, fetches, args->output, scratch);
    if (!ts_dma_is_far(args->v_weight))
        s.near = NULL;
    const uint32_t tiles = ts_xp_tiles(shape->S, 0);
    s.parts = tiles >= team->cores && tiles % team->cores == 0 ? 1 : shape->P / 4;
    ts_xp_fetch(&s, 0, 1);
    ts_xp_stream_sums(&s, NULL);
    if (TS_XP_FUSED)
        ts_xp_pack_keys(team, s.keys, &s.input, shape->S);
    ts_xp_fetched(&s, 0);
    for (; head.head < shape->H; head.head++) {
        ts_xp_find_weights(&s, head.head);
        ts_xp_fetch(&s, head.head, 0);
        ts_xp_for_pieces(team, s.parts, shape->S, 0, ts_xp_stream_keys, &head);
        ts_xp_fetched(&s, head.head);
        ts_xp_fetch(&s, head.head + 1, 1);
        ts_xp_stream_rows(&s, head.head);
        ts_xp_fetched(&s, head.head + 1);
    }
    ts_xp_stream_sums(&s, args->output + s.first * shape->E);
}

#endif
