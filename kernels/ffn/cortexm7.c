// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4. Scratch: ts_m7_ffn.h. */
#include "ffn.h"
#include "ts_m7_ffn.h"

uint32_t ts_ffn_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m7_ffn_bytes(shape);
}

void ts_ffn_cortexm7(const ts_team *team, const ts_ffn_args *args, void *scratch) {
    if (team->core == 0)
        ts_m7_ffn_run(args, scratch);
}
