/* SPDX-License-Identifier: Apache-2.0 */
/* A whole attention layer of few rows for XpulpV2, each core with heads of its own (as in
 * ts_xpulp_heads.h), in one function; ts_xpulp_four.h does most layers of four rows.
 *
 * A core fetches more code that runs once than it needs for products, and the instruction cache is
 * too small for the general functions: 16 bytes of code that are not in it cost as much as 18
 * instructions. So this sets the words of its calls without a detour. */
#ifndef TS_XPULP_SHORT_H
#define TS_XPULP_SHORT_H

#include "ts_xpulp_heads.h"

#if TS_XP_FUSED
typedef ts_mhsa_fwsa_args ts_xp_short_args;
#define TS_XP_Q(what) f##what
#else
typedef ts_mhsa_args ts_xp_short_args;
#define TS_XP_Q(what) q##what
#endif

/* The factor of a call less one, or a negative number where ts_xp_fast4 does not do. */
TS_XP_SELDOM int32_t ts_xp_short_factor(const ts_requant *requant, uint32_t bound) {
    const uint32_t shift = 16u - requant->shift;
    if (requant->per_channel | requant->round_half_up | shift >> 31)
        return -1;
    const uint32_t factor = (uint32_t)requant->mul[0] << shift;
    return (uint64_t)bound * factor < 1u << 31 ? (int32_t)factor - 1 : -1;
}

/* What all calls of a layer have in common. */
static TS_XP_INLINE void ts_xp_short_call(ts_xp_call *call, const int8_t *left, uint32_t left_row,
                                          const int8_t *right, uint32_t depth, ts_xp_kind kind,
                                          int32_t factor, uint32_t tiles) {
    call->left = left;
    call->left_row = left_row;
    call->right = right;
    call->steps = depth / 4;
    call->kind = kind;
    call->factor = factor;
    call->tiles = tiles;
    call->select = TS_XP_ROWS;
}

static TS_XP_INLINE void ts_xp_short_output(ts_xp_call *call, int8_t *output, uint32_t row,
                                            uint32_t block, uint32_t tile, uint32_t blocks) {
    call->output = output;
    call->output_row = row;
    call->output_block = block;
    call->output_tile = tile;
    call->blocks = blocks;
}

/* Of queries, keys, values, scores, context and output. */
typedef struct {
    int32_t q, k, v, scores, context, o;
} ts_xp_short_factors;

/* Whether all are fast. */
static TS_XP_INLINE int ts_xp_short_scale(ts_xp_short_factors *f, const ts_xp_short_args *args,
                                          uint32_t width) {
    const uint32_t square = 128 * 128, input = args->shape.E * square;
    f->q = ts_xp_short_factor(&args->TS_XP_Q(), (uint32_t)args->TS_XP_Q(_bias)[0] + input);
#if TS_XP_FUSED
    f->k = 0;
#else
    f->k = ts_xp_short_factor(&args->k, (uint32_t)args->k_bias[0] + input);
#endif
    f->v = ts_xp_short_factor(&args->v, (uint32_t)args->v_bias[0] + input);
    f->scores = ts_xp_short_factor(&args->scores, width * square);
    f->context = ts_xp_short_factor(&args->context, 255 * 128);
    f->o = ts_xp_short_factor(&args->o,
                              (uint32_t)args->o_bias[0] + args->shape.H * args->shape.P * square);
    return (f->q | f->k | f->v | f->scores | f->context | f->o) >= 0;
}

/* Bytes of scratch memory, or 0 where the shape is not one of these. */
static inline uint32_t ts_xp_short_bytes(const ts_shape *shape, uint32_t cores) {
    const uint32_t S = shape->S, P = shape->P, width = TS_XP_FUSED ? shape->E : P;
    return (S | shape->E | P) & 3 || S > TS_XP_CHUNK ? 0
                                                     : S * (shape->H * (2 * P + width) + cores * S);
}

/* Whether this was a layer of few rows, and is done: S % 4 == 0, S at most TS_XP_CHUNK.
 *
 * The scratch memory holds values, queries, keys or (fused) context, maps. Without fused weights
 * the context takes the queries' place. With them the input, as it is, is the left operand of the
 * scores and the queries are panels. */
TS_XP_SELDOM int ts_xp_short_run(const ts_team *team, const ts_xp_short_args *args,
                                 int8_t *scratch) {
    const uint32_t S = args->shape.S, E = args->shape.E, P = args->shape.P, H = args->shape.H;
    const uint32_t cores = team->cores, core = team->core;
    const uint32_t heads = ts_xp_each(team, H), blocks = ts_xp_each(team, E / 4);
    const uint32_t width = TS_XP_FUSED ? E : P, HP = H * P, tiles = S / 4;
    ts_xp_short_factors factor;
    if ((S | E | P) & 3 || S > TS_XP_CHUNK || 2 * cores > E || !heads || !blocks ||
        !args->table.entries[256] || !ts_xp_short_scale(&factor, args, width))
        return 0;
    int8_t *queries = scratch + S * HP, *third = queries + S * H * width;
    int8_t *map = third + S * HP + core * S * S, *context = TS_XP_FUSED ? third : queries;
    ts_xp_call calls[4 - TS_XP_FUSED], *const query = calls;
    ts_xp_call *const value = calls + 2 - TS_XP_FUSED, *const scores = value + 1;
    for (uint32_t head = core * heads, left = heads; left; head++, left--) {
        /* What follows from it is computed anew for each head: that is less code. */
        __asm__ volatile("" : "+r"(head));
        int8_t *values = scratch + head * P * S;
        ts_xp_short_call(query, args->input, E, args->TS_XP_Q(_weight) + head * width * E, E,
                         TS_XP_BIAS, factor.q, tiles);
        query->bias = args->TS_XP_Q(_bias) + 4 + head * width;
        ts_xp_short_call(value, args->input, E, args->v_weight + head * P * E, E, TS_XP_BIAS,
                         factor.v, tiles);
        value->bias = args->v_bias + 4 + head * P;
        value->select = TS_XP_COLUMNS;
        ts_xp_short_output(value, values, 4, 4 * S, 16, P / 4);
#if TS_XP_FUSED
        int8_t *panels = queries + head * E * S;
        ts_xp_short_output(query, panels, 4, 16, 4 * E, E / 4);
        ts_xp_short_call(scores, args->input, E, panels, E, TS_XP_ZERO, factor.scores, tiles);
        scores->select = TS_XP_COLUMNS;
        ts_xp_short_output(scores, map, S, 4 * S, 4, tiles);
#else
        ts_xp_call *const key = calls + 1;
        int8_t *keys = third + head * P * S, *rows = queries + head * P;
        ts_xp_short_output(query, rows, HP, 4, 4 * HP, P / 4);
        ts_xp_short_call(key, args->input, E, args->k_weight + head * P * E, E, TS_XP_BIAS,
                         factor.k, tiles);
        key->bias = args->k_bias + 4 + head * P;
        ts_xp_short_output(key, keys, 4, 16, 4 * P, P / 4);
        ts_xp_short_call(scores, rows, HP, keys, P, TS_XP_ZERO, factor.scores, tiles);
        ts_xp_short_output(scores, map, S, 4, 4 * S, tiles);
#endif
        ts_xp_fast4(calls, 4 - TS_XP_FUSED);
        ts_xp_softmax_pairs(map, (uint8_t *)map, S, S, args->table.entries + 256,
                            (uint32_t *)(void *)(args->output + core * 2 * S));
        ts_xp_short_call(query, map, S, values, S, TS_XP_UNSIGNED, factor.context, tiles);
        ts_xp_short_output(query, context + head * P, HP, 4, 4 * HP, P / 4);
        ts_xp_fast4(query, 1);
    }
    ts_team_barrier(team);
    ts_xp_short_call(query, context, HP, args->o_weight + core * blocks * 4 * HP, HP, TS_XP_BIAS,
                     factor.o, tiles);
    query->bias = args->o_bias + 4 + core * blocks * 4;
    ts_xp_short_output(query, args->output + core * blocks * 4, E, 4, 4 * E, blocks);
    ts_xp_fast4(query, 1);
    return 1;
}

#endif
