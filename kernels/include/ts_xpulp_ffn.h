/* SPDX-License-Identifier: Apache-2.0 */
/* A feed-forward network for XpulpV2: both layers by all cores, the hidden values of all rows
 * between them. */
#ifndef TS_XPULP_FFN_H
#define TS_XPULP_FFN_H

#include "../ffn/ffn.h"
#include "ts_xpulp_dense.h"

/* Bytes of the hidden values of all rows. */
static inline uint32_t ts_xp_hidden_bytes(const ts_shape *shape) {
    return ts_xp_whole_tiles(shape->S) * ts_xp_align4(shape->F);
}

/* Bytes of scratch: hidden values and, where the operands' exact sizes do not suit, padded copies
 * of input and output. */
static inline uint32_t ts_xp_ffn_bytes(const ts_shape *shape) {
    const uint32_t copy = ts_xp_whole_tiles(shape->S) * ts_xp_align4(shape->E);
    return ts_xp_hidden_bytes(shape) + (ts_xp_copies(shape->S, shape->E) ? copy : 0);
}

/* Hidden values of whole tiles of rows from rows of align4(E) bytes. */
TS_XP_STAGE void ts_xp_ffn_up(const ts_team *team, const ts_ffn_args *args, const int8_t *input,
                              int8_t *hidden) {
    const uint32_t F = args->shape.F;
    ts_xp_dense up = {
        .input = {input, ts_xp_align4(args->shape.E), F},
        .weight = args->up_weight,
        .bias = args->up_bias,
        .requant = &args->up,
        .output = hidden,
        .row = ts_xp_align4(F),
        .table = args->table,
    };
    ts_xp_dense_run(team, &up, args->shape.S);
}

/* From the hidden values to rows of align4(E) bytes, which may be those that the hidden values were
 * made of. `down`: what becomes of them, see ts_xpulp_dense.h; the rest is set here. */
TS_XP_STAGE void ts_xp_ffn_down(const ts_team *team, const ts_ffn_args *args, const int8_t *hidden,
                                int8_t *output, ts_xp_dense *down) {
    down->input = (ts_xp_input){hidden, ts_xp_align4(args->shape.F), args->shape.E};
    down->weight = args->down_weight;
    down->bias = args->down_bias;
    down->requant = &args->down;
    down->output = output;
    down->row = ts_xp_align4(args->shape.E);
    ts_xp_dense_run(team, down, args->shape.S);
}

TS_XP_STAGE void ts_xp_ffn_run(const ts_team *team, const ts_ffn_args *args, void *scratch) {
    const ts_shape *shape = &args->shape;
    const int copies = ts_xp_copies(shape->S, shape->E);
    int8_t *hidden = scratch, *copy = hidden + ts_xp_hidden_bytes(shape);
    ts_xp_dense down = {.table = NULL, .residual = NULL};
    if (copies) {
        ts_xp_copy_in(team, copy, args->input, shape->S, shape->E);
        ts_team_barrier(team);
    }
    ts_xp_ffn_up(team, args, copies ? copy : args->input, hidden);
    ts_team_barrier(team);
    ts_xp_ffn_down(team, args, hidden, copies ? copy : args->output, &down);
    if (copies) {
        ts_team_barrier(team);
        ts_xp_copy_out(team, args->output, copy, shape->S, shape->E);
    }
}

#endif
