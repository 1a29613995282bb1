// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, table in reversed_bytes. Two rows of queries at a time are made as the
 * stationary panel that their scores read; the input is every head's keys. Scratch: the input as
 * stationary and as streamed panels, two rows of queries, their scores, biases and multipliers. */
#include "fwsa.h"
#include "ts_m4_panels.h"
#include "ts_m4_product.h"
#include "ts_m4_rows.h"
#include "ts_m4_softmax.h"
#include "ts_softmax.h"

/* In bytes from the scratch's start. */
typedef struct {
    uint32_t x, query, key, factors, bias, sums, rows, bytes;
} places;

static places place(const ts_shape *s) {
    const uint32_t steps = ts_m4_pairs(s->E), E = ts_m4_up4(s->E), S = ts_m4_up4(s->S);
    places p = {.x = TS_M4_LEAD};
    p.query = p.x + 8 * steps * ts_ceil_div(s->S, 2);
    p.key = p.query + 4 * E;
    p.factors = p.key + 4 * S * steps;
    p.bias = p.factors + 4 * E;
    p.sums = p.bias + 4 * E;
    p.rows = p.sums + 8 * (E > S ? E : S);
    p.bytes = p.rows + 2 * S;
    return p;
}

uint32_t ts_fwsa_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return place(shape).bytes;
}

static ts_m4_product queries_of(const ts_fwsa_args *args, uint32_t h, const places *p,
                                int32_t *scratch) {
    const uint32_t E = args->shape.E, width = ts_m4_up4(E);
    const int32_t *bias = args->bias + h * E;
    return (ts_m4_product){
        .panel = args->weight + 4 * h * width * ts_m4_pairs(E),
        .vectors = width,
        .steps = ts_m4_pairs(E),
        .begin = TS_M4_BIAS,
        .start = ts_m4_whole_tiles(bias, E, scratch + p->bias / 4),
        .finish = TS_M4_STATIONARY,
        .requant =
            ts_m4_prepare(&args->requant, h * E, E, ((uint64_t)E << 14) + ts_m4_largest(bias, E),
                          scratch + p->factors / 4),
        .sums = scratch + p->sums / 4,
    };
}

/* Rows of scores to rows of the map. */
static void softmax(const ts_fwsa_args *args, const uint8_t *scores, uint32_t rows,
                    uint8_t *output) {
    const uint32_t S = args->shape.S;
    for (uint32_t i = 0; i < rows; i++, scores += ts_m4_up4(S), output += S) {
        if (args->table.max <= 255u)
            ts_m4_softmax_bytes((const int8_t *)scores, S, ts_m4_reversed(args->table.entries),
                                output);
        else
            ts_softmax_row((const int8_t *)scores, output, S, &args->table);
    }
}

void ts_fwsa_cortexm4(const ts_team *team, const ts_fwsa_args *args, void *scratch) {
    if (team->core != 0)
        return;
    const uint32_t S = args->shape.S, E = args->shape.E, panel = 2 * ts_m4_pairs(E);
    const places p = place(&args->shape);
    uint32_t *words = scratch, *x = words + p.x / 4, *query = words + p.query / 4;
    uint8_t *rows = (uint8_t *)scratch + p.rows;
    const ts_m4_product scores = {
        .panel = words + p.key / 4,
        .vectors = ts_m4_up4(S),
        .steps = ts_m4_pairs(E),
        .finish = TS_M4_ROWS,
        .stride = ts_m4_up4(S),
        .requant = ts_m4_prepare(&args->scores_requant, 0, 0, (uint64_t)E << 14, NULL),
        .sums = (int32_t *)scratch + p.sums / 4,
    };
    ts_m4_ready scores_ready = ts_m4_ready_of(&scores);
    for (uint32_t row = 0; row < S; row += 2)
        ts_m4_expand_pair(args->input, row, S, E, x + row / 2 * panel);
    ts_m4_expand_tiles(args->input, E, S, E, words + p.key / 4);
    for (uint32_t h = 0; h < args->shape.H; h++) {
        const ts_m4_product queries = queries_of(args, h, &p, scratch);
        ts_m4_ready ready = ts_m4_ready_of(&queries);
        for (uint32_t row = 0; row < S; row += 2) {
            ts_m4_run(&ready, x + row / 2 * panel, query);
            ts_m4_run(&scores_ready, query, rows);
            softmax(args, rows, ts_min(2, S - row), args->output + (h * S + row) * S);
        }
    }
}
