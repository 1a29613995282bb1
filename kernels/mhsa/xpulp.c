/* SPDX-License-Identifier: Apache-2.0 */
/* Operands in layout panels. Scratch: see ts_xpulp_layer.h. */
#include "mhsa.h"

#define TS_XP_FUSED 0
#include "ts_xpulp_layer.h"

uint32_t ts_mhsa_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_layer layer;
    return (uint32_t)(uintptr_t)ts_xp_lay_out(&layer, shape, &team, NULL, NULL);
}

void ts_mhsa_xpulp(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    ts_xp_layer_run(team, args, scratch);
}
