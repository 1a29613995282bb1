// SPDX-License-Identifier: Apache-2.0
/* The softmax table in reversed_bytes. Scratch: one head's keys as a streamed panel, a pair of
 * queries, its scores. */
#include "attention_scores.h"
#include "ts_m4_panels.h"
#include "ts_m4_product.h"
#include "ts_m4_softmax.h"
#include "ts_softmax.h"

typedef struct {
    uint32_t pair, key, sums, rows, bytes;
} places;

static places place(const ts_shape *s) {
    const uint32_t steps = ts_m4_pairs(s->P), width = ts_m4_up4(s->S);
    places p = {.pair = TS_M4_LEAD};
    p.key = p.pair + 8 * steps;
    p.sums = p.key + 4 * width * steps;
    p.rows = p.sums + 8 * width;
    p.bytes = p.rows + 2 * width;
    return p;
}

uint32_t ts_attention_scores_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return place(shape).bytes;
}

static void head(const ts_attention_scores_args *args, uint32_t h, ts_m4_ready *ready,
                 uint32_t *pair, uint8_t *rows) {
    const uint32_t S = args->shape.S, P = args->shape.P;
    for (uint32_t row = 0; row < S; row += 2) {
        ts_m4_expand_pair(args->query + h * S * P, row, S, P, pair);
        ts_m4_run(ready, pair, rows);
        for (uint32_t i = row; i < ts_min(row + 2, S); i++) {
            const int8_t *scores = (const int8_t *)rows + (i - row) * ts_m4_up4(S);
            uint8_t *output = args->output + (h * S + i) * S;
            if (args->table.max <= 255u)
                ts_m4_softmax_bytes(scores, S, ts_m4_reversed(args->table.entries), output);
            else
                ts_softmax_row(scores, output, S, &args->table);
        }
    }
}

void ts_attention_scores_cortexm4(const ts_team *team, const ts_attention_scores_args *args,
                                  void *scratch) {
    /* Few keys do not pay for making panels. */
    if (args->shape.S < 8) {
        ts_attention_scores_armv7em(team, args, NULL);
        return;
    }
    uint8_t *base = scratch;
    const uint32_t S = args->shape.S, P = args->shape.P;
    const places p = place(&args->shape);
    const ts_m4_product product = {
        .panel = base + p.key,
        .vectors = ts_m4_up4(S),
        .steps = ts_m4_pairs(P),
        .finish = TS_M4_ROWS,
        .stride = ts_m4_up4(S),
        .requant = ts_m4_prepare(&args->requant, 0, 0, (uint64_t)P << 14, NULL),
        .sums = (int32_t *)(void *)(base + p.sums),
    };
    ts_m4_ready ready = ts_m4_ready_of(&product);
    for (uint32_t h = 0; h < args->shape.H; h++) {
        if (h == 0 || args->key_head_stride)
            ts_m4_expand_tiles(args->key + h * args->key_head_stride, P, S, P,
                               (uint32_t *)(void *)(base + p.key));
        head(args, h, &ready, (uint32_t *)(void *)(base + p.pair), base + p.rows);
    }
}
