/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch: per core one tile of the map as a panel. */
#include "attention_context.h"
#include "ts_xpulp_attention.h"

typedef struct {
    const ts_attention_context_args *args;
    ts_xp_product product;
    uint32_t *panel;
} work;

uint32_t ts_attention_context_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    return 4 * cores * ts_xp_align4(shape->S);
}

static void visit(void *context, const ts_xp_tile *tile) {
    work *w = context;
    const ts_attention_context_args *args = w->args;
    const uint32_t S = args->shape.S, P = args->shape.P;
    ts_xp_product *product = &w->product;
    product->rows = tile->rows;
    product->right = args->value + tile->head * P * S;
    product->requant = ts_requant_from(args->requant, tile->head * P);
    product->output = args->output + tile->row * args->output_row_stride + tile->head * P;
    ts_xp_pack_panel(w->panel, args->map + (tile->head * S + tile->row) * S, S, tile->rows, S);
    ts_xp_product_u8(product, (ts_range){0, ts_ceil_div(P, 4)});
}

void ts_attention_context_xpulp(const ts_team *team, const ts_attention_context_args *args,
                                void *scratch) {
    const ts_shape *shape = &args->shape;
    uint32_t *panel = (uint32_t *)scratch + team->core * ts_xp_align4(shape->S);
    work w = {
        .args = args,
        .product = {.heads = 1,
                    .columns = shape->P,
                    .depth = shape->S,
                    .left = panel,
                    .right_pitch = shape->S,
                    .acc_bound = shape->S * 255 * 128,
                    .output_channel_tile = 4,
                    .output_word = args->output_row_stride},
        .panel = panel,
    };
    ts_xp_for_tiles(team, shape->H, shape->S, visit, &w);
}
