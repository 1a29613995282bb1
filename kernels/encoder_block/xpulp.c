// SPDX-License-Identifier: Apache-2.0
/* Operands in layout panels. One file, so that attention and feed-forward network share their code.
 */
#include "stages.h"

#define TS_XP_FUSED 0
#include "ts_xpulp_encoder.h"

uint32_t ts_encoder_block_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_xp_encoder_bytes(shape, cores);
}

static __attribute__((noinline)) void run_others(const ts_team *team,
                                                 const ts_encoder_block_args *args, void *scratch) {
    ts_xp_encoder_run(team, args, scratch);
}

/* First of the short code. Its place is found by trial, as the whole in targets/gap9/link.ld:
 * others cost up to 3 % at S = 4. */
__attribute__((section(".text.hot.short"), aligned(128))) void
ts_encoder_block_xpulp(const ts_team *team, const ts_encoder_block_args *args, void *scratch) {
    if (!ts_xp_brief_run_all(team, args, scratch))
        run_others(team, args, scratch);
}
