/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in layout rows4. Scratch: the input as row panels, shared by the team. */
#include "linear_qk.h"
#include "ts_xpulp_product.h"

uint32_t ts_linear_qk_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_xp_align4(shape->S) * ts_xp_align4(shape->E);
}

void ts_linear_qk_xpulp(const ts_team *team, const ts_linear_qk_args *args, void *scratch) {
    const ts_shape *shape = &args->shape;
    const uint32_t depth = ts_xp_align4(shape->E);
    const ts_xp_product product = {
        .heads = shape->H,
        .rows = shape->S,
        .columns = shape->P,
        .depth = depth,
        .left = scratch,
        .left_tile = 4 * depth,
        .right = args->weight,
        .right_head = shape->P * depth,
        .right_pitch = depth,
        .bias = args->bias,
        .requant = args->requant,
        .acc_bound = depth * 128 * 128,
        .output = args->output,
        .output_head = shape->S * shape->P,
        .output_row_tile = 4 * shape->P,
        .output_channel_tile = 4,
        .output_word = shape->P,
    };
    ts_xp_pack_panels(team, scratch, args->input, shape->S, shape->E);
    ts_team_barrier(team);
    ts_xp_product_s8(&product, ts_xp_share(team, ts_xp_units(&product)));
}
