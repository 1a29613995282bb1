/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch: per core one tile's queries and scores as panels; where P is no multiple of 4, also the
 * keys in rows of whole words, so that no dot product ends within a word. */
#include "attention_scores.h"
#include "ts_xpulp_attention.h"

typedef struct {
    const ts_attention_scores_args *args;
    ts_xp_tile_product scores;
    const int8_t *keys;
    uint32_t key_head;
    uint32_t *queries, *panel;
} work;

static uint32_t copied_key_bytes(const ts_shape *shape) {
    return shape->P & 3 ? shape->H * ts_xp_align4(shape->S) * ts_xp_align4(shape->P) : 0;
}

uint32_t ts_attention_scores_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    return 4 * cores * (ts_xp_align4(shape->S) + ts_xp_align4(shape->P)) + copied_key_bytes(shape);
}

/* This core's share of the rows of all heads' keys, each with whole words from row h * align4(S).
 */
static void copy_keys(const ts_team *team, const ts_attention_scores_args *args, int8_t *copies) {
    const uint32_t S = args->shape.S, P = args->shape.P, pitch = ts_xp_align4(P);
    const ts_range share = ts_team_share(team, args->shape.H * S);
    uint32_t head = share.begin / S, row = share.begin - head * S;
    for (uint32_t i = share.begin; i < share.end; i++) {
        ts_xp_copy_row(copies + (head * ts_xp_align4(S) + row) * pitch, 4,
                       args->key + head * args->key_head_stride + row * P, P);
        if (++row == S) {
            row = 0;
            head++;
        }
    }
}

static void visit(void *context, const ts_xp_tile *tile) {
    work *w = context;
    const ts_attention_scores_args *args = w->args;
    const uint32_t S = args->shape.S, P = args->shape.P, first = tile->head * S + tile->row;
    ts_xp_pack_panel(w->queries, args->query + first * P, P, tile->rows, P);
    ts_xp_scores(&w->scores, w->queries, w->keys + tile->head * w->key_head, tile->rows, w->panel);
    ts_xp_softmax_to_map(w->panel, args->output + first * S, tile->rows, S, &args->table);
}

void ts_attention_scores_xpulp(const ts_team *team, const ts_attention_scores_args *args,
                               void *scratch) {
    const ts_shape *shape = &args->shape;
    const uint32_t P = ts_xp_align4(shape->P), S = ts_xp_align4(shape->S);
    uint32_t *own = (uint32_t *)scratch + team->core * (P + S);
    work w = {
        .args = args,
        .keys = args->key,
        .key_head = args->key_head_stride,
        .queries = own,
        .panel = own + P,
    };
    if (shape->P & 3) {
        int8_t *copies = (int8_t *)((uint32_t *)scratch + team->cores * (P + S));
        copy_keys(team, args, copies);
        ts_team_barrier(team);
        w.keys = copies;
        w.key_head = S * P;
    }
    ts_xp_scores_prepare(&w.scores, shape->P & 3 ? S : shape->S, P, P, &args->requant);
    ts_xp_for_tiles(team, shape->H, shape->S, visit, &w);
}
