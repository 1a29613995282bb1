// SPDX-License-Identifier: Apache-2.0
/* attention_scores on an instruction set's own tile and softmax functions. */
#ifndef TS_ATTENTION_SCORES_STAGES_H
#define TS_ATTENTION_SCORES_STAGES_H

#include "attention_scores.h"
#include "ts_matmul.h"
#include "ts_softmax.h"

/* The int8 scores are written where the map goes and the softmax runs in place, so there is no
 * scratch. Both happen on one core for a given row, so there is no barrier either. */
static inline void ts_attention_scores_run(const ts_team *team,
                                           const ts_attention_scores_args *args, ts_tile_fn *tile,
                                           ts_softmax_row_fn *softmax_row) {
    const ts_shape *shape = &args->shape;
    const ts_matmul product = {
        .heads = shape->H,
        .rows = shape->S,
        .columns = shape->S,
        .depth = shape->P,
        .left = args->query,
        .right = args->key,
        .bias = NULL,
        .requant = args->requant,
        .output = (int8_t *)args->output,
        .left_head = shape->S * shape->P,
        .right_head = args->key_head_stride,
        .output_head = shape->S * shape->S,
        .output_row = shape->S,
        .output_column = 1,
    };
    ts_matmul_by_rows(team, &product, tile);
    const ts_range rows = ts_team_share(team, shape->H * shape->S);
    for (uint32_t row = rows.begin; row < rows.end; row++) {
        uint8_t *scores = args->output + row * shape->S;
        softmax_row((const int8_t *)scores, scores, shape->S, &args->table);
    }
}

#endif
