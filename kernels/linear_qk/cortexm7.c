// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4. Scratch: ts_m7_linear.h. */
#include "linear_qk.h"
#include "ts_m7_linear.h"

uint32_t ts_linear_qk_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m7_linear_bytes(shape->S, shape->P, shape->E);
}

void ts_linear_qk_cortexm7(const ts_team *team, const ts_linear_qk_args *args, void *scratch) {
    if (team->core != 0)
        return;
    const ts_shape *shape = &args->shape;
    const ts_m7_linear linear = {
        .heads = shape->H,
        .rows = shape->S,
        .channels = shape->P,
        .depth = shape->E,
        .input = args->input,
        .weight = (const int16_t *)args->weight,
        .bias = args->bias,
        .requant = args->requant,
        .output = args->output,
        .output_head = shape->S * shape->P,
        .pitch = shape->P,
    };
    ts_m7_linear_run(&linear, scratch, ts_m7_rows_run);
}
