/* SPDX-License-Identifier: Apache-2.0 */
/* Operands in layout panels. Scratch: see ts_xpulp_layer.h. */
#include "mhsa_fwsa.h"

#define TS_XP_FUSED 1
#include "ts_xpulp_layer.h"

uint32_t ts_mhsa_fwsa_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_layer layer;
    return (uint32_t)(uintptr_t)ts_xp_lay_out(&layer, shape, &team, NULL, NULL);
}

void ts_mhsa_fwsa_xpulp(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch) {
    const ts_mhsa_args plain = {
        .shape = args->shape,
        .input = args->input,
        .q_weight = args->f_weight,
        .q_bias = args->f_bias,
        .v_weight = args->v_weight,
        .v_bias = args->v_bias,
        .o_weight = args->o_weight,
        .o_bias = args->o_bias,
        .q = args->f,
        .v = args->v,
        .scores = args->scores,
        .context = args->context,
        .o = args->o,
        .table = args->table,
        .output = args->output,
    };
    ts_xp_layer_run(team, &plain, scratch);
}
