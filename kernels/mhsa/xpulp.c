/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in layout rows4. Scratch: see ts_xpulp_layer.h. */
#include "mhsa.h"
#include "ts_xpulp_layer.h"

uint32_t ts_mhsa_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_xp_plan_layer(shape, 0, cores).bytes;
}

void ts_mhsa_xpulp(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    const ts_xp_layer layer = {
        .shape = args->shape,
        .input = args->input,
        .query_width = args->shape.P,
        .query = {args->q_weight, args->q_bias, args->q},
        .key = {args->k_weight, args->k_bias, args->k},
        .value = {args->v_weight, args->v_bias, args->v},
        .output = {args->o_weight, args->o_bias, args->o},
        .scores = args->scores,
        .context = args->context,
        .table = args->table,
        .result = args->output,
    };
    ts_xp_layer_run(team, &layer, scratch);
}
