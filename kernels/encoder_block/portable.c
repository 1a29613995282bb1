// SPDX-License-Identifier: Apache-2.0
#include "stages.h"

static const ts_encoder_stages stages = {
    .layernorm = ts_layernorm_portable,
    .mhsa = ts_mhsa_portable,
    .ffn = ts_ffn_portable,
    .add = ts_add_portable,
    .mhsa_scratch = ts_mhsa_portable_scratch,
    .ffn_scratch = ts_ffn_portable_scratch,
};

uint32_t ts_encoder_block_portable_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_encoder_scratch(shape, cores, &stages);
}

void ts_encoder_block_portable(const ts_team *team, const ts_encoder_block_args *args,
                               void *scratch) {
    ts_encoder_run(team, args, scratch, &stages);
}
