/* SPDX-License-Identifier: Apache-2.0 */
/* A whole attention layer of few rows for XpulpV2 whose operands suit the block products only with
 * padding, or whose heads do not share out evenly. What ts_xpulp_layer.h does, with the same
 * result, where nothing is rounded or scaled per channel.
 *
 * 1. The input's rows, and the biases of each head, to places of a multiple of four: a core's share
 *    of either, and of the factors. Barrier.
 * 2. Queries, keys and values as one row of blocks of 4 columns, an equal piece for each core.
 *    Barrier.
 * 3. Scores, softmax and context: of up to four rows row by row
 *    (kernels/generators/xpulp_attention.py), else in tiles of four; an equal piece of the rows or
 *    tiles of all heads for each core. Barrier.
 * 4. Output projection: blocks of a tile's columns, which a core moves to their place itself.
 *
 * Padding is never cleared: it meets weights that are 0, or columns and rows that nobody reads. */
#ifndef TS_XPULP_PADDED_H
#define TS_XPULP_PADDED_H

#include "ts_xpulp_short.h"

#define TS_XP_PADDED TS_XP_SELDOM

/* Rows up to which this is worth its while. */
#define TS_XP_PADDED_LONGEST 36u

typedef void ts_xp_padded_fn(const ts_team *team, const ts_mhsa_args *args, int8_t *scratch);

/* kernels/generators/xpulp_padded.py: the layer of up to 8 and 12 rows. */
ts_xp_padded_fn ts_xp_padded_2, ts_xp_padded_3;
/* kernels/generators/xpulp_blocks.py: that of 5 to 8, 9 to 12 and 13 to 16 rows. */
ts_xp_padded_fn ts_xp_blocks_2, ts_xp_blocks_3, ts_xp_blocks_4;

_Static_assert(offsetof(ts_mhsa_args, output) == 124 || sizeof(void *) > 4,
               "as the generator has it");

/* Weights and biases of a linear layer; ts_mhsa_args has those of queries, keys, values and output
 * behind each other. */
typedef struct __attribute__((may_alias)) {
    const int8_t *weight;
    const int32_t *bias;
} ts_xp_padded_linear;
_Static_assert(offsetof(ts_mhsa_args, o_bias) ==
                   offsetof(ts_mhsa_args, q_weight) + 7 * sizeof(const int8_t *),
               "pairs of pointers");

static TS_XP_INLINE const ts_xp_padded_linear *ts_xp_padded_linears(const ts_mhsa_args *args) {
    return (const ts_xp_padded_linear *)(const void *)&args->q_weight;
}

/* At least one word. */
static TS_XP_INLINE void ts_xp_move_words(void *to, const void *from, uint32_t words) {
    uint32_t word;
    __asm__ volatile(TS_XP_NORVC TS_XP_LOOP("n", "2") ".insn i 0x0b, 2, %[word], 4(%[from])\n\t"
                                                      ".insn s 0x2b, 2, %[word], 4(%[to])\n\t"
                                                      ".option pop"
                     : [word] "=&r"(word), [from] "+r"(from), [to] "+r"(to)
                     : [n] "r"(words)
                     : "memory");
}

/* `count` times `words` words, words % 4 != 0, each followed by zeros up to a multiple of four. */
static TS_XP_INLINE void ts_xp_spread_words(int32_t *to, const int32_t *from, uint32_t words,
                                            uint32_t count) {
    uint32_t word;
    __asm__ volatile(TS_XP_NORVC ".insn i 0x7b, 4, x1, %[count], 2*7\n\t" /* lp.setup 1 */
                     TS_XP_LOOP("words", "2") ".insn i 0x0b, 2, %[word], 4(%[from])\n\t"
                                              ".insn s 0x2b, 2, %[word], 4(%[to])\n\t" TS_XP_LOOP(
                                                  "zeros", "2") "nop\n\t"
                                                                ".insn s 0x2b, 2, x0, 4(%[to])\n\t"
                                                                "nop\n\t"
                                                                ".option pop"
                     : [word] "=&r"(word), [from] "+r"(from), [to] "+r"(to)
                     : [words] "r"(words), [zeros] "r"(4 - (words & 3)), [count] "r"(count)
                     : "memory");
}

/* Exactly `bytes` bytes. */
TS_XP_PADDED void ts_xp_move(int8_t *to, const int8_t *from, uint32_t bytes) {
    if (bytes >= 4)
        ts_xp_move_words(to, from, bytes / 4);
    for (uint32_t i = bytes & ~3u; i < bytes; i++)
        to[i] = from[i];
}

/* Where things lie in scratch memory, behind the factors (of queries, keys, values, scores, context
 * and output, less one) and the biases [3][H][align4(P)]. */
static TS_XP_INLINE int32_t *ts_xp_padded_biases(int8_t *scratch) {
    return (int32_t *)(scratch + 32);
}

/* This core's share of the factors, and of the biases and the input's rows in their places. */
static TS_XP_INLINE void ts_xp_padded_begin(const ts_team *team, const ts_mhsa_args *args,
                                            int8_t *scratch, int8_t *copy) {
    const uint32_t S = args->shape.S, E = args->shape.E, P = args->shape.P, H = args->shape.H;
    const uint32_t cores = team->cores, last = cores - 1 - team->core;
    const uint32_t to = 65536 / cores + 1, from = team->core * to;
    const ts_xp_padded_linear *const linears = ts_xp_padded_linears(args);
    /* 2: at least 255 * 128 all the same. */
    const uint32_t parts[6] = {E, E, E, P, 2, H * P};
    for (uint32_t i = team->core; i < 6; i += cores) {
        __asm__ volatile("" : "+r"(i)); /* here and below: addresses anew is less code */
        uint32_t bound = parts[i] * 128 * 128;
        if (i != 3 && i != 4)
            bound += (uint32_t)linears[ts_min(i, 3)].bias[0];
        ((int32_t *)scratch)[i] = ts_xp_short_factor(&args->q + i, bound);
    }
    if (P & 3) {
        const uint32_t first = H * from >> 16, count = (H * (from + to) >> 16) - first;
        int32_t *place = ts_xp_padded_biases(scratch) + first * ts_xp_align4(P);
        if (count)
            for (uint32_t i = 0; i < 3; i++, place += H * ts_xp_align4(P))
                ts_xp_spread_words(place, linears[i].bias + 4 + first * P, P, count);
    }
    for (uint32_t row = last; row < S; row += cores) {
        __asm__ volatile("" : "+r"(row));
        ts_xp_move(copy + row * ts_xp_align4(E), args->input + row * E, E);
    }
    ts_team_barrier(team);
}

/* Whether all factors are those of ts_xp_fast4. */
static TS_XP_INLINE int ts_xp_padded_is_fast(const int32_t *f) {
    return (f[0] | f[1] | f[2] | f[3] | f[4] | f[5]) >= 0;
}

/* Where they are not, and all cores have to see it. */
ts_xp_padded_fn ts_xp_padded_other;
__attribute__((noinline)) TS_XP_SMALL void
ts_xp_padded_other(const ts_team *team, const ts_mhsa_args *args, int8_t *scratch) {
    ts_team_barrier(team);
    ts_xp_layer_run(team, args, scratch);
}

/* Output projection: this core's blocks of tiles' columns, and out of the copy to their place. */
static TS_XP_INLINE void ts_xp_padded_output(const ts_mhsa_args *args, ts_xp_call *call,
                                             const int32_t *factors, const int8_t *context,
                                             int8_t *copy, uint32_t from, uint32_t to) {
    const uint32_t S = args->shape.S, E = args->shape.E, all = (E + 3) / 4, depth = 4 * all;
    const uint32_t HP = ts_xp_align4(args->shape.H * args->shape.P), units = all * ((S + 3) / 4);
    uint32_t first = units * from >> 16, left = (units * (from + to) >> 16) - first, row = 0;
    for (; first >= all; first -= all)
        row += 4;
    call->kind = TS_XP_BIAS;
    call->select = TS_XP_ROWS;
    call->factor = factors[5];
    call->left_row = HP;
    call->steps = HP / 4;
    call->tiles = 1;
    call->output_row = depth;
    call->output_block = 4;
    for (; left; first = 0) {
        __asm__ volatile("" : "+r"(row), "+r"(first));
        const uint32_t column = 4 * first, count = ts_min(left, all - first);
        const uint32_t bytes = ts_min(4 * count, E - column);
        left -= count;
        call->blocks = count;
        call->left = context + row * HP;
        call->right = args->o_weight + column * HP;
        call->bias = args->o_bias + 4 + column;
        call->output = copy + row * depth + column;
        ts_xp_fast4(call, 1);
        do {
            __asm__ volatile("" : "+r"(row));
            ts_xp_move(args->output + row * E + column, copy + row * depth + column, bytes);
            row++;
        } while (row < S && row & 3);
    }
}

/* The layer of more rows. */
TS_XP_PADDED void ts_xp_padded_many(const ts_team *team, const ts_mhsa_args *args,
                                    int8_t *scratch) {
    const uint32_t S = args->shape.S, E = args->shape.E, P = args->shape.P, H = args->shape.H;
    const uint32_t blocks = (P + 3) / 4, all = H * blocks, depth = ts_xp_align4(E);
    const uint32_t HP = ts_xp_align4(H * P), tiles = (S + 3) / 4, to = 65536 / team->cores + 1;
    const uint32_t from = team->core * to, most = ts_min(tiles, 3), panels = 16 * tiles * all;
    int32_t *const factors = (int32_t *)scratch, *const biases = ts_xp_padded_biases(scratch);
    int8_t *const queries = (int8_t *)(biases + 12 * all), *const keys = queries + panels;
    int8_t *const values = keys + panels, *const context = values + panels;
    int8_t *const copy = context + 4 * tiles * HP;
    int8_t *const map =
        copy + 4 * tiles * depth + team->core * (16 * most * (tiles + blocks) + 8 * tiles);
    int8_t *const mix = map + 16 * most * tiles;
    ts_xp_padded_begin(team, args, scratch, copy);
    if (!ts_xp_padded_is_fast(factors)) {
        ts_xp_padded_other(team, args, scratch);
        return;
    }
    uint32_t first = 3 * all * from >> 16, left = (3 * all * (from + to) >> 16) - first;
    ts_xp_call call;
    ts_xp_short_call(&call, copy, depth, NULL, depth, TS_XP_BIAS, 0, tiles);
    call.bias = biases + 4 * first;
    const ts_xp_padded_linear *const linear = ts_xp_padded_linears(args);
    uint32_t kind = 0;
    for (; first >= all; first -= all)
        kind++;
    while (left) {
        uint32_t count = ts_min(left, all - first);
        call.right = linear[kind].weight + first * 4 * depth;
        if (!(P & 3))
            call.bias = linear[kind].bias + 4 + 4 * first;
        call.factor = factors[kind];
        call.output = queries + 4 * first;
        call.output_row = 16 * all / 4;
        call.output_block = 4;
        call.output_tile = 16 * all;
        if (kind) {
            call.output = values + 16 * tiles * first;
            call.output_row = 4;
            call.output_block = 16 * tiles;
            call.output_tile = 16;
            call.select = TS_XP_COLUMNS;
        }
        if (kind == 1) {
            call.select = TS_XP_ROWS;
            call.output -= panels;
            if (blocks > 1) { /* heads are apart */
                const uint32_t block = first % blocks;
                count = ts_min(count, blocks - block);
                call.output -= 16 * (tiles - 1) * block;
                call.output_block = 16;
                call.output_tile = 16 * blocks;
            }
        }
        call.blocks = count;
        ts_xp_fast4(&call, 1);
        call.bias += 4 * count;
        left -= count;
        first += count;
        if (first == all) {
            first = 0;
            kind++;
        }
    }
    ts_team_barrier(team);
    first = H * tiles * from >> 16;
    left = (H * tiles * (from + to) >> 16) - first;
    uint32_t head = first / tiles, tile = first - head * tiles;
    call.select = TS_XP_ROWS;
    call.output_block = 4;
    while (left) {
        const uint32_t count = ts_min(ts_min(left, tiles - tile), 3), row = 4 * tile;
        const uint32_t rows = ts_min(4 * count, S - row);
        call.left = queries + row * 4 * all + 4 * blocks * head;
        call.left_row = 4 * all;
        call.right = keys + 16 * blocks * tiles * head;
        call.kind = TS_XP_ZERO;
        call.factor = factors[3];
        call.output = map;
        call.output_row = 4 * tiles;
        call.output_tile = 16 * tiles;
        call.steps = blocks;
        call.blocks = tiles;
        call.tiles = count;
        ts_xp_fast4(&call, 1);
        ts_xp_softmax_pairs(map, (uint8_t *)map, S, rows, args->table.entries + 256,
                            (uint32_t *)(mix + 16 * most * blocks));
        call.left = map;
        call.left_row = 4 * tiles;
        call.right += panels;
        call.kind = TS_XP_UNSIGNED;
        call.factor = factors[4];
        call.output = mix;
        call.output_row = 4 * blocks;
        call.output_tile = 16 * blocks;
        call.steps = tiles;
        call.blocks = blocks;
        ts_xp_fast4(&call, 1);
        for (uint32_t i = 0; i < rows; i++)
            ts_xp_move(context + (row + i) * HP + head * P, mix + i * 4 * blocks, P);
        left -= count;
        tile += count;
        if (tile == tiles) {
            tile = 0;
            head++;
        }
    }
    ts_team_barrier(team);
    ts_xp_padded_output(args, &call, factors, context, copy, from, to);
}

/* Whether the layer goes by blocks of rows: 13 to 16 rows, fewer where each core has enough of them
 * to make up for more code; with an input of one word a row half as many are enough. */
static TS_XP_INLINE int ts_xp_padded_by_blocks(const ts_shape *shape, uint32_t cores) {
    const uint32_t rows = (shape->E <= 4 ? 2 : 1) * shape->S * shape->H;
    return shape->P != 3 && shape->S <= 16 &&
           (shape->S > 12 || rows >= (shape->S <= 8 ? 50 : 19) * cores);
}

/* Bytes of scratch memory. */
static inline uint32_t ts_xp_padded_bytes(const ts_shape *shape, uint32_t cores) {
    const uint32_t S = ts_xp_align4(shape->S), P = ts_xp_align4(shape->P), chunk = ts_min(S, 12);
    const uint32_t all = 32 + S * (ts_xp_align4(shape->E) + ts_xp_align4(shape->H * shape->P)) +
                         3 * (S + 4) * shape->H * P;
    const uint32_t maps = ts_xp_padded_by_blocks(shape, cores) ? shape->H * S * S : 0;
    return S <= 12 || maps ? all + maps : all + cores * (chunk * (S + P) + 2 * S);
}

/* Whether the shape is one of these; `worth`: S at most 4, or E or P no multiple of four. Longer
 * sequences of heads of two channels have a faster way (xpulp_narrow.py). */
static TS_XP_INLINE int ts_xp_padded_suits(const ts_shape *shape, uint32_t worth) {
    return worth && shape->S <= TS_XP_PADDED_LONGEST && !((shape->H * shape->P | shape->E) >> 9) &&
           (shape->P != 2 || shape->S <= 28 || (shape->S & 3) == 1);
}

/* Such a layer. */
TS_XP_PADDED void ts_xp_padded_run(const ts_team *team, const ts_mhsa_args *args, int8_t *scratch) {
    ts_xp_padded_fn *run = ts_xp_padded_many;
    const int large = ts_xp_padded_by_blocks(&args->shape, team->cores);
    if (args->shape.S <= 8)
        run = large ? ts_xp_blocks_2 : ts_xp_padded_2;
    else if (args->shape.S <= 12)
        run = large ? ts_xp_blocks_3 : ts_xp_padded_3;
    else if (large)
        run = ts_xp_blocks_4;
    run(team, args, scratch);
}

#endif
