// SPDX-License-Identifier: Apache-2.0
/* Operands in layout panels. One file, so that attention and feed-forward network share their code.
 */
#include "stages.h"

#define TS_XP_FUSED 0
#include "ts_xpulp_encoder.h"

uint32_t ts_encoder_block_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_xp_encoder_bytes(shape, cores);
}

void ts_encoder_block_xpulp(const ts_team *team, const ts_encoder_block_args *args, void *scratch) {
    ts_xp_encoder_run(team, args, scratch);
}
