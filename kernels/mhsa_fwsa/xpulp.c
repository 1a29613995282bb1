/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in layout rows4. Scratch: see ts_xpulp_layer.h. */
#include "mhsa_fwsa.h"
#include "ts_xpulp_layer.h"

uint32_t ts_mhsa_fwsa_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_xp_plan_layer(shape, shape->E, cores).bytes;
}

void ts_mhsa_fwsa_xpulp(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch) {
    const ts_xp_layer layer = {
        .shape = args->shape,
        .input = args->input,
        .query_width = args->shape.E,
        .query = {args->f_weight, args->f_bias, args->f},
        .value = {args->v_weight, args->v_bias, args->v},
        .output = {args->o_weight, args->o_bias, args->o},
        .scores = args->scores,
        .context = args->context,
        .table = args->table,
        .result = args->output,
    };
    ts_xp_layer_run(team, &layer, scratch);
}
