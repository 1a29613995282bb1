// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4. Scratch: ts_m7_linear.h. */
#include "linear_o.h"
#include "ts_m7_linear.h"

uint32_t ts_linear_o_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m7_linear_bytes(shape->S, shape->E, shape->H * shape->P);
}

void ts_linear_o_cortexm7(const ts_team *team, const ts_linear_o_args *args, void *scratch) {
    if (team->core != 0)
        return;
    const ts_shape *shape = &args->shape;
    const ts_m7_linear linear = {
        .heads = 1,
        .rows = shape->S,
        .channels = shape->E,
        .depth = shape->H * shape->P,
        .input = args->input,
        .weight = (const int16_t *)args->weight,
        .bias = args->bias,
        .requant = args->requant,
        .output = args->output,
        .output_head = 0,
        .pitch = shape->E,
    };
    ts_m7_linear_run(&linear, scratch, ts_m7_rows_run);
}
