/* SPDX-License-Identifier: Apache-2.0 */
/* Operands in layout panels. Scratch: see ts_xpulp_layer.h. */
#include "mhsa_fwsa.h"

#define TS_XP_FUSED 1
#include "ts_xpulp_four.h"
#include "ts_xpulp_short.h"

uint32_t ts_mhsa_fwsa_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_layer layer;
    const uint32_t some = ts_xp_short_bytes(shape, cores);
    const uint32_t any = (uint32_t)(uintptr_t)ts_xp_lay_out(&layer, shape, &team, NULL, NULL);
    return any > some ? any : some;
}

static __attribute__((noinline)) void run_long(const ts_team *team, const ts_mhsa_fwsa_args *args,
                                               void *scratch) {
    if (args->shape.S <= TS_XP_CHUNK && ts_xp_short_run(team, args, scratch))
        return;
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
    ts_xp_heads_run(team, &plain, scratch);
}

void ts_mhsa_fwsa_xpulp(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch) {
    if (!ts_xp_four_fused_attention(team, args, scratch))
        run_long(team, args, scratch);
}
