/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch: per core one tile of the map as a panel. */
#include "attention_context.h"
#include "ts_xpulp_attention.h"

typedef struct {
    const ts_attention_context_args *args;
    ts_xp_tile_product context;
    uint32_t *panel;
} work;

uint32_t ts_attention_context_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    return 4 * cores * ts_xp_align4(shape->S);
}

static void visit(void *context, const ts_xp_tile *tile) {
    work *w = context;
    const ts_attention_context_args *args = w->args;
    const uint32_t S = args->shape.S, P = args->shape.P;
    ts_xp_product *product = &w->context.product;
    product->rows = tile->rows;
    product->right = args->value + tile->head * P * S;
    product->requant = ts_requant_from(args->requant, tile->head * P);
    product->output = args->output + tile->row * args->output_row_stride + tile->head * P;
    ts_xp_pack_panel(w->panel, args->map + (tile->head * S + tile->row) * S, S, tile->rows, S);
    ts_xp_tile_run(&w->context, 1);
}

void ts_attention_context_xpulp(const ts_team *team, const ts_attention_context_args *args,
                                void *scratch) {
    const ts_shape *shape = &args->shape;
    uint32_t *panel = (uint32_t *)scratch + team->core * ts_xp_align4(shape->S);
    work w = {.args = args, .panel = panel};
    w.context.product = (ts_xp_product){
        .heads = 1,
        .columns = shape->P,
        .depth = shape->S,
        .left = panel,
        .right_pitch = shape->S,
        .requant = args->requant,
        .acc_bound = shape->S * 255 * 128,
        .output_channel_tile = 4,
        .output_word = args->output_row_stride,
    };
    ts_xp_tile_prepare(&w.context);
    ts_xp_for_tiles(team, shape->H, shape->S, visit, &w);
}
