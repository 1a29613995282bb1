// SPDX-License-Identifier: Apache-2.0
#include "stages.h"

/* Of the stages only fwsa needs scratch, for the heads that are processed at once. */
uint32_t ts_mhsa_fwsa_portable_scratch(const ts_shape *shape, uint32_t cores) {
    ts_shape heads_shape = *shape;
    heads_shape.H = ts_heads_at_once(shape, cores);
    return ts_mhsa_fwsa_buffer_bytes(shape, cores) + ts_fwsa_portable_scratch(&heads_shape, cores);
}

void ts_mhsa_fwsa_portable(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch) {
    static const ts_mhsa_fwsa_stages stages = {
        .fwsa = ts_fwsa_portable,
        .linear_v = ts_linear_v_portable,
        .attention_context = ts_attention_context_portable,
        .linear_o = ts_linear_o_portable,
        .weight_row_multiple = 1,
    };
    ts_mhsa_fwsa_run(team, args, scratch, &stages);
}
