/* SPDX-License-Identifier: Apache-2.0 */
/* A whole attention layer of few rows for XpulpV2 whose operands suit the block products only with
 * padding, or whose heads do not share out evenly. What ts_xpulp_layer.h does, with the same result,
 * where nothing is rounded or scaled per channel.
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

/* What ts_xp_attend_few works on: rows of heads that follow each other. Its words are numbered by
 * the generator. Offsets in bytes. */
typedef struct {
    const int8_t *query;         /* first row */
    const int8_t *keys, *values; /* of the first row's head: panels */
    int8_t *context;             /* of the first row */
    uint32_t rows_left;          /* of its head, from it on */
    uint32_t count;              /* rows in all, at least 1 */
    uint32_t blocks;             /* of 4 channels */
    int32_t scores, mix;         /* factors less one */
    uint32_t keep;               /* all bits of a byte for each row of a head */
    const uint32_t *pairs;       /* layout softmax_pairs */
    uint32_t channels;
    uint32_t query_row, context_row;  /* from a row to the next */
    uint32_t head;                    /* from head to head of the panels */
    int32_t query_turn, context_turn; /* from behind a head's last row to the next head */
    uint32_t rows;                    /* of a head */
} ts_xp_few;

void ts_xp_attend_few(const ts_xp_few *few);

/* Sizes with padding, and where things lie in scratch memory. */
typedef struct {
    const ts_team *team;
    const ts_mhsa_args *args;
    uint32_t reciprocal;                /* of the number of cores, 2^16 as large */
    uint32_t tiles, blocks, row, depth; /* row: bytes of a row of queries; depth: of an input row */
    uint32_t context_row;
    int copies;      /* input and output have no whole tiles */
    int32_t *factors; /* of queries, keys, values, scores, context, output; less one */
    int8_t *copy;     /* [4 * tiles][depth]: the input, then the output */
    int32_t *biases;  /* [3][row] */
    int8_t *queries;  /* [4 * tiles][row] */
    int8_t *keys;     /* [H][tiles][blocks][4][4] */
    int8_t *values;   /* [H][blocks][tiles][4][4] */
    int8_t *context;  /* [4 * tiles][context_row] */
    int8_t *map;      /* this core's */
} ts_xp_padded;

/* Rows of a head that a core takes at once. */
static TS_XP_INLINE uint32_t ts_xp_padded_chunk(uint32_t tiles) { return ts_min(tiles, 3); }

/* Lays the scratch memory out; returns its end. */
static TS_XP_INLINE int8_t *ts_xp_padded_lay_out(ts_xp_padded *p, const ts_shape *shape,
                                                 const ts_team *team, int8_t *at) {
    const uint32_t tiles = (shape->S + 3) / 4, S = 4 * tiles, blocks = (shape->P + 3) / 4;
    const uint32_t row = 4 * shape->H * blocks, depth = ts_xp_align4(shape->E);
    const uint32_t chunk = 4 * ts_xp_padded_chunk(tiles);
    p->tiles = tiles;
    p->blocks = blocks;
    p->row = row;
    p->depth = depth;
    p->context_row = ts_xp_align4(shape->H * shape->P);
    p->factors = (int32_t *)at;
    at += 32;
    p->copy = at;
    at += S * depth;
    p->biases = (int32_t *)at;
    at += 12 * row;
    p->queries = at;
    at += S * row;
    p->keys = at;
    at += S * row;
    p->values = at;
    at += S * row;
    p->context = at;
    at += S * p->context_row;
    p->map = at + team->core * (chunk * (S + 4 * blocks) + 2 * S);
    return tiles == 1 ? at : at + team->cores * (chunk * (S + 4 * blocks) + 2 * S);
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

/* Exactly `bytes` bytes. */
TS_XP_PADDED void ts_xp_move(int8_t *to, const int8_t *from, uint32_t bytes) {
    if (bytes >= 4)
        ts_xp_move_words(to, from, bytes / 4);
    for (uint32_t i = bytes & ~3u; i < bytes; i++)
        to[i] = from[i];
}

/* This core's share without a division. */
static TS_XP_INLINE ts_range ts_xp_padded_share(const ts_xp_padded *p, uint32_t count) {
    const uint32_t begin = count * p->team->core;
    return (ts_range){begin * p->reciprocal >> 16, (begin + count) * p->reciprocal >> 16};
}

/* This core's share of the factors, and of the operands in their places. */
TS_XP_PADDED void ts_xp_padded_begin(const ts_xp_padded *p) {
    const ts_mhsa_args *args = p->args;
    const uint32_t S = args->shape.S, E = args->shape.E, P = args->shape.P, H = args->shape.H;
    const uint32_t cores = p->team->cores, last = cores - 1 - p->team->core;
    const int32_t *const *biases = &args->q_bias;
    for (uint32_t i = p->team->core; i < 6; i += cores) {
        uint32_t depth = E;
        if (i >= 3)
            depth = i == 3 ? P : H * P;
        uint32_t bound = depth * 128 * 128;
        if (i == 4)
            bound = 255 * 128;
        else if (i != 3)
            bound += (uint32_t)(i == 5 ? args->o_bias : biases[2 * i])[0];
        p->factors[i] = ts_xp_short_factor(&args->q + i, bound);
    }
    if (P & 3)
        for (uint32_t head = last; head < H; head += cores) {
            int32_t *to = p->biases + 4 * head * p->blocks;
            for (uint32_t i = 0; i < 3; i++, to += p->row) {
                ts_xp_move_words(to, biases[2 * i] + 4 + head * P, P);
                for (uint32_t j = P; j & 3; j++)
                    to[j] = 0;
            }
        }
    if (p->copies)
        for (uint32_t row = last; row < S; row += cores)
            ts_xp_move(p->copy + row * p->depth, args->input + row * E, E);
}

/* This core's blocks of queries, keys and values. */
TS_XP_PADDED void ts_xp_padded_project(const ts_xp_padded *p) {
    const ts_mhsa_args *args = p->args;
    const int8_t *const *weights = &args->q_weight;
    const int32_t *const *biases = &args->q_bias;
    const uint32_t all = p->row / 4, tiles = p->tiles, blocks = p->blocks, depth = p->depth;
    ts_range share = ts_xp_padded_share(p, 3 * all);
    ts_xp_call call;
    ts_xp_short_call(&call, p->copies ? p->copy : args->input, depth, NULL, depth, TS_XP_BIAS, 0,
                     tiles);
    while (share.begin < share.end) {
        uint32_t kind = 0, block = share.begin;
        for (; block >= all; block -= all)
            kind++;
        uint32_t count = ts_min(share.end - share.begin, all - block);
        call.right = weights[2 * kind] + block * 4 * depth;
        call.bias = args->shape.P & 3 ? p->biases + 4 * share.begin
                                      : biases[2 * kind] + 4 + 4 * block;
        call.factor = p->factors[kind];
        if (kind == 0) {
            ts_xp_short_output(&call, p->queries + 4 * block, p->row, 4, 4 * p->row, count);
        } else if (kind == 1) {
            /* Heads are apart where there are several tiles. */
            int8_t *keys = p->keys + 16 * block;
            if (tiles > 1) {
                const uint32_t head = blocks > 1 ? block / blocks : block;
                const uint32_t first = block - head * blocks;
                count = ts_min(count, blocks - first);
                keys += 16 * head * blocks * (tiles - 1);
            }
            ts_xp_short_output(&call, keys, 4, 16, 16 * blocks, count);
        } else {
            call.select = TS_XP_COLUMNS;
            ts_xp_short_output(&call, p->values + 16 * tiles * block, 4, 16 * tiles, 16, count);
        }
        ts_xp_fast4(&call, 1);
        share.begin += count;
    }
}

/* Scores, softmax and context of this core's rows of at most four rows a head. */
TS_XP_PADDED void ts_xp_padded_rows(const ts_xp_padded *p) {
    const ts_mhsa_args *args = p->args;
    const uint32_t S = args->shape.S, P = args->shape.P, HP = p->context_row;
    const ts_range share = ts_xp_padded_share(p, args->shape.H * S);
    if (share.begin >= share.end)
        return;
    const uint32_t head = share.begin / S, row = share.begin - head * S, panel = 16 * p->blocks;
    const ts_xp_few few = {
        .query = p->queries + row * p->row + 4 * p->blocks * head,
        .keys = p->keys + panel * head,
        .values = p->values + panel * head,
        .context = p->context + row * HP + head * P,
        .rows_left = S - row,
        .count = share.end - share.begin,
        .blocks = p->blocks,
        .scores = p->factors[3],
        .mix = p->factors[4],
        .keep = 0xffffffffu >> (32 - 8 * S),
        .pairs = args->table.entries + 256,
        .channels = P,
        .query_row = p->row,
        .context_row = HP,
        .head = panel,
        .query_turn = (int32_t)(4 * p->blocks - S * p->row),
        .context_turn = (int32_t)(P - S * HP),
        .rows = S,
    };
    ts_xp_attend_few(&few);
}

/* The same of this core's tiles of more rows. */
TS_XP_PADDED void ts_xp_padded_tiles(const ts_xp_padded *p) {
    const ts_mhsa_args *args = p->args;
    const uint32_t S = args->shape.S, P = args->shape.P;
    const uint32_t tiles = p->tiles, blocks = p->blocks, panels = 16 * blocks * tiles;
    ts_range share = ts_xp_padded_share(p, args->shape.H * tiles);
    uint32_t head = share.begin / tiles, tile = share.begin - head * tiles;
    int8_t *const map = p->map, *const mix = map + 16 * tiles * ts_xp_padded_chunk(tiles);
    uint32_t *const buffer = (uint32_t *)(mix + 16 * blocks * ts_xp_padded_chunk(tiles));
    for (uint32_t left = share.end - share.begin, count; left; left -= count) {
        count = ts_min(ts_min(left, tiles - tile), 3);
        const uint32_t row = 4 * tile, rows = ts_min(4 * count, S - row);
        ts_xp_call call;
        ts_xp_short_call(&call, p->queries + row * p->row + 4 * blocks * head, p->row,
                         p->keys + head * panels, 4 * blocks, TS_XP_ZERO, p->factors[3], count);
        ts_xp_short_output(&call, map, 4 * tiles, 4, 16 * tiles, tiles);
        ts_xp_fast4(&call, 1);
        ts_xp_softmax_pairs(map, (uint8_t *)map, S, rows, args->table.entries + 256, buffer);
        ts_xp_short_call(&call, map, 4 * tiles, p->values + head * panels, 4 * tiles,
                         TS_XP_UNSIGNED, p->factors[4], count);
        ts_xp_short_output(&call, mix, 4 * blocks, 4, 16 * blocks, blocks);
        ts_xp_fast4(&call, 1);
        int8_t *context = p->context + row * p->context_row + head * P;
        for (uint32_t i = 0; i < rows; i++, context += p->context_row)
            ts_xp_move(context, mix + i * 4 * blocks, P);
        tile += count;
        if (tile == tiles) {
            tile = 0;
            head++;
        }
    }
}

/* This core's blocks of the output. */
TS_XP_PADDED void ts_xp_padded_output(const ts_xp_padded *p) {
    const ts_mhsa_args *args = p->args;
    const uint32_t S = args->shape.S, E = args->shape.E, depth = p->depth, all = depth / 4;
    ts_range share = ts_xp_padded_share(p, all * p->tiles);
    uint32_t first = share.begin, row = 0;
    for (; first >= all; first -= all)
        row += 4;
    for (uint32_t left = share.end - share.begin, count; left; left -= count, row += 4, first = 0) {
        count = ts_min(left, all - first);
        const uint32_t column = 4 * first, HP = p->context_row;
        int8_t *output = (p->copies ? p->copy : args->output) + row * depth + column;
        ts_xp_call call;
        ts_xp_short_call(&call, p->context + row * HP, HP, args->o_weight + column * HP, HP,
                         TS_XP_BIAS, p->factors[5], 1);
        call.bias = args->o_bias + 4 + column;
        ts_xp_short_output(&call, output, depth, 4, 0, count);
        ts_xp_fast4(&call, 1);
        if (!p->copies)
            continue;
        const uint32_t bytes = ts_min(4 * count, E - column), end = ts_min(row + 4, S);
        for (uint32_t i = row; i < end; i++, output += depth)
            ts_xp_move(args->output + i * E + column, output, bytes);
    }
}

/* Whether the shape is one of these. */
static inline int ts_xp_padded_suits(const ts_shape *shape) {
    return shape->S <= TS_XP_PADDED_LONGEST && shape->H * shape->P <= 512 && shape->E <= 256 &&
           (shape->S <= 4 || ((shape->E | shape->P) & 3));
}

/* Whether it is done. */
TS_XP_PADDED int ts_xp_padded_run(const ts_team *team, const ts_mhsa_args *args, int8_t *scratch) {
    if (!ts_xp_padded_suits(&args->shape) || !args->table.entries[256])
        return 0;
    ts_xp_padded padded = {
        .team = team,
        .args = args,
        .reciprocal = 65536 / team->cores + 1,
        .copies = ((args->shape.E | args->shape.S) & 3) != 0,
    };
    ts_xp_padded_lay_out(&padded, &args->shape, team, scratch);
    ts_xp_padded_begin(&padded);
    ts_team_barrier(team);
    const int32_t *f = padded.factors;
    if ((f[0] | f[1] | f[2] | f[3] | f[4] | f[5]) < 0) {
        ts_team_barrier(team);
        return 0;
    }
    ts_xp_padded_project(&padded);
    ts_team_barrier(team);
    if (padded.tiles == 1)
        ts_xp_padded_rows(&padded);
    else
        ts_xp_padded_tiles(&padded);
    ts_team_barrier(team);
    ts_xp_padded_output(&padded);
    return 1;
}

#endif
