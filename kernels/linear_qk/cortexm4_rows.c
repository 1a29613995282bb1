// SPDX-License-Identifier: Apache-2.0
#include "ts_m4_rows.h"

#include "ts_m4_panels.h"

/* What a call keeps in its scratch, in bytes from its start. */
typedef struct {
    uint32_t pair, factors, bias, sums, rows, bytes;
} places;

static places place(uint32_t heads, uint32_t depth, uint32_t columns) {
    const uint32_t width = ts_m4_up4(columns);
    places p = {.pair = TS_M4_LEAD};
    p.factors = p.pair + 8 * ts_m4_pairs(depth);
    p.bias = p.factors + 4 * heads * width;
    p.sums = p.bias + (columns % 4 ? 4 * heads * width : 0);
    p.rows = p.sums + 8 * width;
    p.bytes = p.rows + 2 * width;
    return p;
}

uint32_t ts_m4_rows_bytes(uint32_t heads, uint32_t depth, uint32_t columns) {
    return place(heads, depth, columns).bytes;
}

void ts_m4_copy_rows(const uint8_t *rows, uint32_t pitch, uint32_t count, uint32_t n,
                     uint8_t *output, uint32_t output_row) {
    for (uint32_t row = 0; row < count; row++)
#pragma GCC unroll 1
        for (uint32_t i = 0; i < n; i++)
            output[row * output_row + i] = rows[row * pitch + i];
}

/* Head 0's product and, through `head`, those of the others. */
typedef struct {
    ts_m4_product product;
    uint32_t panel, vectors; /* bytes and vectors from head to head */
} by_heads;

static by_heads describe(const ts_m4_rows *r, const places *p, uint8_t *scratch) {
    const uint32_t width = ts_m4_up4(r->columns), channels = r->heads * r->columns;
    int32_t *factors = (int32_t *)(void *)(scratch + p->factors);
    int32_t *bias = (int32_t *)(void *)(scratch + p->bias);
    const int32_t *start = r->bias;
    const uint64_t bound = ((uint64_t)r->depth << 14) + ts_m4_largest(r->bias, channels);
    ts_m4_requant requant = {0};
    /* All heads' factors, each head a whole number of tiles. */
    for (uint32_t h = r->heads; h-- > 0;) {
        ts_m4_requant head =
            ts_m4_prepare(&r->requant, h * r->columns, r->columns, bound, factors + h * width);
        head.fast &= h + 1 == r->heads || requant.fast;
        requant = head;
    }
    if (r->columns % 4) {
        for (uint32_t h = 0; h < r->heads; h++)
            ts_m4_whole_tiles(r->bias + h * r->columns, r->columns, bias + h * width);
        start = bias;
    }
    return (by_heads){
        .product = {.panel = r->panels,
                    .vectors = width,
                    .steps = ts_m4_pairs(r->depth),
                    .begin = TS_M4_BIAS,
                    .start = start,
                    .finish = TS_M4_ROWS,
                    .requant = requant,
                    .sums = (int32_t *)(void *)(scratch + p->sums)},
        .panel = 4 * width * ts_m4_pairs(r->depth),
        .vectors = width,
    };
}

/* From one head's product to the next one's. */
static void next_head(by_heads *b, ts_m4_ready *ready) {
    ready->call.stream += b->panel;
    ready->call.end += b->panel;
    ready->call.in = (const int32_t *)ready->call.in + b->vectors;
    if (b->product.requant.requant.per_channel)
        ready->call.mul = (const int32_t *)ready->call.mul + b->vectors;
    b->product.requant.channel += b->product.requant.channels;
}

void ts_m4_run_rows(const ts_m4_rows *r, void *scratch) {
    uint8_t *base = scratch;
    const places p = place(r->heads, r->depth, r->columns);
    uint32_t *pair = (uint32_t *)(void *)(base + p.pair);
    const by_heads first = describe(r, &p, base);
    for (uint32_t row = 0; row < r->rows; row += 2) {
        const int direct = r->columns % 4 == 0 && row + 1 < r->rows;
        by_heads b = first;
        b.product.stride = direct ? r->columns : b.vectors;
        ts_m4_ready ready = ts_m4_ready_of(&b.product);
        uint8_t *output = (uint8_t *)r->output + row * r->columns;
        ts_m4_expand_pair(r->left, row, r->rows, r->depth, pair);
        for (uint32_t h = 0; h < r->heads; h++, output += r->rows * r->columns) {
            ts_m4_run(&ready, pair, direct ? output : base + p.rows);
            if (!direct)
                ts_m4_copy_rows(base + p.rows, b.vectors, ts_min(2, r->rows - row), r->columns,
                                output, r->columns);
            next_head(&b, &ready);
        }
    }
}
