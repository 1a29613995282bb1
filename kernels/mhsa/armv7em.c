// SPDX-License-Identifier: Apache-2.0
#include "stages.h"

/* None of the stages needs scratch of its own. */
uint32_t ts_mhsa_armv7em_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_mhsa_buffer_bytes(shape, cores);
}

void ts_mhsa_armv7em(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    static const ts_mhsa_stages stages = {
        .linear_qk = ts_linear_qk_armv7em,
        .linear_v = ts_linear_v_armv7em,
        .attention_scores = ts_attention_scores_armv7em,
        .attention_context = ts_attention_context_armv7em,
        .linear_o = ts_linear_o_armv7em,
        .weight_row_multiple = 1,
    };
    ts_mhsa_run(team, args, scratch, &stages);
}
