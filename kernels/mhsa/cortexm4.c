// SPDX-License-Identifier: Apache-2.0
/* Every stage writes the panel that the next one reads (ts_m4_tiles.h): queries as stationary pairs
 * of rows, keys and values of one head as streamed panels. A pair of query rows goes through
 * scores, softmax and context before the next one; the context of all heads is kept, as stationary
 * panels, for the output projection. Weights in layout panels4, the softmax table in
 * reversed_bytes.
 */
#include "mhsa.h"
#include "ts_m4_panels.h"
#include "ts_m4_product.h"
#include "ts_m4_softmax.h"
#include "ts_softmax.h"

typedef struct {
    uint32_t *x, *query, *key, *value, *map, *context, *one_context;
    uint8_t *scores, *rows;
    int32_t *sums, *bias, *factors, *o_bias, *o_factors;
    uint32_t bytes;
} buffers;

/* Words of a pair of rows in the input, query and context panels. */
static uint32_t x_step(const ts_shape *s) { return 2 * ts_m4_pairs(s->E); }
static uint32_t query_step(const ts_shape *s) { return ts_m4_up4(s->P); }
static uint32_t context_step(const ts_shape *s) { return 2 * ts_m4_pairs(s->H * s->P) + 2; }

static uint32_t take(uint32_t *at, uint32_t bytes) {
    const uint32_t offset = *at;
    *at += bytes;
    return offset;
}

static buffers place(const ts_shape *s, uint8_t *scratch) {
    const uint32_t pairs = ts_m4_pairs(s->S), P4 = ts_m4_up4(s->P), E4 = ts_m4_up4(s->E);
    const uint32_t steps = ts_m4_pairs(s->P);
    uint32_t widest = s->S > s->E ? s->S : s->E;
    widest = widest > s->P ? widest : s->P;
    uint32_t at = TS_M4_LEAD;
    buffers b = {
        .x = (uint32_t *)(void *)(scratch + take(&at, 4 * pairs * x_step(s))),
        .query = (uint32_t *)(void *)(scratch + take(&at, 4 * pairs * query_step(s))),
        /* A tile of three or fewer channels writes a step too many. */
        .key = (uint32_t *)(void *)(scratch + take(&at, 4 * ts_m4_up4(s->S) * steps + 16)),
        .value = (uint32_t *)(void *)(scratch + take(&at, 4 * pairs * P4)),
        .map = (uint32_t *)(void *)(scratch + take(&at, 8 * pairs)),
        .context = (uint32_t *)(void *)(scratch + take(&at, 4 * pairs * context_step(s))),
        .one_context = (uint32_t *)(void *)(scratch + take(&at, 4 * P4)),
        .scores = scratch + take(&at, 32 * ts_ceil_div(s->S, 16)),
        .rows = scratch + take(&at, 2 * E4),
        .sums = (int32_t *)(void *)(scratch + take(&at, 8 * ts_m4_up4(widest))),
        .bias = (int32_t *)(void *)(scratch + take(&at, 4 * P4)),
        .factors = (int32_t *)(void *)(scratch + take(&at, 4 * P4)),
        .o_bias = (int32_t *)(void *)(scratch + take(&at, 4 * E4)),
        .o_factors = (int32_t *)(void *)(scratch + take(&at, 4 * E4)),
    };
    b.bytes = at;
    return b;
}

uint32_t ts_mhsa_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return place(shape, NULL).bytes;
}

/* Head h's weights times all rows; where results go is the caller's. */
static ts_m4_product projection(const ts_mhsa_args *args, const buffers *b, uint32_t h,
                                const int8_t *weight, const int32_t *bias,
                                const ts_requant *requant, uint32_t largest_bias) {
    const uint32_t E = args->shape.E, P = args->shape.P, P4 = ts_m4_up4(P);
    return (ts_m4_product){
        .panel = (const uint8_t *)weight + 4 * h * P4 * ts_m4_pairs(E),
        .vectors = P4,
        .steps = ts_m4_pairs(E),
        .begin = TS_M4_BIAS,
        .start = ts_m4_whole_tiles(bias + h * P, P, b->bias),
        .requant = ts_m4_prepare(requant, h * P, P, ((uint64_t)E << 14) + largest_bias, b->factors),
        .sums = b->sums,
    };
}

static void project_query(const ts_mhsa_args *args, const buffers *b, uint32_t h,
                          uint32_t largest_bias) {
    const ts_shape *s = &args->shape;
    ts_m4_product p = projection(args, b, h, args->q_weight, args->q_bias, &args->q, largest_bias);
    p.finish = TS_M4_STATIONARY;
    ts_m4_run_pairs(&p, b->x, x_step(s), 0, ts_m4_pairs(s->S), (uint8_t *)b->query,
                    4 * query_step(s), 0, 0);
}

static void project_key(const ts_mhsa_args *args, const buffers *b, uint32_t h,
                        uint32_t largest_bias) {
    const ts_shape *s = &args->shape;
    ts_m4_product p = projection(args, b, h, args->k_weight, args->k_bias, &args->k, largest_bias);
    p.finish = TS_M4_STREAMED;
    ts_m4_run_pairs(&p, b->x, x_step(s), 0, ts_m4_pairs(s->S), (uint8_t *)b->key, 8, 1,
                    16 * ts_m4_pairs(s->P) - 16);
}

static void project_value(const ts_mhsa_args *args, const buffers *b, uint32_t h,
                          uint32_t largest_bias) {
    const ts_shape *s = &args->shape;
    ts_m4_product p = projection(args, b, h, args->v_weight, args->v_bias, &args->v, largest_bias);
    p.finish = TS_M4_ACROSS;
    p.stride = 16 * ts_m4_pairs(s->S);
    ts_m4_run_pairs(&p, b->x, x_step(s), 0, ts_m4_pairs(s->S), (uint8_t *)b->value, 16, 0, 0);
}

/* Any table: the rows as they are defined, by way of `row` [S]. */
static void softmax_by_rows(const ts_mhsa_args *args, const uint8_t *scores, uint32_t *map,
                            uint8_t *row) {
    const uint32_t S = args->shape.S;
    for (uint32_t i = 0; i < S; i++)
        row[i] = scores[i / 4 * 8 + i % 4] ^ 0x80u;
    ts_softmax_row((const int8_t *)row, row, S, &args->table);
    ts_m4_expand_u8(row, S, map, 2);
}

static void softmax(const ts_mhsa_args *args, const buffers *b, uint32_t rows) {
    for (uint32_t r = 0; r < rows; r++) {
        if (args->table.max <= 255u)
            ts_m4_softmax_pairs(b->scores + 4 * r, args->shape.S,
                                ts_m4_reversed(args->table.entries), b->map + r);
        else
            softmax_by_rows(args, b->scores + 4 * r, b->map + r, (uint8_t *)b->sums);
    }
}

/* An odd head's context of odd P starts in the middle of a word. */
static void store_odd_context(const buffers *b, uint32_t *context, uint32_t first, uint32_t P) {
    const int16_t *from = (const int16_t *)(const void *)b->one_context;
    int16_t *to = (int16_t *)(void *)context;
    for (uint32_t p = 0; p < P; p++) {
        const uint32_t k = first + p;
        to[k / 2 * 4 + k % 2] = from[p / 2 * 4 + p % 2];
        to[k / 2 * 4 + k % 2 + 2] = from[p / 2 * 4 + p % 2 + 2];
    }
}

/* Scores of the last columns that are padding must not be the largest. */
static void clear_padding(uint8_t *scores, uint32_t n) {
    uint32_t *last = (uint32_t *)(void *)scores + n / 4 * 2;
    if (n % 4 == 0)
        return;
    last[0] &= (1u << 8 * (n % 4)) - 1;
    last[1] &= (1u << 8 * (n % 4)) - 1;
}

/* Head h's context, from its queries, keys and values. */
static __attribute__((noinline)) void attend(const ts_mhsa_args *args, const buffers *b,
                                             uint32_t h) {
    const uint32_t S = args->shape.S, P = args->shape.P, pairs = ts_m4_pairs(S);
    const ts_m4_product scores = {
        .panel = (const uint8_t *)b->key,
        .vectors = ts_m4_up4(S),
        .steps = ts_m4_pairs(P),
        .finish = TS_M4_SCORES,
        .requant = ts_m4_prepare(&args->scores, 0, 0, (uint64_t)P << 14, NULL),
        .sums = b->sums,
    };
    const ts_m4_product context = {
        .panel = (const uint8_t *)b->value,
        .vectors = ts_m4_up4(P),
        .steps = pairs,
        .finish = TS_M4_STATIONARY,
        /* A row of the map adds up to 255 at most. */
        .requant = ts_m4_prepare(&args->context, h * P, P, 255 * 128, b->factors),
        .sums = b->sums,
    };
    ts_m4_ready scores_ready = ts_m4_ready_of(&scores), context_ready = ts_m4_ready_of(&context);
    for (uint32_t i = 0; i < pairs; i++) {
        uint32_t *to = b->context + i * context_step(&args->shape);
        ts_m4_run(&scores_ready, b->query + i * query_step(&args->shape), b->scores);
        clear_padding(b->scores, S);
        softmax(args, b, ts_min(2, S - 2 * i));
        ts_m4_run(&context_ready, b->map, P % 2 ? b->one_context : to + h * P);
        if (P % 2)
            store_odd_context(b, to, h * P, P);
    }
}

/* Rows 2i and 2i + 1, which may end in the middle of a word. */
static void copy_rows(const ts_mhsa_args *args, const buffers *b, uint32_t i) {
    const uint32_t E = args->shape.E;
    for (uint32_t row = 2 * i; row < ts_min(2 * i + 2, args->shape.S); row++)
        for (uint32_t e = 0; e < E; e++)
            args->output[row * E + e] = (int8_t)b->rows[(row & 1) * ts_m4_up4(E) + e];
}

static void project_output(const ts_mhsa_args *args, const buffers *b) {
    const ts_shape *s = &args->shape;
    const uint32_t E = s->E, depth = s->H * s->P;
    ts_m4_product p = {
        .panel = (const uint8_t *)args->o_weight,
        .vectors = ts_m4_up4(E),
        .steps = ts_m4_pairs(depth),
        .begin = TS_M4_BIAS,
        .start = ts_m4_whole_tiles(args->o_bias, E, b->o_bias),
        .finish = TS_M4_ROWS,
        .stride = ts_m4_up4(E),
        .requant = ts_m4_prepare(
            &args->o, 0, E, ((uint64_t)depth << 14) + ts_m4_largest(args->o_bias, E), b->o_factors),
        .sums = b->sums,
    };
    const uint32_t direct = E % 4 ? 0 : s->S / 2;
    ts_m4_run_pairs(&p, b->context, context_step(s), 0, direct, (uint8_t *)args->output, 2 * E, 0,
                    0);
    for (uint32_t i = direct; i < ts_m4_pairs(s->S); i++) {
        ts_m4_run_pairs(&p, b->context, context_step(s), i, i + 1, b->rows, 0, 0, 0);
        copy_rows(args, b, i);
    }
}

void ts_mhsa_cortexm4(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    (void)team;
    const ts_shape *s = &args->shape;
    const buffers b = place(s, scratch);
    const uint32_t channels = s->H * s->P;
    const uint32_t largest = ts_m4_largest(args->q_bias, channels) |
                             ts_m4_largest(args->k_bias, channels) |
                             ts_m4_largest(args->v_bias, channels);
    for (uint32_t i = 0; i < ts_m4_pairs(s->S); i++)
        ts_m4_expand_pair(args->input, 2 * i, s->S, s->E, b.x + i * x_step(s));
    for (uint32_t i = 0; i < 8 * ts_ceil_div(s->S, 16); i++)
        ((uint32_t *)(void *)b.scores)[i] = 0;
    for (uint32_t h = 0; h < s->H; h++) {
        project_query(args, &b, h, largest);
        project_key(args, &b, h, largest);
        project_value(args, &b, h, largest);
        attend(args, &b, h);
    }
    project_output(args, &b);
}
