/* SPDX-License-Identifier: Apache-2.0 */
/* An attention layer of four rows for XpulpV2: a head's only tile goes from the queries to the
 * context on one core, as in ts_xpulp_short.h, with values in the place of what the scores no
 * longer need. */
#ifndef TS_XPULP_DEPTH_FOUR_H
#define TS_XPULP_DEPTH_FOUR_H

#include "ts_xpulp_short.h"

/* Bytes of scratch memory: queries and (plain) context; keys, then values. Fused: queries, then
 * values; context. Then a map for each core. 0 where the shape is not one of these. */
static inline uint32_t ts_xp_depth_four_bytes(const ts_shape *shape, uint32_t cores) {
    const uint32_t E = shape->E, P = shape->P, width = TS_XP_FUSED ? E : P;
    return shape->S != 4 || (E | P) & 3 || P > width ? 0 : 4 * shape->H * (width + P) + 16 * cores;
}

/* Whether this was such a layer, its heads and its blocks of output columns shared out evenly and
 * its requantisations fast, and is done. */
TS_XP_SELDOM int ts_xp_depth_four_run(const ts_team *team, const ts_xp_short_args *args,
                                      int8_t *scratch) {
    const uint32_t E = args->shape.E, P = args->shape.P, H = args->shape.H, HP = H * P;
    const uint32_t core = team->core, width = TS_XP_FUSED ? E : P;
    const uint32_t heads = ts_xp_each(team, H), blocks = ts_xp_each(team, E / 4);
    ts_xp_short_factors factor;
    if (!heads || !blocks || 8 * team->cores > 4 * E || !args->table.entries[256] ||
        !ts_xp_short_scale(&factor, args, width))
        return 0;
    int8_t *second = scratch + 4 * H * width, *map = second + 4 * HP + core * 16;
    int8_t *context = TS_XP_FUSED ? second : scratch;
    uint32_t *buffer = (uint32_t *)(void *)(args->output + core * 8);
    ts_xp_call calls[3 - TS_XP_FUSED], *const query = calls,
                                              *const scores = calls + 2 - TS_XP_FUSED;
    for (uint32_t head = core * heads; head < (core + 1) * heads; head++) {
        int8_t *values = TS_XP_FUSED ? scratch + head * width * 4 : second + head * P * 4;
        ts_xp_short_call(query, args->input, E, args->TS_XP_Q(_weight) + head * width * E, E,
                         TS_XP_BIAS, factor.q, 1);
        query->bias = args->TS_XP_Q(_bias) + 4 + head * width;
#if TS_XP_FUSED
        ts_xp_short_output(query, values, 4, 16, 0, E / 4);
        ts_xp_short_call(scores, args->input, E, values, E, TS_XP_ZERO, factor.scores, 1);
        scores->select = TS_XP_COLUMNS;
#else
        ts_xp_call *const key = calls + 1;
        ts_xp_short_output(query, scratch + head * P, HP, 4, 0, P / 4);
        ts_xp_short_call(key, args->input, E, args->k_weight + head * P * E, E, TS_XP_BIAS,
                         factor.k, 1);
        key->bias = args->k_bias + 4 + head * P;
        ts_xp_short_output(key, values, 4, 16, 0, P / 4);
        ts_xp_short_call(scores, scratch + head * P, HP, values, P, TS_XP_ZERO, factor.scores, 1);
#endif
        ts_xp_short_output(scores, map, 4, 4, 0, 1);
        ts_xp_tile4(calls, 3 - TS_XP_FUSED);
        ts_xp_softmax_pairs(map, (uint8_t *)map, 4, 4, args->table.entries + 256, buffer);
        ts_xp_short_call(calls, args->input, E, args->v_weight + head * P * E, E, TS_XP_BIAS,
                         factor.v, 1);
        calls[0].bias = args->v_bias + 4 + head * P;
        calls[0].select = TS_XP_COLUMNS;
        ts_xp_short_output(calls, values, 4, 16, 0, P / 4);
        ts_xp_short_call(calls + 1, map, 4, values, 4, TS_XP_UNSIGNED, factor.context, 1);
        ts_xp_short_output(calls + 1, context + head * P, HP, 4, 0, P / 4);
        ts_xp_tile4(calls, 2);
    }
    ts_team_barrier(team);
    ts_xp_short_call(query, context, HP, args->o_weight + core * blocks * 4 * HP, HP, TS_XP_BIAS,
                     factor.o, 1);
    query->bias = args->o_bias + 4 + core * blocks * 4;
    ts_xp_short_output(query, args->output + core * blocks * 4, E, 4, 0, blocks);
    ts_xp_tile4(query, 1);
    return 1;
}

#endif
