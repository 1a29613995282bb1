// SPDX-License-Identifier: Apache-2.0
#include "cortexm4_brief.h"

#include "ts_m4_panels.h"
#include "ts_m4_softmax.h"

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

/* Heads of one or two channels, whose tiles of four would be half empty: what is made for that. */
static int is_narrow(const ts_mhsa_args *args) {
    const ts_shape *s = &args->shape;
    return s->P <= 2 && s->S <= 4 && ts_m4_brief_is_small(&args->q, s->E) &&
           ts_m4_brief_is_small(&args->k, s->E) && ts_m4_brief_is_small(&args->v, s->E);
}

static void lay_out(const ts_mhsa_args *args, void *scratch, ts_m4_brief_state *b) {
    const ts_shape *s = &args->shape;
    const uint32_t tile = is_narrow(args) ? 2 : 4, pairs = ts_m4_pairs(s->S);
    const uint32_t width = (s->P + tile - 1) & -tile, all = s->H * width;
    b->S = s->S;
    b->pairs = pairs;
    b->tile = tile;
    b->width = width;
    b->all = all;
    b->x = (uint32_t *)scratch + TS_M4_LEAD / 4;
    b->query = b->x + pairs * 2 * ts_m4_pairs(s->E);
    b->key = b->query + pairs * all;
    b->value = b->key + ts_m4_up4(s->S) / 2 * all;
    b->bias = (int32_t *)b->value + pairs * all;
    b->factors = b->bias + bias_channels(s);
    b->rows = (uint8_t *)(b->factors + larger(all, ts_m4_up4(s->E)));
}

/* Values, queries and keys of all heads; 0 if a requantisation is not for the assembly. */
static int project(const ts_mhsa_args *args, const ts_m4_brief_state *b) {
    const ts_shape *s = &args->shape;
    const uint32_t item = b->tile, words = b->all;
    ts_m4_brief_linear l = {.heads = s->H,
                            .n = s->P,
                            .depth = s->E,
                            .finish = TS_M4_ACROSS,
                            .stride = 4 * item * b->pairs};
    l.weight = args->v_weight;
    l.bias = args->v_bias;
    l.requant = &args->v;
    if (!ts_m4_brief_project(b, &l, b->value, item, item))
        return 0;
    l.weight = args->q_weight;
    l.bias = args->q_bias;
    l.requant = &args->q;
    l.finish = TS_M4_STATIONARY;
    if (!ts_m4_brief_project(b, &l, b->query, words, words))
        return 0;
    l.weight = args->k_weight;
    l.bias = args->k_bias;
    l.requant = &args->k;
    l.finish = TS_M4_STREAMED;
    return ts_m4_brief_project(b, &l, b->key, 2, 2 * words - 2);
}

static ts_m4_maps_fn *code_for(uint32_t keys, int narrow, uint32_t half_up) {
    static ts_m4_maps_fn *const code[][2] = {
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
static uintptr_t last_of(uint32_t pairs, uint32_t half_up) {
    enum { PAIR_BYTES = 44 };
    ts_m4_code *end = half_up ? ts_m4_maps_more_half_up_end : ts_m4_maps_more_floor_end;
    return pairs > 4 ? (uintptr_t)end - PAIR_BYTES * (pairs - 1) : pairs == 4;
}

static void attend(const ts_mhsa_args *args, const ts_m4_brief_state *b, uint32_t step) {
    const uint32_t S = b->S, P = args->shape.P, odd = P & 1;
    const uint32_t half_up = args->scores.round_half_up;
    ts_m4_maps maps = {
        .query = b->query,
        .key = b->key,
        .query_bytes = 4 * b->width,
        .factor = ts_m4_brief_factor(&args->scores),
        .value = b->value,
        .value_bytes = 4 * b->width * b->pairs,
        .factors = b->factors,
        .factors_step = 4 * b->tile * step,
        .out = (uint8_t *)b->query,
        .table = ts_m4_reversed(args->table.entries) + 255,
        .key_jump = 8 * (b->all - b->width),
        .mask = UINT32_MAX >> 8 * (-S & 3),
        .advance = 4 * P - 2 * odd,
        .toggle = 4 * odd,
        .last = last_of(b->pairs, half_up),
        .keys = S,
        .rows = 2,
    };
    ts_m4_maps_fn *run = code_for(S, b->tile == 2, half_up);
    for (uint32_t row = 0; row < S; row += 2) {
        maps.heads = args->shape.H;
        if (row + 1 == S)
            maps.rows = 1;
        run(&maps);
        maps.query += b->all;
        maps.out += 4 * b->all;
    }
}

/* The context's factors, a tile's or all channels'; 0 if they are not for the assembly. */
static int make_factors(const ts_mhsa_args *args, const ts_m4_brief_state *b) {
    const ts_requant *context = &args->context;
    if (context->per_channel)
        return ts_m4_brief_factors(b, context, args->shape.H, args->shape.P);
    for (uint32_t i = 0; i < b->tile; i++)
        b->factors[i] = ts_m4_brief_factor(context);
    return ts_m4_brief_fast(context);
}

/* Whether its maps are what the assembly makes. */
static int has_maps(const ts_mhsa_args *args) {
    return args->shape.S == 1 || (args->table.max <= 255u && ts_m4_brief_fast(&args->scores) &&
                                  args->context.round_half_up == args->scores.round_half_up);
}

int ts_m4_brief(const ts_mhsa_args *args, void *scratch) {
    const ts_shape *s = &args->shape;
    if (s->S == 1) {
        ts_m4_single_row(args, scratch);
        return 1;
    }
    if (!has_few_rows(s) || !has_maps(args))
        return 0;
    ts_m4_brief_state b;
    lay_out(args, scratch, &b);
    for (uint32_t i = 0; i < b.pairs; i++)
        ts_m4_expand_pair(args->input, 2 * i, s->S, s->E, b.x + i * 2 * ts_m4_pairs(s->E));
    if (!project(args, &b) || !make_factors(args, &b))
        return 0;
    attend(args, &b, args->context.per_channel);
    const ts_m4_brief_linear output = {args->o_weight, args->o_bias, &args->o,   1,
                                       s->E,           s->H * s->P,  TS_M4_ROWS, ts_m4_up4(s->E)};
    return ts_m4_brief_output(&b, &output, args->output);
}
