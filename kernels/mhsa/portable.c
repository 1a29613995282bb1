// SPDX-License-Identifier: Apache-2.0
#include "stages.h"

/* None of the stages needs scratch of its own. */
uint32_t ts_mhsa_portable_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_mhsa_buffer_bytes(shape, cores);
}

void ts_mhsa_portable(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    static const ts_mhsa_stages stages = {
        .linear_qk = ts_linear_qk_portable,
        .linear_v = ts_linear_v_portable,
        .attention_scores = ts_attention_scores_portable,
        .attention_context = ts_attention_context_portable,
        .linear_o = ts_linear_o_portable,
        .weight_row_multiple = 1,
    };
    ts_mhsa_run(team, args, scratch, &stages);
}
