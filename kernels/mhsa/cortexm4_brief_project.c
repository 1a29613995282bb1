// SPDX-License-Identifier: Apache-2.0
#include "cortexm4_brief.h"
#include "ts_m4_rows.h"

/* Biases of `heads` times n channels, each head a whole number of tiles. */
static const int32_t *padded(const int32_t *bias, uint32_t heads, uint32_t n, uint32_t tile,
                             int32_t *copy) {
    const uint32_t rest = n & (tile - 1), whole = n - rest;
    if (!rest)
        return bias;
    for (int32_t *to = copy; heads > 0; heads--, bias += rest, to += tile) {
        for (uint32_t i = 0; i < whole; i += 4, bias += 4, to += 4) {
            const int32_t a = bias[0], b = bias[1], c = bias[2], d = bias[3];
            to[0] = a;
            to[1] = b;
            to[2] = c;
            to[3] = d;
        }
        to[0] = bias[0];
        to[1] = rest > 1 ? bias[1] : 0;
        if (tile == 2)
            continue;
        to[2] = rest > 2 ? bias[2] : 0;
        to[3] = 0;
    }
    return copy;
}

int ts_m4_brief_factors(const ts_m4_brief_state *b, const ts_requant *requant, uint32_t heads,
                        uint32_t n) {
    const uint16_t *mul = requant->mul;
    const uint32_t up = 32 - requant->shift;
    int32_t *to = b->factors;
    uint32_t any = 0;
    for (; heads > 0; heads--) {
        for (uint32_t i = 0; i < n; i++) {
            any |= *mul;
            *to++ = (int32_t)((uint32_t)*mul++ << up);
        }
        for (uint32_t i = n; i & (b->tile - 1); i++)
            *to++ = 0;
    }
    return any >> (requant->shift - 1) == 0;
}

static ts_m4_product describe(const ts_m4_brief_state *b, const ts_m4_brief_linear *l) {
    const ts_requant *requant = l->requant;
    ts_m4_product product = {
        .panel = l->weight,
        .vectors = l->heads * ts_m4_up4(l->n),
        .steps = ts_m4_pairs(l->depth),
        .begin = TS_M4_BIAS,
        .start = padded(l->bias, l->heads, l->n, 4, b->bias),
        .finish = l->finish,
        .stride = l->stride,
        .requant = {.requant = *requant},
    };
    if (requant->per_channel) {
        product.requant.fast = (uint8_t)ts_m4_brief_factors(b, requant, l->heads, l->n);
        product.requant.factors = b->factors;
        return product;
    }
    product.requant.fast = (uint8_t)ts_m4_brief_fast(requant);
    product.requant.factors = (const void *)(uintptr_t)ts_m4_brief_factor(requant);
    /* Only loops of many steps are made for sums that are known to be small. */
    if (product.steps >= TS_M4_SHORT) {
        const uint64_t bound = ((uint64_t)l->depth << 14) + ts_m4_largest(l->bias, l->heads * l->n);
        product.requant.narrow = bound * *requant->mul >> requant->shift < 32768 - 129;
    }
    return product;
}

static ts_m4_projection_fn *code_for(const ts_m4_brief_linear *l, uint32_t tile) {
    static ts_m4_projection_fn *const fours[][2] = {
        [TS_M4_STATIONARY] = {ts_m4_project_stationary_floor, ts_m4_project_stationary_half_up},
        [TS_M4_STREAMED] = {ts_m4_project_streamed_floor, ts_m4_project_streamed_half_up},
        [TS_M4_ACROSS] = {ts_m4_project_across_floor, ts_m4_project_across_half_up},
        [TS_M4_ROWS] = {ts_m4_project_rows_floor, ts_m4_project_rows_half_up},
    };
    static ts_m4_projection_fn *const twos[][2] = {
        [TS_M4_STATIONARY] = {ts_m4_project_two_stationary_floor,
                              ts_m4_project_two_stationary_half_up},
        [TS_M4_STREAMED] = {ts_m4_project_two_streamed_floor, ts_m4_project_two_streamed_half_up},
        [TS_M4_ACROSS] = {ts_m4_project_two_across_floor, ts_m4_project_two_across_half_up},
    };
    return (tile == 2 ? twos : fours)[l->finish][l->requant->round_half_up];
}

/* By cortexm4_project.S. */
static void project_small(const ts_m4_brief_state *b, const ts_m4_brief_linear *l, uint32_t tile,
                          ts_m4_projection *p) {
    enum { STEPS = 8, STEP_BYTES = 44, NARROW_STEP_BYTES = 28 };
    const uint32_t steps = ts_m4_pairs(l->depth);
    p->stream = l->weight;
    p->end = l->weight + 4 * steps * l->heads * ts_m4_up4(l->n);
    p->bias = padded(l->bias, l->heads, l->n, tile, b->bias);
    p->factor = ts_m4_brief_factor(l->requant);
    p->stride = l->stride;
    p->x_bytes = 8 * steps;
    p->entry = (STEPS - steps) * (tile == 2 ? NARROW_STEP_BYTES : STEP_BYTES) + 1;
}

int ts_m4_brief_project(const ts_m4_brief_state *b, const ts_m4_brief_linear *l, uint32_t *out,
                        uint32_t first, uint32_t second) {
    const uint32_t x_step = 2 * ts_m4_pairs(l->depth);
    if (ts_m4_brief_is_small(l->requant, l->depth)) {
        ts_m4_projection p = {
            .out = (uint8_t *)out,
            .first = 4 * first,
            .second = 4 * second,
            .x = b->x,
            .x_end = b->x + b->pairs * x_step,
        };
        project_small(b, l, b->tile, &p);
        code_for(l, b->tile)(&p);
        return ts_m4_brief_fast(l->requant);
    }
    const ts_m4_product product = describe(b, l);
    if (!product.requant.fast)
        return 0;
    ts_m4_ready ready = ts_m4_ready_of(&product);
    const uint32_t *x = b->x;
    for (uint32_t i = 0; i < b->pairs; i++, x += x_step) {
        ts_m4_run(&ready, x, out);
        out += i & 1 ? second : first;
    }
    return 1;
}

/* Two rows of the result at `rows`, or one, to where they belong. */
static void copy_rows(const ts_m4_brief_state *b, uint32_t row, uint32_t E, int8_t *output) {
    ts_m4_copy_rows(b->rows, ts_m4_up4(E), ts_min(2, b->S - row), E, (uint8_t *)output + row * E,
                    E);
}

int ts_m4_brief_output(const ts_m4_brief_state *b, const ts_m4_brief_linear *l, int8_t *output) {
    const uint32_t E = l->n;
    const uint32_t *context = b->query;
    if (ts_m4_brief_is_small(l->requant, l->depth)) {
        ts_m4_projection p;
        project_small(b, l, 4, &p);
        ts_m4_projection_fn *run = code_for(l, 4);
        for (uint32_t row = 0; row < b->S; row += 2, context += b->all) {
            p.out = b->rows;
            p.x = context;
            p.x_end = context + p.x_bytes / 4;
            run(&p);
            copy_rows(b, row, E, output);
        }
        return ts_m4_brief_fast(l->requant);
    }
    const ts_m4_product product = describe(b, l);
    if (!product.requant.fast)
        return 0;
    ts_m4_ready ready = ts_m4_ready_of(&product);
    for (uint32_t row = 0; row < b->S; row += 2, context += b->all) {
        const int direct = E % 4 == 0 && row + 1 < b->S;
        ts_m4_run(&ready, context, direct ? (void *)(output + row * E) : b->rows);
        if (!direct)
            copy_rows(b, row, E, output);
    }
    return 1;
}
