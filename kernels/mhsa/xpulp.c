/* SPDX-License-Identifier: Apache-2.0 */
/* Operands in layout panels. All heads at once (ts_xpulp_layer.h), or head by head where their
 * queries, keys and values take more than LARGEST bytes (ts_xpulp_kept.h, ts_xpulp_stream.h); up to
 * four rows (ts_xpulp_single.h, ts_xpulp_few.h, ts_xpulp_four.h), and few rows that need padding
 * (ts_xpulp_padded.h), in ways of their own. */
#include "mhsa.h"

#define TS_XP_FUSED 0
#include "ts_xpulp_few.h"
#include "ts_xpulp_four.h"
#include "ts_xpulp_kept.h"
#include "ts_xpulp_padded.h"
#include "ts_xpulp_single.h"
#include "ts_xpulp_stream.h"

#define LARGEST 73728u

static inline int streams(const ts_shape *shape) {
    return ts_xp_streams(shape) && 3 * shape->S * shape->H * shape->P > LARGEST;
}

TS_XP_SELDOM void run_large(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    if (!ts_xp_keeps(&args->shape, team->cores) || !ts_xp_kept_run(team, args, scratch))
        ts_xp_stream_run(team, args, 1, scratch);
}

static __attribute__((noinline)) void run_any(const ts_team *team, const ts_mhsa_args *args,
                                              void *scratch) {
    if (streams(&args->shape))
        run_large(team, args, scratch);
    else
        ts_xp_heads_run(team, args, scratch);
}

static __attribute__((noinline)) void run_plain(const ts_team *team, const ts_mhsa_args *args,
                                                void *scratch) {
    if (args->shape.S <= TS_XP_CHUNK && ts_xp_short_run(team, args, scratch))
        return;
    run_any(team, args, scratch);
}

/* What needs padding comes first: there every line of code counts. */
static __attribute__((noinline)) void run_long(const ts_team *team, const ts_mhsa_args *args,
                                               void *scratch) {
    if (ts_xp_padded_suits(&args->shape, (args->shape.E | args->shape.P) & 3) &&
        args->table.entries[256])
        ts_xp_padded_run(team, args, scratch);
    else
        run_plain(team, args, scratch);
}

void ts_xp_few_other(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    run_any(team, args, scratch);
}

__attribute__((section(".text.hot.short"))) void
ts_mhsa_xpulp(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    const uint32_t S = args->shape.S;
    if (S == 4)
        ts_xp_four_attention(team, args, scratch, ts_xp_few_4);
    else if (S == 1)
        ts_xp_single_attention(team, args, scratch, run_any);
    else if (S > 4)
        run_long(team, args, scratch);
    else if (S == 3)
        ts_xp_few_3(team, args, scratch);
    else
        ts_xp_few_2(team, args, scratch);
}

TS_XP_LARGE uint32_t large_scratch(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_stream stream;
    const uint32_t streamed =
        (uint32_t)(uintptr_t)ts_xp_stream_lay_out(&stream, shape, &team, 1, NULL, NULL);
    const uint32_t kept = ts_xp_keeps(shape, cores) ? ts_xp_kept_bytes(shape, cores) : 0;
    return streamed > kept ? streamed : kept;
}

uint32_t ts_mhsa_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_layer layer;
    if (!streams(shape)) {
        const uint32_t all = (uint32_t)(uintptr_t)ts_xp_lay_out(&layer, shape, &team, NULL, NULL);
        const uint32_t worth = shape->S > 4 && ((shape->E | shape->P) & 3);
        const uint32_t few = ts_xp_few_bytes(shape, cores);
        const uint32_t padded =
            ts_xp_padded_suits(shape, worth) ? ts_xp_padded_bytes(shape, cores) : few;
        return padded > all ? padded : all;
    }
    return large_scratch(shape, cores);
}
