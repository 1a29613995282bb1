// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, the softmax table in reversed_bytes. The output's sums of all rows are
 * kept. */
#include "../mhsa_fwsa/cortexm4_layer.h"
#include "mhsa_fwsa_dft.h"

uint32_t ts_mhsa_fwsa_dft_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    const ts_m4_attention layer = {.shape = *shape, .width = shape->E, .accumulate = 1};
    return ts_m4_attention_bytes(&layer);
}

void ts_mhsa_fwsa_dft_cortexm4(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch) {
    (void)team;
    ts_m4_attention layer = ts_mhsa_fwsa_cortexm4_layer(args);
    layer.accumulate = 1;
    ts_m4_attention_run(&layer, scratch);
}
