// SPDX-License-Identifier: Apache-2.0
/* ffn on an instruction set's own tile function: a core takes its rows through both layers a few
 * at a time, so that only their hidden values exist; or, where there are fewer rows than cores, the
 * hidden values of all rows are computed by all cores first. */
#ifndef TS_FFN_STAGES_H
#define TS_FFN_STAGES_H

#include "ffn.h"
#include "ts_matmul.h"

enum { TS_FFN_ROWS = 4 }; /* rows whose hidden values a core keeps */

static inline int ts_ffn_by_rows(const ts_shape *shape, uint32_t cores) {
    return shape->S >= cores;
}

static inline uint32_t ts_ffn_hidden_bytes(const ts_shape *shape, uint32_t cores) {
    const uint32_t rows = ts_min(TS_FFN_ROWS, ts_ceil_div(shape->S, cores));
    return (ts_ffn_by_rows(shape, cores) ? cores * rows : shape->S) * shape->F;
}

static inline ts_matmul ts_ffn_up(const ts_ffn_args *args, int8_t *hidden) {
    return (ts_matmul){
        .heads = 1,
        .rows = args->shape.S,
        .columns = args->shape.F,
        .depth = args->shape.E,
        .left = args->input,
        .right = args->up_weight,
        .bias = args->up_bias,
        .requant = args->up,
        .output = hidden,
        .output_row = args->shape.F,
        .output_column = 1,
    };
}

static inline ts_matmul ts_ffn_down(const ts_ffn_args *args, const int8_t *hidden) {
    return (ts_matmul){
        .heads = 1,
        .rows = args->shape.S,
        .columns = args->shape.E,
        .depth = args->shape.F,
        .left = hidden,
        .right = args->down_weight,
        .bias = args->down_bias,
        .requant = args->down,
        .output = args->output,
        .output_row = args->shape.E,
        .output_column = 1,
    };
}

static inline void ts_ffn_activate(const int8_t *table, int8_t *values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        values[i] = table[(uint8_t)values[i]];
}

static inline void ts_ffn_rows(const ts_team *team, const ts_ffn_args *args, int8_t *hidden,
                               ts_tile_fn *tile) {
    const uint32_t E = args->shape.E, F = args->shape.F;
    const uint32_t step = ts_min(TS_FFN_ROWS, ts_ceil_div(args->shape.S, team->cores));
    const ts_range share = ts_team_share(team, args->shape.S);
    hidden += team->core * step * F;
    for (uint32_t row = share.begin; row < share.end; row += step) {
        const ts_range rows = {0, ts_min(step, share.end - row)};
        ts_matmul up = ts_ffn_up(args, hidden);
        up.left = args->input + row * E;
        tile(&up, 0, rows, (ts_range){0, F});
        ts_ffn_activate(args->table, hidden, rows.end * F);
        ts_matmul down = ts_ffn_down(args, hidden);
        down.output += row * E;
        tile(&down, 0, rows, (ts_range){0, E});
    }
}

static inline void ts_ffn_whole(const ts_team *team, const ts_ffn_args *args, int8_t *hidden,
                                ts_tile_fn *tile) {
    const ts_matmul up = ts_ffn_up(args, hidden);
    ts_matmul_run(team, &up, tile);
    ts_team_barrier(team);
    const ts_range share = ts_team_share(team, args->shape.S * args->shape.F);
    ts_ffn_activate(args->table, hidden + share.begin, share.end - share.begin);
    ts_team_barrier(team);
    const ts_matmul down = ts_ffn_down(args, hidden);
    ts_matmul_run(team, &down, tile);
}

static inline void ts_ffn_run(const ts_team *team, const ts_ffn_args *args, int8_t *hidden,
                              ts_tile_fn *tile) {
    if (ts_ffn_by_rows(&args->shape, team->cores))
        ts_ffn_rows(team, args, hidden, tile);
    else
        ts_ffn_whole(team, args, hidden, tile);
}

#endif
