// SPDX-License-Identifier: Apache-2.0
#include "cortexm4_brief.h"

#include "ts_m4_panels.h"
#include "ts_m4_product.h"
#include "ts_m4_rows.h"
#include "ts_m4_softmax.h"

typedef struct {
    const ts_mhsa_args *args;
    uint32_t pairs, width, all, steps; /* P4, H*P4; steps of the output projection */
    uint32_t x_step;                   /* words of a pair of rows */
    uint32_t *x, *query, *key, *value; /* `query`: later the contexts, `all` words for a pair */
    int32_t *bias, *factors;
    uint8_t *rows;
} brief;

static inline uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* Channels of copies of a bias. */
static inline uint32_t bias_channels(const ts_shape *s) {
    return s->P % 4 || s->E % 4 ? larger(s->H * ts_m4_up4(s->P), ts_m4_up4(s->E)) : 0;
}

static inline int has_few_rows(const ts_shape *s) {
    return s->S <= (s->P == 2 && s->H % 2 == 0 ? 8 : 16);
}

uint32_t ts_m4_brief_bytes(const ts_shape *s) {
    if (!has_few_rows(s))
        return 0;
    const uint32_t pairs = ts_m4_pairs(s->S), all = s->H * ts_m4_up4(s->P), E4 = ts_m4_up4(s->E);
    return TS_M4_LEAD + 8 * pairs * (ts_m4_pairs(s->E) + all) + 2 * ts_m4_up4(s->S) * all +
           4 * (bias_channels(s) + larger(all, E4)) + 2 * E4;
}

static void lay_out(const ts_mhsa_args *args, void *scratch, brief *b) {
    const ts_shape *s = &args->shape;
    b->args = args;
    b->pairs = ts_m4_pairs(s->S);
    b->width = ts_m4_up4(s->P);
    b->all = s->H * b->width;
    b->steps = ts_m4_pairs(s->H * s->P);
    b->x_step = 2 * ts_m4_pairs(s->E);
    b->x = (uint32_t *)scratch + TS_M4_LEAD / 4;
    b->query = b->x + b->pairs * b->x_step;
    b->key = b->query + b->pairs * b->all;
    b->value = b->key + ts_m4_up4(s->S) / 2 * b->all;
    b->bias = (int32_t *)b->value + b->pairs * b->all;
    b->factors = b->bias + bias_channels(s);
    b->rows = (uint8_t *)(b->factors + larger(b->all, ts_m4_up4(s->E)));
}

/* Biases of `heads` times n channels, each head a whole number of tiles. */
static const int32_t *padded(const int32_t *bias, uint32_t heads, uint32_t n, int32_t *copy) {
    if (n % 4 == 0)
        return bias;
    for (int32_t *to = copy; heads > 0; heads--) {
        for (uint32_t i = 0; i < n; i++)
            *to++ = *bias++;
        for (uint32_t i = n; i & 3; i++)
            *to++ = 0;
    }
    return copy;
}

/* The same of per-channel multipliers, as factors; 0 if one is 1/2 or more. */
static int pad_factors(const ts_requant *requant, uint32_t heads, uint32_t n, int32_t *to) {
    const uint16_t *mul = requant->mul;
    const uint32_t up = 32 - requant->shift;
    uint32_t any = 0;
    for (; heads > 0; heads--) {
        for (uint32_t i = 0; i < n; i++) {
            any |= *mul;
            *to++ = (int32_t)((uint32_t)*mul++ << up);
        }
        for (uint32_t i = n; i & 3; i++)
            *to++ = 0;
    }
    return any >> (requant->shift - 1) == 0;
}

static int fast(const ts_requant *requant) { return *requant->mul >> (requant->shift - 1) == 0; }

static inline int32_t factor(const ts_requant *requant) {
    return (int32_t)((uint32_t)*requant->mul << (32 - requant->shift));
}

typedef struct {
    const int8_t *weight;
    const int32_t *bias;
    const ts_requant *requant;
    uint32_t heads, n, steps;
    ts_m4_finish finish;
    uint32_t stride;
} linear;

/* All heads of a linear layer, ready to run; 0 if its requantisation is not for the assembly. */
static int prepare(const brief *b, const linear *l, ts_m4_ready *ready) {
    ts_m4_product product = {
        .panel = l->weight,
        .vectors = l->heads * ts_m4_up4(l->n),
        .steps = l->steps,
        .begin = TS_M4_BIAS,
        .start = padded(l->bias, l->heads, l->n, b->bias),
        .finish = l->finish,
        .stride = l->stride,
        .requant = {.requant = *l->requant},
    };
    if (l->requant->per_channel) {
        product.requant.fast = pad_factors(l->requant, l->heads, l->n, b->factors);
        product.requant.factors = b->factors;
    } else {
        product.requant.fast = fast(l->requant);
        product.requant.factors = (const void *)(uintptr_t)factor(l->requant);
        /* Only loops of many steps are made for sums that are known to be small. */
        if (l->steps >= TS_M4_SHORT) {
            const uint64_t bound =
                ((uint64_t)l->steps << 15) + ts_m4_largest(l->bias, l->heads * l->n);
            product.requant.narrow = bound * *l->requant->mul >> l->requant->shift < 32768 - 129;
        }
    }
    if (product.requant.fast)
        ts_m4_make_ready(&product, ready);
    return product.requant.fast;
}

/* Projects all pairs of rows; results are `item` words on for a pair, `jump` more for every second
 * one. */
static __attribute__((noinline)) int project(const brief *b, const linear *l, uint32_t *out,
                                             uint32_t item, uint32_t jump) {
    ts_m4_ready ready;
    if (!prepare(b, l, &ready))
        return 0;
    const uint32_t *x = b->x;
    for (uint32_t i = 0; i < b->pairs; i++) {
        ts_m4_run(&ready, x, out);
        x += b->x_step;
        out += item + (i & 1 ? jump : 0);
    }
    return 1;
}

static int project_values(const brief *b) {
    const ts_mhsa_args *args = b->args;
    const ts_shape *s = &args->shape;
    const linear value = {args->v_weight, args->v_bias,      &args->v,     s->H,
                          s->P,           ts_m4_pairs(s->E), TS_M4_ACROSS, 16 * b->pairs};
    return project(b, &value, b->value, 4, 0);
}

static int project_queries_and_keys(const brief *b) {
    const ts_mhsa_args *args = b->args;
    const ts_shape *s = &args->shape;
    linear l = {args->q_weight, args->q_bias,      &args->q,         s->H,
                s->P,           ts_m4_pairs(s->E), TS_M4_STATIONARY, 0};
    if (!project(b, &l, b->query, b->all, 0))
        return 0;
    l.weight = args->k_weight;
    l.bias = args->k_bias;
    l.requant = &args->k;
    l.finish = TS_M4_STREAMED;
    return project(b, &l, b->key, 2, 2 * b->all - 4);
}

/* A single key has all of the attention: 255, whatever its score. */
static void attend_to_one(const brief *b, const int32_t *factors, uint32_t step) {
    const ts_mhsa_args *args = b->args;
    const int64_t half = args->context.round_half_up ? (int64_t)1 << 31 : 0;
    const int16_t *value = (const int16_t *)(const void *)b->value;
    int16_t *out = (int16_t *)(void *)b->query;
    uint32_t k = 0;
    for (uint32_t h = 0; h < args->shape.H; h++)
        for (uint32_t p = 0; p < b->width; p++, value += 2, factors += step) {
            if (p >= args->shape.P)
                continue;
            const int16_t x =
                (int16_t)ts_clip_int8(((int64_t)(255 * *value) * *factors + half) >> 32);
            out[k / 2 * 4 + k % 2] = x;
            k++;
        }
    if (k & 1)
        out[k / 2 * 4 + 1] = 0;
}

static ts_m4_maps_fn *code_for(uint32_t keys, uint32_t half_up) {
    static ts_m4_maps_fn *const code[][2] = {
        {ts_m4_maps_two_floor, ts_m4_maps_two_half_up},
        {ts_m4_maps_three_floor, ts_m4_maps_three_half_up},
        {ts_m4_maps_four_floor, ts_m4_maps_four_half_up},
        {ts_m4_maps_some_floor, ts_m4_maps_some_half_up},
        {ts_m4_maps_more_floor, ts_m4_maps_more_half_up},
    };
    return code[keys > 8 ? 4 : keys > 4 ? 3 : keys - 2][half_up];
}

/* ts_m4_maps.last */
static uintptr_t last_of(uint32_t pairs, uint32_t half_up) {
    enum { PAIR_BYTES = 44 };
    ts_m4_code *end = half_up ? ts_m4_maps_more_half_up_end : ts_m4_maps_more_floor_end;
    return pairs > 4 ? (uintptr_t)end - PAIR_BYTES * (pairs - 1) : pairs == 4;
}

static void attend(const brief *b, const int32_t *factors, uint32_t step) {
    const ts_mhsa_args *args = b->args;
    const ts_shape *s = &args->shape;
    const uint32_t odd = s->P & 1, half_up = args->scores.round_half_up;
    ts_m4_maps maps = {
        .query = b->query,
        .key = b->key,
        .query_bytes = 4 * b->width,
        .factor = factor(&args->scores),
        .value = b->value,
        .value_bytes = 4 * b->width * b->pairs,
        .factors = factors,
        .factors_step = step,
        .out = (uint8_t *)b->query,
        .table = ts_m4_reversed(args->table.entries) + 255,
        .key_jump = 8 * (b->all - b->width),
        .mask = UINT32_MAX >> 8 * (-s->S & 3),
        .advance = 4 * s->P - 2 * odd,
        .toggle = 4 * odd,
        .last = last_of(b->pairs, half_up),
        .keys = s->S,
        .rows = 2,
    };
    ts_m4_maps_fn *run = code_for(s->S, half_up);
    for (uint32_t row = 0; row < s->S; row += 2) {
        maps.heads = s->H;
        if (row + 1 == s->S)
            maps.rows = 1;
        run(&maps);
        maps.query += b->all;
        maps.out += 4 * b->all;
    }
}

/* The contexts of all rows; 0 if not done. */
static int make_contexts(const brief *b) {
    const ts_mhsa_args *args = b->args;
    const ts_requant *context = &args->context;
    const int one = args->shape.S == 1;
    if (!one && (args->table.max > 255u || !fast(&args->scores) ||
                 context->round_half_up != args->scores.round_half_up))
        return 0;
    if (!project_values(b) || (!one && !project_queries_and_keys(b)))
        return 0;
    int32_t *factors = b->factors;
    const uint32_t step = context->per_channel;
    if (step) {
        if (!pad_factors(context, args->shape.H, args->shape.P, factors))
            return 0;
    } else {
        if (!fast(context))
            return 0;
        factors[0] = factors[1] = factors[2] = factors[3] = factor(context);
    }
    if (one)
        attend_to_one(b, factors, step);
    else
        attend(b, factors, 16 * step);
    return 1;
}

/* 0 if not done. */
static int project_output(const brief *b) {
    const ts_mhsa_args *args = b->args;
    const uint32_t S = args->shape.S, E = args->shape.E, E4 = ts_m4_up4(E);
    const linear output = {args->o_weight, args->o_bias, &args->o, 1, E, b->steps, TS_M4_ROWS, E4};
    ts_m4_ready ready;
    if (!prepare(b, &output, &ready))
        return 0;
    for (uint32_t row = 0; row < S; row += 2) {
        const int direct = E == E4 && row + 1 < S;
        uint8_t *out = (uint8_t *)args->output + row * E;
        ts_m4_run(&ready, b->query + row / 2 * b->all, direct ? out : b->rows);
        if (!direct)
            ts_m4_copy_rows(b->rows, E4, ts_min(2, S - row), E, out, E);
    }
    return 1;
}

int ts_m4_brief(const ts_mhsa_args *args, void *scratch) {
    brief b;
    if (!has_few_rows(&args->shape))
        return 0;
    lay_out(args, scratch, &b);
    for (uint32_t i = 0; i < b.pairs; i++)
        ts_m4_expand_pair(args->input, 2 * i, args->shape.S, args->shape.E, b.x + i * b.x_step);
    return make_contexts(&b) && project_output(&b);
}
