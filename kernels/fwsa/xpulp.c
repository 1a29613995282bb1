/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in layout rows4. Scratch: the input as row panels, the inner products of a group of heads
 * as row panels, and per core one tile's scores as a panel. */
#include "fwsa.h"
#include "ts_xpulp_layer.h"

typedef struct {
    const ts_fwsa_args *args;
    ts_xp_tile_product scores;
    const int8_t *inner;
    uint8_t *map; /* of the group's first head */
    uint32_t *panel;
} work;

uint32_t ts_fwsa_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    const uint32_t width = ts_xp_align4(shape->E);
    return ts_xp_align4(shape->S) * (width * (1 + ts_xp_layer_group(shape, width)) + 4 * cores);
}

static void visit(void *context, const ts_xp_tile *tile) {
    work *w = context;
    const ts_shape *shape = &w->args->shape;
    const uint32_t S = shape->S, width = ts_xp_align4(shape->E);
    ts_xp_scores(&w->scores, w->inner + (tile->head * ts_xp_align4(S) + tile->row) * width,
                 w->args->input, tile->rows, w->panel);
    ts_xp_softmax_to_map(w->panel, w->map + (tile->head * S + tile->row) * S, tile->rows, S,
                         &w->args->table);
}

void ts_fwsa_xpulp(const ts_team *team, const ts_fwsa_args *args, void *scratch) {
    const ts_shape *shape = &args->shape;
    const uint32_t S = ts_xp_align4(shape->S), width = ts_xp_align4(shape->E);
    const uint32_t group = ts_xp_layer_group(shape, width);
    const ts_xp_linear linear = {args->weight, args->bias, args->requant};
    int8_t *input = scratch, *inner = input + S * width;
    work w = {
        .args = args,
        .inner = inner,
        .map = args->output,
        .panel = (uint32_t *)(inner + group * S * width) + S * team->core,
    };
    ts_xp_scores_prepare(&w.scores, shape->S, shape->E, shape->E, &args->scores_requant);
    ts_xp_pack_panels(team, input, args->input, shape->S, shape->E);
    for (uint32_t first = 0; first < shape->H; first += group) {
        const uint32_t heads = ts_min(group, shape->H - first);
        ts_team_barrier(team); /* input packed, or the previous group's inner products used */
        ts_xp_project_heads(team, shape, input, &linear, shape->E, first, heads, inner);
        ts_team_barrier(team);
        ts_xp_for_tiles(team, heads, shape->S, visit, &w);
        w.map += heads * shape->S * shape->S;
    }
}
