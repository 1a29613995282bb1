/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch: per core one tile's queries and scores as panels. */
#include "attention_scores.h"
#include "ts_xpulp_attention.h"

typedef struct {
    const ts_attention_scores_args *args;
    ts_xp_product scores;
    uint32_t *queries, *panel;
} work;

uint32_t ts_attention_scores_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    return 4 * cores * (ts_xp_align4(shape->S) + ts_xp_align4(shape->P));
}

static void visit(void *context, const ts_xp_tile *tile) {
    work *w = context;
    const ts_attention_scores_args *args = w->args;
    const uint32_t S = args->shape.S, P = args->shape.P, first = tile->head * S + tile->row;
    ts_xp_pack_panel(w->queries, args->query + first * P, P, tile->rows, P);
    ts_xp_scores(&w->scores, w->queries, args->key + tile->head * args->key_head_stride, tile->rows,
                 w->panel);
    ts_xp_softmax_to_map(w->panel, args->output + first * S, tile->rows, S, &args->table);
}

void ts_attention_scores_xpulp(const ts_team *team, const ts_attention_scores_args *args,
                               void *scratch) {
    const ts_shape *shape = &args->shape;
    const uint32_t query_words = ts_xp_align4(shape->P), score_words = ts_xp_align4(shape->S);
    uint32_t *own = (uint32_t *)scratch + team->core * (query_words + score_words);
    work w = {
        .args = args,
        .scores = ts_xp_scores_product(shape->S, shape->P, shape->P, &args->requant),
        .queries = own,
        .panel = own + query_words,
    };
    ts_xp_for_tiles(team, shape->H, shape->S, visit, &w);
}
