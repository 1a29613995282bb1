// SPDX-License-Identifier: Apache-2.0
#include "cortexm4_brief.h"
#include "cortexm4_brief_finish.h"
#include "ts_m4_panels.h"
#include "ts_m4_softmax.h"

static inline uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* Channels of copies of a bias. */
static inline uint32_t bias_channels(const ts_shape *s) {
    return s->P % 4 || s->E % 4 ? larger(s->H * ts_m4_up4(s->P), ts_m4_up4(s->E)) : 0;
}

uint32_t ts_m4_brief_bytes(const ts_shape *s) {
    if (!ts_m4_has_few_rows(s))
        return 0;
    const uint32_t pairs = ts_m4_pairs(s->S), all = s->H * ts_m4_up4(s->P), E4 = ts_m4_up4(s->E);
    return TS_M4_LEAD + 8 * pairs * (ts_m4_pairs(s->E) + all) + 2 * ts_m4_up4(s->S) * all +
           4 * (bias_channels(s) + larger(all, E4)) + 2 * E4;
}

/* Whether cortexm4_project.S is for the projections. */
static inline int is_small(const ts_mhsa_args *args) {
    const uint32_t E = args->shape.E;
    return ts_m4_brief_is_small(&args->q, E) && ts_m4_brief_is_small(&args->k, E) &&
           ts_m4_brief_is_small(&args->v, E);
}

static inline void lay_out(const ts_mhsa_args *args, void *scratch, ts_m4_brief_state *b) {
    const ts_shape *s = &args->shape;
    /* A last tile of four would be half empty. */
    const int half = s->P % 4 && s->P % 4 <= 2 && is_small(args) && s->S <= (s->P > 2 ? 8 : 4);
    const uint32_t tile = half ? 2 : 4;
    const uint32_t pairs = ts_m4_pairs(s->S), width = (s->P + tile - 1) & -tile;
    const uint32_t all = s->H * width;
    b->S = s->S;
    b->pairs = pairs;
    b->tile = tile;
    b->width = width;
    b->all = all;
    b->x = (uint32_t *)scratch + TS_M4_LEAD / 4;
    b->query = b->x + pairs * 2 * ts_m4_pairs(s->E);
    b->key = b->query + pairs * all;
    b->value = b->key + ts_m4_up4(s->S) / 2 * all;
    b->bias = (int32_t *)b->value + pairs * s->H * ts_m4_up4(s->P);
    b->factors = b->bias + bias_channels(s);
    b->rows = (uint8_t *)(b->factors + larger(all, ts_m4_up4(s->E)));
}

/* Values, queries and keys of all heads. */
static inline __attribute__((always_inline)) void project_small(const ts_mhsa_args *args,
                                                                const ts_m4_brief_state *b) {
    static ts_m4_code *const across[] = {ts_m4_project_across_floor, ts_m4_project_across_half_up};
    static ts_m4_code *const stationary[] = {ts_m4_project_stationary_floor,
                                             ts_m4_project_stationary_half_up};
    static ts_m4_code *const streamed[] = {ts_m4_project_streamed_floor,
                                           ts_m4_project_streamed_half_up};
    const ts_shape *s = &args->shape;
    const uint32_t steps = ts_m4_pairs(s->E), row = 4 * b->all;
    const uint32_t bytes = 4 * steps * s->H * ts_m4_up4(s->P);
    ts_m4_projection p = {
        .stream = args->v_weight,
        .end = args->v_weight + bytes,
        .bias = ts_m4_brief_padded(args->v_bias, s->H, s->P, b->tile, b->bias),
        .factor = ts_m4_brief_factor(&args->v),
        .stride = 16 * b->pairs,
        .entry = (STEPS - steps) * STEP_BYTES + 1,
        .half_entry = (STEPS - steps) * HALF_STEP_BYTES + 1,
        .whole = b->tile == 2 ? 16 * steps * (s->P / 4) : bytes,
        .out = b->value,
        .first = 16,
        .second = 16,
        .x = b->x,
        .x_bytes = 8 * steps,
        .x_end = b->x + 2 * steps * b->pairs,
    };
    ts_m4_brief_enter(&p, across[args->v.round_half_up]);
    p.stream = args->q_weight;
    p.end = args->q_weight + bytes;
    p.bias = ts_m4_brief_padded(args->q_bias, s->H, s->P, b->tile, b->bias);
    p.factor = ts_m4_brief_factor(&args->q);
    p.out = b->query;
    p.first = row;
    p.second = row;
    p.x = b->x;
    ts_m4_brief_enter(&p, stationary[args->q.round_half_up]);
    p.stream = args->k_weight;
    p.end = args->k_weight + bytes;
    p.bias = ts_m4_brief_padded(args->k_bias, s->H, s->P, b->tile, b->bias);
    p.factor = ts_m4_brief_factor(&args->k);
    p.out = b->key;
    p.first = 8;
    p.second = 2 * row - 8;
    p.x = b->x;
    ts_m4_brief_enter(&p, streamed[args->k.round_half_up]);
}

/* The same of longer reductions; 0 if a requantisation is not for the assembly. */
static __attribute__((noinline)) int project(const ts_mhsa_args *args, const ts_m4_brief_state *b) {
    const ts_shape *s = &args->shape;
    ts_m4_brief_linear l = {
        .weight = args->v_weight,
        .bias = args->v_bias,
        .requant = &args->v,
        .heads = s->H,
        .n = s->P,
        .depth = s->E,
        .finish = TS_M4_ACROSS,
        .stride = 16 * b->pairs,
    };
    if (!ts_m4_brief_project(b, &l, b->value, 4, 4))
        return 0;
    l.weight = args->q_weight;
    l.bias = args->q_bias;
    l.requant = &args->q;
    l.finish = TS_M4_STATIONARY;
    if (!ts_m4_brief_project(b, &l, b->query, b->all, b->all))
        return 0;
    l.weight = args->k_weight;
    l.bias = args->k_bias;
    l.requant = &args->k;
    l.finish = TS_M4_STREAMED;
    return ts_m4_brief_project(b, &l, b->key, 2, 2 * b->all - 2);
}

static inline ts_m4_code *code_for(uint32_t keys, int narrow, uint32_t half_up) {
    static ts_m4_code *const code[][2] = {
        {ts_m4_maps_two_floor, ts_m4_maps_two_half_up},
        {ts_m4_maps_three_floor, ts_m4_maps_three_half_up},
        {ts_m4_maps_four_floor, ts_m4_maps_four_half_up},
        {ts_m4_maps_narrow_two_floor, ts_m4_maps_narrow_two_half_up},
        {ts_m4_maps_narrow_three_floor, ts_m4_maps_narrow_three_half_up},
        {ts_m4_maps_narrow_four_floor, ts_m4_maps_narrow_four_half_up},
        {ts_m4_maps_some_floor, ts_m4_maps_some_half_up},
        {ts_m4_maps_more_floor, ts_m4_maps_more_half_up},
    };
    const uint32_t few = narrow ? keys + 1 : keys - 2;
    return code[keys > 8 ? 7 : keys > 4 ? 6 : few][half_up];
}

/* ts_m4_maps.last */
static inline uintptr_t last_of(uint32_t pairs, uint32_t half_up) {
    enum { PAIR_BYTES = 44 };
    ts_m4_code *end = half_up ? ts_m4_maps_more_half_up_end : ts_m4_maps_more_floor_end;
    return pairs > 4 ? (uintptr_t)end - PAIR_BYTES * (pairs - 1) : pairs == 4;
}

static inline __attribute__((always_inline)) void attend(const ts_mhsa_args *args,
                                                         const ts_m4_brief_state *b) {
    const uint32_t S = b->S, P = args->shape.P, odd = P & 1, half = b->tile == 2;
    const uint32_t half_up = args->scores.round_half_up;
    const uint32_t tiles = half ? P / 4 : b->width / 4;
    ts_m4_maps maps = {
        .query = b->query,
        .key = b->key,
        .query_bytes = 4 * b->width,
        .factor = ts_m4_brief_factor(&args->scores),
        .value = b->value,
        .value_bytes = 16 * tiles * b->pairs,
        .factors = b->factors,
        .factors_step = args->context.per_channel ? 16 : 0,
        .out = (uint8_t *)b->query,
        .table = ts_m4_reversed(args->table.entries) + 255,
        .key_jump = 8 * (b->all - b->width),
        .mask = UINT32_MAX >> 8 * (-S & 3),
        .advance = 4 * P - 2 * odd,
        .toggle = 4 * odd,
        .last = S <= 4 ? half : last_of(b->pairs, half_up),
        .keys = S,
        .rows = 2,
        .half = half,
    };
    ts_m4_code *run = code_for(S, P <= 2 && half, half_up);
    for (uint32_t row = 0; row < S; row += 2) {
        maps.heads = args->shape.H;
        if (row + 1 == S)
            maps.rows = 1;
        ts_m4_brief_enter(&maps, run);
        maps.query += b->all;
        maps.out += 4 * b->all;
    }
}

/* The context's factors, a tile's or all channels'; 0 if they are not for the assembly. */
static int make_factors(const ts_mhsa_args *args, const ts_m4_brief_state *b) {
    const ts_requant *context = &args->context;
    if (context->per_channel)
        return ts_m4_brief_factors(b, context, args->shape.H, args->shape.P);
    for (uint32_t i = 0; i < 4; i++)
        b->factors[i] = ts_m4_brief_factor(context);
    return ts_m4_brief_fast(context);
}

static inline int all_fast(const ts_mhsa_args *args) {
    return ts_m4_brief_fast(&args->q) && ts_m4_brief_fast(&args->k) && ts_m4_brief_fast(&args->v);
}

int ts_m4_brief(const ts_mhsa_args *args, void *scratch) {
    const ts_shape *s = &args->shape;
    if (!ts_m4_brief_has_maps(args))
        return 0;
    ts_m4_brief_state b;
    lay_out(args, scratch, &b);
    for (uint32_t i = 0; i < b.pairs; i++)
        ts_m4_expand_pair(args->input, 2 * i, s->S, s->E, b.x + i * 2 * ts_m4_pairs(s->E));
    if (is_small(args)) {
        if (!all_fast(args))
            return 0;
        project_small(args, &b);
    } else if (!project(args, &b)) {
        return 0;
    }
    if (!make_factors(args, &b))
        return 0;
    attend(args, &b);
    return ts_m4_brief_finish(args, &b);
}
