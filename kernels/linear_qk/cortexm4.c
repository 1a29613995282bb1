// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4. */
#include "linear_qk.h"
#include "ts_m4_rows.h"

uint32_t ts_linear_qk_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m4_rows_bytes(shape->H, shape->E, shape->P);
}

void ts_linear_qk_cortexm4(const ts_team *team, const ts_linear_qk_args *args, void *scratch) {
    (void)team;
    const ts_m4_rows rows = {
        .heads = args->shape.H,
        .rows = args->shape.S,
        .depth = args->shape.E,
        .columns = args->shape.P,
        .left = args->input,
        .panels = args->weight,
        .bias = args->bias,
        .requant = args->requant,
        .output = args->output,
    };
    ts_m4_run_rows(&rows, scratch);
}
