/* SPDX-License-Identifier: Apache-2.0 */
/* Operands in layout panels. All heads at once (ts_xpulp_layer.h), or head by head where that takes
 * more memory than there is (ts_xpulp_kept.h, ts_xpulp_stream.h). */
#include "mhsa_fwsa.h"

#define TS_XP_FUSED 1
#include "ts_xpulp_four.h"
#include "ts_xpulp_kept.h"
#include "ts_xpulp_short.h"
#include "ts_xpulp_single.h"
#define TS_XP_STREAM TS_XP_LARGE
#include "ts_xpulp_stream.h"

/* Where all heads at once would leave no room near the cores for the weights. */
#define LARGEST 98304u

static inline int is_large(const ts_shape *shape, uint32_t cores) {
    const uint32_t S = shape->S, E = shape->E, P = shape->P;
    const uint32_t head = S * (E + P + (E == P ? 0 : P)) + E * (E + 2 * P);
    return ts_xp_keeps(shape, cores) && S * E + shape->H * head > LARGEST;
}

TS_XP_LARGE void run_large(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    if (!ts_xp_kept_run(team, args, scratch))
        ts_xp_stream_run(team, args, 0, scratch);
}

TS_XP_LARGE uint32_t large_scratch(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_stream stream;
    const uint32_t kept = ts_xp_kept_bytes(shape, cores);
    const uint32_t streamed =
        (uint32_t)(uintptr_t)ts_xp_stream_lay_out(&stream, shape, &team, 0, NULL, NULL);
    return kept > streamed ? kept : streamed;
}

uint32_t ts_mhsa_fwsa_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_layer layer;
    if (is_large(shape, cores))
        return large_scratch(shape, cores);
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
    if (is_large(&plain.shape, team->cores))
        run_large(team, &plain, scratch);
    else
        ts_xp_heads_run(team, &plain, scratch);
}

__attribute__((section(".text.hot.short"))) void
ts_mhsa_fwsa_xpulp(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch) {
    if (args->shape.S == 1)
        ts_xp_single_fused_attention(team, args, scratch, run_long);
    else
        ts_xp_four_fused_attention(team, args, scratch, run_long);
}
