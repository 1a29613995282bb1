/* SPDX-License-Identifier: Apache-2.0 */
/* A linear layer for XpulpV2 and what directly follows it, in place: a table, or the addition of a
 * residual. The columns are in parts, so that every core is busy however few rows there are; a core
 * has some rows of some parts. */
#ifndef TS_XPULP_DENSE_H
#define TS_XPULP_DENSE_H

#include "ts_xpulp_pointwise.h"
#include "ts_xpulp_prepare.h"
#include "ts_xpulp_share.h"

typedef struct {
    ts_xp_input input;    /* rows of a multiple of 4 bytes */
    const int8_t *weight; /* layout words4 */
    const int32_t *bias;  /* bounded4 */
    const ts_requant *requant;
    int8_t *output;
    uint32_t row;           /* bytes of an output row, a multiple of 4 */
    uint32_t parts;         /* of the columns, set by the run */
    const int8_t *table;    /* 256 entries, or NULL */
    const int8_t *residual; /* like the output, or NULL */
    ts_xp_addition add;     /* of residual and output */
} ts_xp_dense;

/* Some rows of a part of the columns. */
TS_XP_STAGE void ts_xp_dense_piece(void *context, uint32_t part, uint32_t first, uint32_t rows) {
    const ts_xp_dense *dense = context;
    const uint32_t all = dense->row / 4, parts = dense->parts;
    const uint32_t begin = part * all / parts, blocks = (part + 1) * all / parts - begin;
    ts_xp_call call;
    ts_xp_set_linear(&call, &dense->input, dense->weight, dense->bias, dense->requant, begin);
    ts_xp_set_output(&call, dense->output + 4 * begin, dense->row, blocks);
    ts_xp_run(&call, 1, first, rows);
    uint32_t at = first * dense->row + 4 * begin;
    if (dense->table)
        for (uint32_t i = 0; i < rows; i++, at += dense->row)
            ts_xp_look_up_words(dense->output + at, dense->table, blocks, dense->output + at);
    if (dense->residual)
        for (uint32_t i = 0; i < blocks; i++, at += 4)
            ts_xp_add_words(&dense->add, dense->residual + at, dense->output + at,
                            dense->output + at, dense->row, rows);
}

/* All `rows` rows; where rows % 4 is 2 or 3 whole tiles are read and written. */
TS_XP_STAGE void ts_xp_dense_run(const ts_team *team, ts_xp_dense *dense, uint32_t rows) {
    dense->parts = ts_min(dense->row / 4, team->cores);
    ts_xp_for_pieces(team, dense->parts, rows, 1, ts_xp_dense_piece, dense);
}

#endif
