// SPDX-License-Identifier: Apache-2.0
/* Weights as they are, made into panels a head at a time: for layers whose panels do not fit the
 * memory. The softmax table in reversed_bytes. */
#include "cortexm4_layer.h"
#include "mhsa.h"

uint32_t ts_mhsa_cortexm4_bytes_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    const ts_m4_attention layer = {
        .shape = *shape, .width = shape->P, .accumulate = 1, .expand = 1};
    return ts_m4_attention_bytes(&layer);
}

void ts_mhsa_cortexm4_bytes(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    (void)team;
    ts_m4_attention layer = ts_mhsa_cortexm4_layer(args);
    layer.accumulate = 1;
    layer.expand = 1;
    ts_m4_attention_run(&layer, scratch);
}
