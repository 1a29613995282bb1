// SPDX-License-Identifier: Apache-2.0
#include "stages.h"

/* None of the stages needs scratch of its own. */
uint32_t ts_fwsa_armv7em_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_fwsa_buffer_bytes(shape, cores);
}

void ts_fwsa_armv7em(const ts_team *team, const ts_fwsa_args *args, void *scratch) {
    static const ts_fwsa_stages stages = {
        .linear_qk = ts_linear_qk_armv7em,
        .attention_scores = ts_attention_scores_armv7em,
        .weight_row_multiple = 1,
    };
    ts_fwsa_run(team, args, scratch, &stages);
}
