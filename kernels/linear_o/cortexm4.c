// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4. */
#include "linear_o.h"
#include "ts_m4_rows.h"

uint32_t ts_linear_o_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m4_rows_bytes(1, shape->H * shape->P, shape->E);
}

void ts_linear_o_cortexm4(const ts_team *team, const ts_linear_o_args *args, void *scratch) {
    (void)team;
    const ts_m4_rows rows = {
        .heads = 1,
        .rows = args->shape.S,
        .depth = args->shape.H * args->shape.P,
        .columns = args->shape.E,
        .left = args->input,
        .panels = args->weight,
        .bias = args->bias,
        .requant = args->requant,
        .output = args->output,
    };
    ts_m4_run_rows(&rows, scratch);
}
