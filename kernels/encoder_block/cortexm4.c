// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, table of the softmax in reversed_bytes. */
#include "stages.h"

static const ts_encoder_stages stages = {
    .layernorm = ts_layernorm_cortexm4,
    .mhsa = ts_mhsa_cortexm4,
    .ffn = ts_ffn_cortexm4,
    .add = ts_add_cortexm4,
    .mhsa_scratch = ts_mhsa_cortexm4_scratch,
    .ffn_scratch = ts_ffn_cortexm4_scratch,
};

uint32_t ts_encoder_block_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_encoder_scratch(shape, cores, &stages);
}

void ts_encoder_block_cortexm4(const ts_team *team, const ts_encoder_block_args *args,
                               void *scratch) {
    if (team->core == 0)
        ts_encoder_run(team, args, scratch, &stages);
}
