// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, table in reversed_bytes. Scratch and schedules: ts_m7_depth_first.h.
 */
#include "../mhsa_fwsa/cortexm7_layer.h"
#include "mhsa_fwsa_dft.h"
#include "ts_m7_depth_first.h"

uint32_t ts_mhsa_fwsa_dft_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m7_tile(shape, shape->E, 1, NULL).bytes;
}

void ts_mhsa_fwsa_dft_cortexm7(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch) {
    if (team->core != 0)
        return;
    const ts_m7_layer layer = ts_mhsa_fwsa_cortexm7_layer(args);
    ts_m7_depth_first(&layer, scratch);
}
