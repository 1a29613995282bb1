// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, table in reversed_bytes. Scratch: ts_m7_layer.h. */
#include "cortexm7_layer.h"
#include "ts_m7_layer.h"

uint32_t ts_mhsa_fwsa_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m7_place(shape, shape->E, NULL).bytes;
}

void ts_mhsa_fwsa_cortexm7(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch) {
    if (team->core != 0)
        return;
    const ts_m7_layer layer = ts_mhsa_fwsa_cortexm7_layer(args);
    ts_m7_layer_run(&layer, scratch);
}
