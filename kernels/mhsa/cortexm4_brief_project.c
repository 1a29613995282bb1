// SPDX-License-Identifier: Apache-2.0
#include "cortexm4_brief.h"
#include "ts_m4_rows.h"

/* For each head `whole` biases and `rest` more, which a compiler knows, and zeros up to a tile. */
static inline __attribute__((always_inline)) void pad(const int32_t *bias, uint32_t heads,
                                                      uint32_t whole, const uint32_t rest,
                                                      const uint32_t tile, int32_t *to) {
    for (; heads > 0; heads--, bias += rest, to += tile) {
        for (uint32_t i = 0; i < whole; i += 4, bias += 4, to += 4) {
            const int32_t a = bias[0], b = bias[1], c = bias[2], d = bias[3];
            to[0] = a;
            to[1] = b;
            to[2] = c;
            to[3] = d;
        }
        const int32_t a = bias[0], b = rest > 1 ? bias[1] : 0, c = rest > 2 ? bias[2] : 0;
        to[0] = a;
        to[1] = b;
        if (tile == 4) {
            to[2] = c;
            to[3] = 0;
        }
    }
}

const int32_t *ts_m4_brief_pad(const int32_t *bias, uint32_t heads, uint32_t n, uint32_t tile,
                               int32_t *copy) {
    const uint32_t rest = n & (tile - 1), whole = n - rest;
    if (tile == 2)
        pad(bias, heads, whole, 1, 2, copy);
    else if (rest == 1)
        pad(bias, heads, whole, 1, 4, copy);
    else if (rest == 2)
        pad(bias, heads, whole, 2, 4, copy);
    else
        pad(bias, heads, whole, 3, 4, copy);
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
        .start = ts_m4_brief_padded(l->bias, l->heads, l->n, 4, b->bias),
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

int ts_m4_brief_project(const ts_m4_brief_state *b, const ts_m4_brief_linear *l, uint32_t *out,
                        uint32_t first, uint32_t second) {
    const uint32_t x_step = 2 * ts_m4_pairs(l->depth);
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

int ts_m4_brief_output(const ts_m4_brief_state *b, const ts_mhsa_args *args) {
    const uint32_t E = args->shape.E, E4 = ts_m4_up4(E);
    const uint32_t *context = b->query;
    const ts_m4_brief_linear l = {
        .weight = args->o_weight,
        .bias = args->o_bias,
        .requant = &args->o,
        .heads = 1,
        .n = E,
        .depth = args->shape.H * args->shape.P,
        .finish = TS_M4_ROWS,
        .stride = E4,
    };
    const ts_m4_product product = describe(b, &l);
    if (!product.requant.fast)
        return 0;
    ts_m4_ready ready = ts_m4_ready_of(&product);
    for (uint32_t row = 0; row < b->S; row += 2, context += b->all) {
        const int direct = E % 4 == 0 && row + 1 < b->S;
        uint8_t *out = (uint8_t *)args->output + row * E;
        ts_m4_run(&ready, context, direct ? out : b->rows);
        if (!direct)
            ts_m4_copy_rows(b->rows, E4, ts_min(2, b->S - row), E, out, E);
    }
    return 1;
}
