// SPDX-License-Identifier: Apache-2.0
/* Heads of one channel: see cortexm4_one_channel_heads.S. */
#include "cortexm4_brief.h"
#include "cortexm4_brief_finish.h"
#include "ts_m4_panels.h"
#include "ts_m4_softmax.h"

/* A projection that the assembly is for, which has one rounding. */
static inline int fits(const ts_requant *requant, const ts_requant *context) {
    return requant->round_half_up == context->round_half_up && ts_m4_brief_fast(requant);
}

static inline ts_m4_one_projection projection(const int8_t *weight, const int32_t *bias,
                                              const ts_requant *requant) {
    return (ts_m4_one_projection){weight, bias, ts_m4_brief_factor(requant)};
}

/* The input as [step][row]; a last pair without a second row has the last row twice. */
static inline void expand(const ts_mhsa_args *args, uint32_t rows, uint32_t *x) {
    const uint32_t S = args->shape.S, E = args->shape.E;
    for (uint32_t i = 0; i < rows; i++)
        ts_m4_expand(args->input + ts_min(i, S - 1) * E, E, x + i, rows);
}

/* Contexts of all heads. */
static inline __attribute__((always_inline)) void attend(const ts_mhsa_args *args,
                                                         const ts_m4_brief_state *b) {
    static ts_m4_code *const code[][2] = {
        {ts_m4_one_channel_two_floor, ts_m4_one_channel_two_half_up},
        {ts_m4_one_channel_three_floor, ts_m4_one_channel_three_half_up},
        {ts_m4_one_channel_four_floor, ts_m4_one_channel_four_half_up},
    };
    const uint32_t H = args->shape.H;
    uint16_t *out = (uint16_t *)(void *)b->query;
    const ts_m4_one_call call = {
        .x = b->x,
        .x_end = b->query,
        .out = out,
        .out_end = out + H / 2 * 4 + H % 2,
        .scores = ts_m4_brief_factor(&args->scores),
        .context = ts_m4_brief_factor(&args->context),
        .second = 4 * b->all,
        .table = ts_m4_reversed(args->table.entries) + 255,
        .q = projection(args->q_weight, args->q_bias, &args->q),
        .k = projection(args->k_weight, args->k_bias, &args->k),
        .v = projection(args->v_weight, args->v_bias, &args->v),
    };
    ts_m4_brief_enter(&call, code[b->S - 2][args->scores.round_half_up]);
}

int ts_m4_one_channel(const ts_mhsa_args *args, void *scratch) {
    const ts_shape *s = &args->shape;
    const ts_requant *context = &args->context;
    if (!ts_m4_brief_has_maps(args) || !fits(context, context) || !fits(&args->q, context) ||
        !fits(&args->k, context) || !fits(&args->v, context))
        return 0;
    ts_m4_brief_state b = {
        .S = s->S,
        .pairs = ts_m4_pairs(s->S),
        .tile = 4,
        .all = 2 * ts_m4_pairs(s->H),
        .x = (uint32_t *)scratch + TS_M4_LEAD / 4,
    };
    b.query = b.x + 2 * b.pairs * ts_m4_pairs(s->E);
    b.bias = (int32_t *)b.query + b.pairs * b.all;
    b.factors = b.bias + ts_m4_up4(s->E);
    b.rows = (uint8_t *)(b.factors + ts_m4_up4(s->E));
    expand(args, 2 * b.pairs, b.x);
    attend(args, &b);
    return ts_m4_brief_finish(args, &b);
}
