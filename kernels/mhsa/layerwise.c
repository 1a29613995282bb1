// SPDX-License-Identifier: Apache-2.0
/* Layer by layer: queries, keys, values and attention maps of all heads exist at once, the context
 * takes the place of the queries. What the memory of every other variant is compared with. */
#include "stages.h"

uint32_t ts_mhsa_layerwise_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    const uint32_t H = shape->H, S = shape->S;
    return 3 * ts_align16(H * S * shape->P) + H * S * S;
}

void ts_mhsa_layerwise(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    static const ts_mhsa_stages stages = {
        .linear_qk = ts_linear_qk_portable,
        .linear_v = ts_linear_v_portable,
        .attention_scores = ts_attention_scores_portable,
        .attention_context = ts_attention_context_portable,
        .linear_o = ts_linear_o_portable,
        .weight_row_multiple = 1,
    };
    const ts_shape *shape = &args->shape;
    const uint32_t projection = ts_align16(shape->H * shape->S * shape->P);
    int8_t *base = scratch;
    const ts_mhsa_buffers b = {
        .heads = shape->H,
        .query = base,
        .key = base + projection,
        .value = base + 2 * projection,
        .map = (uint8_t *)base + 3 * projection,
        .context = base,
    };
    ts_mhsa_run_in(team, args, &stages, &b);
}
