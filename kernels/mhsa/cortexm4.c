// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, the softmax table in reversed_bytes. */
#include "cortexm4_brief.h"
#include "cortexm4_layer.h"
#include "mhsa.h"

uint32_t ts_mhsa_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    const ts_m4_attention layer = {.shape = *shape, .width = shape->P, .two_channels = 1};
    const uint32_t bytes = ts_m4_attention_bytes(&layer);
    const uint32_t brief = ts_m4_brief_bytes(shape);
    return bytes > brief ? bytes : brief;
}

/* A function of its own, so that the other ways do not pay for its frame. */
static __attribute__((noinline)) int run_one_channel(const ts_mhsa_args *args, void *scratch) {
    return ts_m4_one_channel(args, scratch) || ts_m4_brief(args, scratch);
}

/* At least two rows; 0 if the work is left undone. */
static inline int run_few_rows(const ts_mhsa_args *args, void *scratch) {
    if (!ts_m4_has_few_rows(&args->shape))
        return 0;
    if (ts_m4_has_one_channel(args))
        return run_one_channel(args, scratch);
    return ts_m4_brief(args, scratch);
}

void ts_mhsa_cortexm4(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    (void)team;
    if (args->shape.S == 1) {
        ts_m4_single_row(args, scratch);
        return;
    }
    if (run_few_rows(args, scratch))
        return;
    ts_m4_attention layer = ts_mhsa_cortexm4_layer(args);
    layer.two_channels = 1;
    ts_m4_attention_run(&layer, scratch);
}
