/* SPDX-License-Identifier: Apache-2.0 */
/* A whole attention layer of up to four rows for XpulpV2 whose operands suit the block products
 * only with padding, or whose heads do not share out evenly. What ts_xpulp_layer.h does, with the
 * same result, where nothing is rounded or scaled per channel.
 *
 * 1. The input's rows, and the biases of each head, to places of a multiple of four: a core's share
 *    of either, and of the factors. Barrier.
 * 2. Queries, keys and values as one row of blocks of 4 columns, an equal piece for each core; all
 *    of them are panels. Barrier.
 * 3. Scores, softmax and context, row by row (kernels/generators/xpulp_attention.py); each core has
 *    an equal piece of all heads' rows. Barrier.
 * 4. Output projection: a core has some blocks of columns, and moves them to their place.
 *
 * Padding is never cleared: it meets weights that are 0, or columns and rows that nobody reads. */
#ifndef TS_XPULP_PADDED_H
#define TS_XPULP_PADDED_H

#include "ts_xpulp_short.h"

#define TS_XP_PADDED TS_XP_SELDOM

/* What ts_xp_attend_few works on: rows of heads that follow each other. Its words are numbered by
 * the generator. Offsets in bytes. */
typedef struct {
    const int8_t *query;        /* first row's word in its head's panels */
    const int8_t *keys, *values; /* of the first row's head */
    int8_t *context;            /* of the first row */
    uint32_t rows_left;         /* of its head, from it on */
    uint32_t count;             /* rows in all, at least 1 */
    uint32_t blocks;            /* of 4 channels */
    int32_t scores, mix;        /* factors less one */
    uint32_t keep;              /* all bits of a byte for each row of a head */
    const uint32_t *pairs;      /* layout softmax_pairs */
    uint32_t channels, row;     /* row: from a context row to the next */
    uint32_t head;              /* from head to head of the panels */
    int32_t query_turn, context_turn; /* from behind a head's last row to the next head */
    uint32_t rows;              /* of a head */
} ts_xp_few;

void ts_xp_attend_few(const ts_xp_few *few);

/* Where things lie in scratch memory. */
typedef struct {
    int32_t *factors;
    int8_t *copy;    /* [4][align4(E)]: the input, then the output */
    int32_t *biases; /* [3][H][align4(P)] */
    int8_t *panels;  /* the same of queries, keys and values, four times a byte */
    int8_t *context; /* [4][align4(H * P)] */
} ts_xp_padded;

/* Lays the scratch memory out; returns its end. */
static TS_XP_INLINE int8_t *ts_xp_padded_lay_out(ts_xp_padded *padded, const ts_shape *shape,
                                                 int8_t *at) {
    const uint32_t columns = 12 * shape->H * ts_xp_align4(shape->P);
    padded->factors = (int32_t *)at;
    at += 32;
    padded->copy = at;
    at += 4 * ts_xp_align4(shape->E);
    padded->biases = (int32_t *)at;
    at += columns;
    padded->panels = at;
    at += columns;
    padded->context = at;
    return at + 4 * ts_xp_align4(shape->H * shape->P);
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

/* count * core / cores by the reciprocal of `cores`: no division. */
static TS_XP_INLINE ts_range ts_xp_padded_share(const ts_team *team, uint32_t reciprocal,
                                                uint32_t count) {
    const uint32_t begin = count * team->core;
    return (ts_range){begin * reciprocal >> 16, (begin + count) * reciprocal >> 16};
}

/* This core's share of the operands in their places. */
static TS_XP_INLINE void ts_xp_padded_begin(const ts_team *team, const ts_mhsa_args *args,
                                            const ts_xp_padded *padded) {
    const uint32_t S = args->shape.S, E = args->shape.E, P = args->shape.P, H = args->shape.H;
    const uint32_t last = team->cores - 1 - team->core, columns = ts_xp_align4(P);
    const int32_t *const *biases = &args->q_bias;
    const ts_requant *requant = &args->q;
    for (uint32_t i = team->core; i < 6; i += team->cores) {
        uint32_t bound = 255 * 128, depth = E;
        if (i != 4) {
            depth = i == 3 ? P : i == 5 ? H * P : E;
            bound = depth * 128 * 128;
            if (i != 3)
                bound += (uint32_t)(i == 5 ? args->o_bias : biases[2 * i])[0];
        }
        padded->factors[i] = ts_xp_short_factor(requant + i, bound);
    }
    if (P & 3)
        for (uint32_t head = last; head < H; head += team->cores) {
            int32_t *to = padded->biases + head * columns;
            for (uint32_t i = 0; i < 3; i++, to += H * columns) {
                ts_xp_move_words(to, biases[2 * i] + 4 + head * P, P);
                for (uint32_t j = P; j < columns; j++)
                    to[j] = 0;
            }
        }
    if ((E | S) & 3)
        for (uint32_t row = last; row < S; row += team->cores)
            ts_xp_move(padded->copy + row * ts_xp_align4(E), args->input + row * E, E);
}

/* Whether it is done. */
TS_XP_PADDED int ts_xp_padded_run(const ts_team *team, const ts_mhsa_args *args,
                                  int8_t *scratch) {
    const uint32_t S = args->shape.S, E = args->shape.E, P = args->shape.P, H = args->shape.H;
    if (S > 4 || !args->table.entries[256] || H * P > 1024)
        return 0;
    ts_xp_padded padded;
    ts_xp_padded_lay_out(&padded, &args->shape, scratch);
    ts_xp_padded_begin(team, args, &padded);
    ts_team_barrier(team);
    const int32_t *f = padded.factors;
    if ((f[0] | f[1] | f[2] | f[3] | f[4] | f[5]) < 0) {
        ts_team_barrier(team);
        return 0;
    }
    const uint32_t blocks = (P + 3) / 4, all = H * blocks, reciprocal = 65536 / team->cores + 1;
    const int copies = ((E | S) & 3) != 0;
    ts_xp_call_fn *const run = S == 1 ? ts_xp_fast1 : ts_xp_fast4;
    ts_xp_call calls[3], *call = calls;
    ts_range share = ts_xp_padded_share(team, reciprocal, 3 * all);
    for (uint32_t i = 0, first = 0; i < 3; i++, first += all) {
        const uint32_t begin = share.begin > first ? share.begin : first;
        const uint32_t end = ts_min(share.end, first + all);
        if (begin >= end)
            continue;
        const uint32_t depth = ts_xp_align4(E);
        const int8_t *const *weights = &args->q_weight;
        const int32_t *const *biases = &args->q_bias;
        ts_xp_short_call(call, copies ? padded.copy : args->input, depth,
                         weights[2 * i] + (begin - first) * 4 * depth, depth, TS_XP_BIAS, f[i], 1);
        call->bias = P & 3 ? padded.biases + 4 * begin : biases[2 * i] + 4 + 4 * (begin - first);
        ts_xp_short_output(call, padded.panels + 16 * begin, 4, 16, 0, end - begin);
        if (i == 2)
            call->select = TS_XP_COLUMNS;
        call++;
    }
    if (call > calls)
        run(calls, (uint32_t)(call - calls));
    ts_team_barrier(team);
    const uint32_t HP = ts_xp_align4(H * P);
    share = ts_xp_padded_share(team, reciprocal, H * S);
    if (share.begin < share.end) {
        const uint32_t head = share.begin / S, row = share.begin - head * S;
        const int8_t *queries = padded.panels + 16 * blocks * head;
        const ts_xp_few few = {
            .query = queries + 4 * row,
            .keys = queries + 16 * all,
            .values = queries + 32 * all,
            .context = padded.context + row * HP + head * P,
            .rows_left = S - row,
            .count = share.end - share.begin,
            .blocks = blocks,
            .scores = f[3],
            .mix = f[4],
            .keep = 0xffffffffu >> (32 - 8 * S),
            .pairs = args->table.entries + 256,
            .channels = P,
            .row = HP,
            .head = 16 * blocks,
            .query_turn = (int32_t)(16 * blocks - 4 * S),
            .context_turn = (int32_t)(P - S * HP),
            .rows = S,
        };
        ts_xp_attend_few(&few);
    }
    ts_team_barrier(team);
    share = ts_xp_padded_share(team, reciprocal, (E + 3) / 4);
    if (share.begin < share.end) {
        const uint32_t column = 4 * share.begin, row = ts_xp_align4(E);
        int8_t *output = (copies ? padded.copy : args->output) + column;
        call = calls;
        ts_xp_short_call(call, padded.context, HP, args->o_weight + column * HP, HP, TS_XP_BIAS,
                         f[5], 1);
        call->bias = args->o_bias + 4 + column;
        ts_xp_short_output(call, output, row, 4, 0, share.end - share.begin);
        run(call, 1);
        if (copies)
            for (uint32_t i = 0; i < S; i++)
                ts_xp_move(args->output + i * E + column, output + i * row,
                           ts_min(4 * share.end, E) - column);
    }
    return 1;
}

#endif
