// SPDX-License-Identifier: Apache-2.0
/* Operands in layout panels. Scratch: ts_xpulp_ffn.h. */
#include "ffn.h"
#include "ts_xpulp_ffn.h"

uint32_t ts_ffn_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_xp_ffn_bytes(shape);
}

void ts_ffn_xpulp(const ts_team *team, const ts_ffn_args *args, void *scratch) {
    ts_xp_ffn_run(team, args, scratch);
}
