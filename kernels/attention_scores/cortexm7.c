// SPDX-License-Identifier: Apache-2.0
/* Table in layout reversed_bytes. Scratch: one head's keys as 4-panels, two rows of queries as a
 * 2-panel, their scores and their map (ts_m7_softmax.h). */
#include "attention_scores.h"
#include "ts_m7_maps.h"

uint32_t ts_attention_scores_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    const uint32_t quads = ts_ceil_div(shape->S, 4), pairs = ts_m7_pairs(shape->P);
    return 16 * quads * pairs + 8 * pairs + 24 * quads + 8;
}

void ts_attention_scores_cortexm7(const ts_team *team, const ts_attention_scores_args *args,
                                  void *scratch) {
    if (team->core != 0)
        return;
    const uint32_t S = args->shape.S, P = args->shape.P;
    const uint32_t quads = ts_ceil_div(S, 4), pairs = ts_m7_pairs(P);
    int16_t *key = scratch, *query = key + 8 * quads * pairs;
    uint16_t *map = (uint16_t *)(query + 4 * pairs);
    const ts_m7_call scores = {
        .b = query,
        .output = map + 8 * quads,
        .a = key - 8,
        .a_last = key - 8 + 8 * quads * pairs,
        .outer = 1,
        .pairs = pairs,
    };
    const ts_m7_scale scale = ts_m7_scale_all(args->requant, 1);
    const ts_m7_softmax softmax = ts_m7_softmax_of(&args->table, S);
    for (uint32_t h = 0; h < args->shape.H; h++) {
        if (h == 0 || args->key_head_stride != 0)
            for (uint32_t row = 0; row < S; row += 4)
                ts_m7_expand_4(args->key + h * args->key_head_stride, S, P, row,
                               key + 2 * row * pairs);
        for (uint32_t row = 0; row < S; row += 2) {
            ts_m7_expand_2(args->query + h * S * P, S, P, row, query);
            ts_m7_map_rows(&scores, &scale, &softmax, map, row, args->output + h * S * S);
        }
    }
}
