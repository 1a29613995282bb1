/* SPDX-License-Identifier: Apache-2.0 */
/* Operands in layout panels. Head by head, in tiles of rows (ts_xpulp_depth.h), or for any
 * requantisation (ts_xpulp_stream.h); shapes that neither takes go through all heads at once
 * (ts_xpulp_layer.h), with the same result. Four rows have a way of their own where that takes no
 * more memory (ts_xpulp_depth_four.h). */
#include "mhsa_fwsa_dft.h"

#define TS_XP_FUSED 1
#include "ts_xpulp_depth.h"
#include "ts_xpulp_depth_four.h"
#include "ts_xpulp_layer.h"

uint32_t ts_mhsa_fwsa_dft_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_layer layer;
    ts_xp_stream stream;
    if (!ts_xp_streams(shape))
        return (uint32_t)(uintptr_t)ts_xp_lay_out(&layer, shape, &team, NULL, NULL);
    const uint32_t fast = ts_xp_depth_bytes(shape, cores);
    const uint32_t any =
        (uint32_t)(uintptr_t)ts_xp_stream_lay_out(&stream, shape, &team, 0, NULL, NULL);
    return fast > any ? fast : any;
}

static __attribute__((noinline)) void run_any(const ts_team *team, const ts_mhsa_fwsa_args *args,
                                              void *scratch) {
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
    if (ts_xp_streams(&args->shape))
        ts_xp_stream_run(team, &plain, 0, scratch);
    else
        ts_xp_layer_run(team, &plain, scratch);
}

/* Whether it is one of four rows, and done. */
static __attribute__((noinline)) int run_four(const ts_team *team, const ts_mhsa_fwsa_args *args,
                                              void *scratch) {
    const uint32_t bytes = ts_xp_depth_four_bytes(&args->shape, team->cores);
    return bytes && bytes <= ts_mhsa_fwsa_dft_xpulp_scratch(&args->shape, team->cores) &&
           ts_xp_depth_four_run(team, args, scratch);
}

void ts_mhsa_fwsa_dft_xpulp(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch) {
    if (!ts_xp_depth_run(team, args, scratch) && !run_four(team, args, scratch))
        run_any(team, args, scratch);
}
