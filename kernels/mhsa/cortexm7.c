// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, table in reversed_bytes. Scratch: ts_m7_layer.h. */
#include "mhsa.h"
#include "ts_m7_layer.h"

uint32_t ts_mhsa_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return ts_m7_place(shape, shape->P, NULL).bytes;
}

void ts_mhsa_cortexm7(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    if (team->core != 0)
        return;
    const ts_m7_layer layer = {
        .shape = args->shape,
        .width = args->shape.P,
        .input = args->input,
        .query = {(const int16_t *)args->q_weight, args->q_bias, args->q},
        .key = {(const int16_t *)args->k_weight, args->k_bias, args->k},
        .value = {(const int16_t *)args->v_weight, args->v_bias, args->v},
        .output = {(const int16_t *)args->o_weight, args->o_bias, args->o},
        .scores = args->scores,
        .context = args->context,
        .table = args->table,
        .result = args->output,
    };
    ts_m7_layer_run(&layer, scratch);
}
