/* SPDX-License-Identifier: Apache-2.0 */
/* An attention layer for XpulpV2 whose queries, keys and values do not fit beside each other, but
 * whose contexts do: keys and values exist of one head at a time, the contexts of all heads are
 * kept, and the output is one product. All operands of products are panels (ts_xpulp_panels.h).
 * With fused query and key weights (TS_XP_FUSED, see ts_xpulp_layer.h) the keys of all heads are
 * the input.
 *
 * The input is copied to panels; barrier. For each head: its queries, keys and values, barrier;
 * then each core takes its row tiles, one at a time, through scores, softmax and context, which
 * takes the queries' place; barrier. Output.
 *
 * Projections and output are shared out by blocks of columns: a core needs the weights of its own
 * blocks alone, and fetches those that lie in far memory itself, one block ahead. Shapes: E % 4 ==
 * 0, P % 4 == 0, S % 4 == 0 (ts_xp_keeps); requantisation: the fast one (ts_xp_kept_set). */
#ifndef TS_XPULP_KEPT_H
#define TS_XPULP_KEPT_H

#include "../mhsa/mhsa.h"
#include "ts_xpulp_fetch.h"
#include "ts_xpulp_panels.h"
#include "ts_xpulp_prepare.h"
#include "ts_xpulp_share.h"
#include "ts_xpulp_softmax.h"

/* What only large layers run does not lie among what small ones do (targets/gap9/link.ld). */
#define TS_XP_LARGE static __attribute__((noinline, unused, section(".text.large.xp"))) TS_XP_SMALL

/* Scratch memory that leaves a GAP9 room for the operands, whatever their factors. */
#define TS_XP_KEPT_MOST 86048u

/* Queries and keys begin in different banks, and so do maps and values. */
#define TS_XP_KEPT_SKEW 16u

typedef struct {
    const ts_team *team;
    const ts_mhsa_args *args;
    uint32_t tiles, depth; /* of the output: H * P */
    int8_t *contexts;      /* and queries: [tiles][depth / 4][4][4] */
    int8_t *keys, *values;
    int8_t *own;    /* this core's: a map of one tile, or two blocks' weights */
    ts_range rows;  /* this core's tiles */
    ts_range share; /* of a head's blocks of queries, keys and values, tile by tile */
    ts_dma_group group;
    int32_t factors[6];
} ts_xp_kept;

/* Of a head's queries and keys. */
static inline uint32_t ts_xp_kept_width(const ts_shape *shape) {
    return TS_XP_FUSED ? shape->E : shape->P;
}

/* A map of one tile and, where the queries' place is too small for it, the softmax buffer. */
static inline uint32_t ts_xp_kept_map(const ts_shape *shape) {
    return shape->S * (shape->S > 2 * shape->P ? 6 : 4);
}

static inline uint32_t ts_xp_kept_own(const ts_shape *shape) {
    const uint32_t map = ts_xp_kept_map(shape);
    return 8 * shape->E > map ? 8 * shape->E : map;
}

/* Scratch memory; the input's panels lie in the output. */
static inline uint32_t ts_xp_kept_bytes(const ts_shape *shape, uint32_t cores) {
    return shape->S * (shape->H + 2) * shape->P + 2 * TS_XP_KEPT_SKEW +
           cores * ts_xp_kept_own(shape);
}

/* Whether a layer goes this way: no core without a tile, and the output's weights, a block for each
 * core, find room in place of keys and values. */
static inline int ts_xp_keeps(const ts_shape *shape, uint32_t cores) {
    return !((shape->S | shape->E | shape->P) & 3) && shape->S >= 4 * cores && shape->S >= 8 &&
           shape->E >= 8 && shape->P >= 8 && ts_xp_kept_width(shape) <= shape->P &&
           2 * cores * shape->H <= shape->S && ts_xp_kept_bytes(shape, cores) <= TS_XP_KEPT_MOST;
}

/* Lays the scratch memory out. */
TS_XP_LARGE void ts_xp_kept_lay_out(ts_xp_kept *k, int8_t *at) {
    const ts_shape *shape = &k->args->shape;
    k->tiles = shape->S / 4;
    k->depth = shape->H * shape->P;
    k->contexts = at;
    k->keys = k->contexts + shape->S * k->depth + TS_XP_KEPT_SKEW;
    k->values = k->keys + shape->S * shape->P;
    k->own =
        k->values + shape->S * shape->P + TS_XP_KEPT_SKEW + k->team->core * ts_xp_kept_own(shape);
    k->rows = ts_team_share(k->team, k->tiles);
    k->share =
        ts_team_share(k->team, (TS_XP_FUSED ? shape->E + shape->P : 3 * shape->P) / 4 * k->tiles);
}

/* The factors of queries, keys, values, scores, context and output. */
enum { TS_XP_QUERY, TS_XP_KEY, TS_XP_VALUE, TS_XP_SCORES, TS_XP_MIX, TS_XP_OUTPUT };

/* One of them; whether the fast requantisation does. `bound`: no sum is larger. */
TS_XP_LARGE uint32_t ts_xp_kept_factor(int32_t *factor, const ts_requant *requant, uint32_t bound) {
    ts_xp_call scale;
    ts_xp_set_scale(&scale, requant, 1, bound, 0);
    *factor = scale.factor;
    return scale.path == TS_XP_FAST;
}

/* The same for a linear layer. */
TS_XP_LARGE uint32_t ts_xp_kept_linear(int32_t *factor, const ts_requant *requant, uint32_t depth,
                                       const int32_t *bias) {
    const uint32_t products = depth * 128 * 128, bound = (uint32_t)bias[0] + products;
    return ts_xp_kept_factor(factor, requant, bound < products ? ~0u : bound);
}

/* All of them; whether the fast way does throughout. */
TS_XP_LARGE uint32_t ts_xp_kept_set(ts_xp_kept *k) {
    const ts_mhsa_args *args = k->args;
    const uint32_t E = args->shape.E;
    int32_t *to = k->factors;
    return ts_xp_kept_linear(to + TS_XP_QUERY, &args->q, E, args->q_bias) &
           (TS_XP_FUSED || ts_xp_kept_linear(to + TS_XP_KEY, &args->k, E, args->k_bias)) &
           ts_xp_kept_linear(to + TS_XP_VALUE, &args->v, E, args->v_bias) &
           ts_xp_kept_linear(to + TS_XP_OUTPUT, &args->o, k->depth, args->o_bias) &
           ts_xp_kept_factor(to + TS_XP_SCORES, &args->scores,
                             ts_xp_kept_width(&args->shape) * 128 * 128) &
           ts_xp_kept_factor(to + TS_XP_MIX, &args->context, 255 * 128);
}

/* Where a block's weights are, or will be. */
static TS_XP_INLINE const int8_t *ts_xp_kept_fetch(ts_xp_kept *k, const int8_t *weight,
                                                   uint32_t bytes, int8_t *slot) {
    k->group = TS_XP_NO_GROUP;
    if (!ts_dma_is_far(weight))
        return weight;
    k->group = ts_dma_begin();
    ts_dma_copy(k->group, slot, weight, bytes);
    return slot;
}

/* Returns when the weights fetched last are there. */
static TS_XP_INLINE void ts_xp_kept_wait(const ts_xp_kept *k) {
    if (k->group != TS_XP_NO_GROUP)
        ts_dma_wait(k->group);
}

/* What a block of a head is of, its queries, keys and values one behind the other; `block` becomes
 * its number there. */
static TS_XP_INLINE uint32_t ts_xp_kept_kind(const ts_shape *shape, uint32_t *block) {
    const uint32_t queries = ts_xp_kept_width(shape) / 4, keys = TS_XP_FUSED ? 0 : shape->P / 4;
    if (*block < queries)
        return TS_XP_QUERY;
    *block -= queries;
    if (!TS_XP_FUSED && *block < keys)
        return TS_XP_KEY;
    *block -= keys;
    return TS_XP_VALUE;
}

/* The weights of one. */
TS_XP_LARGE const int8_t *ts_xp_kept_weights(ts_xp_kept *k, uint32_t head, uint32_t block,
                                             int8_t *slot) {
    const ts_mhsa_args *args = k->args;
    const uint32_t kind = ts_xp_kept_kind(&args->shape, &block);
    const uint32_t width = kind == TS_XP_QUERY ? ts_xp_kept_width(&args->shape) : args->shape.P;
    const int8_t *from = kind == TS_XP_QUERY ? args->q_weight
                         : kind == TS_XP_KEY ? args->k_weight
                                             : args->v_weight;
    return ts_xp_kept_fetch(k, from + (head * width + 4 * block) * args->shape.E, 4 * args->shape.E,
                            slot);
}

/* Its tiles `first` to `end`. */
static TS_XP_INLINE void ts_xp_kept_block(const ts_xp_kept *k, uint32_t head, uint32_t block,
                                          uint32_t first, uint32_t end, const int8_t *weights) {
    const ts_mhsa_args *args = k->args;
    const uint32_t P = args->shape.P, E = args->shape.E;
    const uint32_t kind = ts_xp_kept_kind(&args->shape, &block);
    const int32_t *bias = args->k_bias + head * P;
    uint32_t tile = 4 * P;
    ts_xp_panel_call call;
    call.left = args->output + first * 4 * E;
    call.right = weights;
    call.steps = E / 4;
    call.tiles = end - first;
    call.factor = k->factors[kind];
    call.output = k->keys + 16 * block;
    if (kind == TS_XP_VALUE) {
        call.bias = args->v_bias + 4 + head * P + 4 * block;
        call.output = k->values + 4 * block * args->shape.S + 16 * first;
        ts_xp_down_columns(&call);
        return;
    }
    if (kind == TS_XP_QUERY) {
        bias = args->q_bias + head * ts_xp_kept_width(&args->shape);
        tile = 4 * k->depth;
        call.output = k->contexts + 4 * head * P + 16 * block;
    }
    call.bias = bias + 4 + 4 * block;
    call.output += first * tile;
    call.output_turn = tile - 12;
    ts_xp_down_panels(&call);
}

/* This core's part of a head's queries, keys and values. `weights` are those of its first block, or
 * NULL; returns the same of the next head. They are on their way to where the head after it will
 * have its queries. */
TS_XP_LARGE const int8_t *ts_xp_kept_project(ts_xp_kept *k, uint32_t head, const int8_t *weights) {
    const ts_shape *shape = &k->args->shape;
    const uint32_t begin = k->share.begin / k->tiles, slot = 4 * shape->E;
    int8_t *next = k->own;
    if (!weights)
        weights = ts_xp_kept_weights(k, head, begin, next);
    for (uint32_t block = begin, at = k->share.begin, end; at < k->share.end; at = end, block++) {
        const uint32_t from = block * k->tiles, to = from + k->tiles;
        const int8_t *now = weights;
        end = ts_min(to, k->share.end);
        ts_xp_kept_wait(k);
        next = next == k->own ? k->own + slot : k->own;
        if (to < k->share.end)
            weights = ts_xp_kept_weights(k, head, block + 1, next);
        ts_xp_kept_block(k, head, block, at - from, end - from, now);
    }
    if (head + 2 >= shape->H || shape->E > shape->P)
        return NULL;
    next = k->contexts + 4 * (k->rows.begin * k->depth + (head + 2) * shape->P);
    return ts_xp_kept_weights(k, head + 1, begin, next);
}

/* Softmax of the map where the one by pairs does not do. */
TS_XP_LARGE void ts_xp_kept_softmax(const ts_xp_kept *k) {
    const ts_xp_rows rows = {
        .input = k->own,
        .output = (uint8_t *)k->own,
        .input_step = 16,
        .output_step = 16,
        .input_row = 4,
        .output_row = 4,
        .rows = 4,
        .n = k->args->shape.S,
        .padded = 1,
    };
    ts_xp_softmax_rows(&rows, &k->args->table);
}

/* This core's row tiles of a head: scores, softmax, context. */
TS_XP_LARGE void ts_xp_kept_attend(const ts_xp_kept *k, uint32_t head) {
    const ts_shape *shape = &k->args->shape;
    const uint32_t S = shape->S, P = shape->P;
    const uint32_t *pairs = k->args->table.entries + 256;
    const int by_pairs = pairs[0] && S <= TS_XP_PAIRS_LONGEST;
    ts_xp_panel_call scores, mix;
    int8_t *at = k->contexts + 4 * (k->rows.begin * k->depth + head * P);
    scores.right = TS_XP_FUSED ? k->args->output : k->keys;
    mix.left = scores.output = k->own;
    scores.steps = ts_xp_kept_width(shape) / 4;
    mix.blocks = P / 4;
    scores.blocks = mix.steps = S / 4;
    scores.factor = k->factors[TS_XP_SCORES];
    mix.right = k->values;
    mix.factor = k->factors[TS_XP_MIX];
    for (uint32_t n = k->rows.end - k->rows.begin; n; n--, at += 4 * k->depth) {
        scores.left = mix.output = at;
        ts_xp_across_s(&scores);
        /* The queries are of no more use. */
        if (by_pairs)
            ts_xp_softmax_panel(k->own, S / 4, pairs,
                                (uint32_t *)(S > 2 * P ? k->own + 4 * S : at));
        else
            ts_xp_kept_softmax(k);
        ts_xp_across_u(&mix);
    }
}

/* This core's part of the output. */
TS_XP_LARGE void ts_xp_kept_output(ts_xp_kept *k) {
    const ts_mhsa_args *args = k->args;
    const uint32_t E = args->shape.E, bytes = 4 * k->depth;
    const ts_range share = ts_team_share(k->team, E / 4 * k->tiles);
    uint32_t block = share.begin / k->tiles;
    int8_t *slot = k->keys + k->team->core * bytes;
    ts_xp_panel_call call;
    call.steps = k->depth / 4;
    call.factor = k->factors[TS_XP_OUTPUT];
    call.output_word = call.output_turn = E;
    for (uint32_t at = share.begin, end; at < share.end; at = end, block++) {
        const uint32_t from = block * k->tiles;
        end = ts_min(from + k->tiles, share.end);
        call.right = ts_xp_kept_fetch(k, args->o_weight + block * bytes, bytes, slot);
        call.left = k->contexts + (at - from) * bytes;
        call.bias = args->o_bias + 4 + 4 * block;
        call.output = args->output + (at - from) * 4 * E + 4 * block;
        call.tiles = end - at;
        ts_xp_kept_wait(k);
        ts_xp_down_rows(&call);
    }
}

/* This core's rows of the input, to panels in the output. Two words a turn, so that no load is used
 * by the next instruction. */
TS_XP_LARGE void ts_xp_kept_input(const ts_xp_kept *k) {
    const ts_mhsa_args *args = k->args;
    const uint32_t E = args->shape.E;
    for (uint32_t row = 4 * k->rows.begin; row < 4 * k->rows.end; row++) {
        const int8_t *from = args->input + row * E;
        int8_t *to = args->output + row / 4 * 4 * E + 4 * (row & 3);
        uint32_t a, b;
        if (E & 4) {
            *(uint32_t *)to = *(const uint32_t *)from;
            from += 4;
            to += 16;
        }
        __asm__ volatile(TS_XP_NORVC TS_XP_LOOP("n", "4") /* p.lw a; p.lw b; p.sw a; p.sw b */
                         ".insn i 0x0b, 2, %[a], 4(%[from])\n\t"
                         ".insn i 0x0b, 2, %[b], 4(%[from])\n\t"
                         ".insn s 0x2b, 2, %[a], 16(%[to])\n\t"
                         ".insn s 0x2b, 2, %[b], 16(%[to])\n\t"
                         ".option pop"
                         : [a] "=&r"(a), [b] "=&r"(b), [from] "+r"(from), [to] "+r"(to)
                         : [n] "r"(E / 8)
                         : "memory");
    }
}

/* Whether it did: otherwise another way has to be taken. */
TS_XP_LARGE int ts_xp_kept_run(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    ts_xp_kept k;
    k.team = team;
    k.args = args;
    ts_xp_kept_lay_out(&k, scratch);
    if (!ts_xp_kept_set(&k))
        return 0;
    ts_xp_kept_input(&k);
    ts_team_barrier(team);
    const int8_t *weights = NULL;
    for (uint32_t head = 0; head < args->shape.H; head++) {
        weights = ts_xp_kept_project(&k, head, weights);
        ts_team_barrier(team);
        ts_xp_kept_attend(&k, head);
        ts_team_barrier(team);
    }
    ts_xp_kept_output(&k);
    return 1;
}

#endif
