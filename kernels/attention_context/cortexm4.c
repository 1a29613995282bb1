// SPDX-License-Identifier: Apache-2.0
/* Scratch: one head's values as a streamed panel, a pair of rows of the map. */
#include "attention_context.h"
#include "ts_m4_panels.h"
#include "ts_m4_product.h"
#include "ts_m4_rows.h"

typedef struct {
    uint32_t pair, value, sums, factors, rows, bytes;
} places;

static places place(const ts_shape *s) {
    const uint32_t steps = ts_m4_pairs(s->S), width = ts_m4_up4(s->P);
    places p = {.pair = TS_M4_LEAD};
    p.value = p.pair + 8 * steps;
    p.sums = p.value + 4 * width * steps;
    p.factors = p.sums + 8 * width;
    p.rows = p.factors + 4 * width;
    p.bytes = p.rows + 2 * width;
    return p;
}

uint32_t ts_attention_context_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return place(shape).bytes;
}

/* Head h, whose values are in the panel of `product`. */
static void head(const ts_attention_context_args *args, uint32_t h, ts_m4_product *product,
                 uint32_t *pair, uint8_t *rows) {
    const uint32_t S = args->shape.S, P = args->shape.P, stride = args->output_row_stride;
    const int whole = P % 4 == 0 && stride % 4 == 0;
    for (uint32_t row = 0; row < S; row += 2) {
        const int direct = whole && row + 1 < S;
        uint8_t *output = (uint8_t *)args->output + row * stride + h * P;
        product->stride = direct ? stride : ts_m4_up4(P);
        ts_m4_ready ready = ts_m4_ready_of(product);
        ts_m4_expand_pair_u8(args->map + h * S * S, row, S, S, pair);
        ts_m4_run(&ready, pair, direct ? output : rows);
        if (!direct)
            ts_m4_copy_rows(rows, ts_m4_up4(P), ts_min(2, S - row), P, output, stride);
    }
}

void ts_attention_context_cortexm4(const ts_team *team, const ts_attention_context_args *args,
                                   void *scratch) {
    /* Few channels do not pay for widening the map. */
    if (args->shape.P < 4) {
        ts_attention_context_armv7em(team, args, NULL);
        return;
    }
    uint8_t *base = scratch;
    const uint32_t S = args->shape.S, P = args->shape.P;
    const places p = place(&args->shape);
    for (uint32_t h = 0; h < args->shape.H; h++) {
        ts_m4_product product = {
            .panel = base + p.value,
            .vectors = ts_m4_up4(P),
            .steps = ts_m4_pairs(S),
            .finish = TS_M4_ROWS,
            .requant = ts_m4_prepare(&args->requant, h * P, P, (uint64_t)S * 255 * 128,
                                     (int32_t *)(void *)(base + p.factors)),
            .sums = (int32_t *)(void *)(base + p.sums),
        };
        ts_m4_expand_tiles(args->value + h * P * S, S, P, S, (uint32_t *)(void *)(base + p.value));
        head(args, h, &product, (uint32_t *)(void *)(base + p.pair), base + p.rows);
    }
}
