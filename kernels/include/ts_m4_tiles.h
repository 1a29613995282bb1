// SPDX-License-Identifier: Apache-2.0
/* The loops of linear_qk/cortexm4_short.S and cortexm4_long.S as C sees them.
 *
 * Pairs of int16 share a word: a word is one step of the reduction, a zero its padding.
 *
 * - Stationary panel: two vectors, [step][2] words. TS_M4_LEAD bytes in front of it may be read.
 * - Streamed panel: vectors in tiles of four, [tile][step][4] words. */
#ifndef TS_M4_TILES_H
#define TS_M4_TILES_H

#include <stdint.h>

enum {
    TS_M4_SHORT = 16 /* steps at most */,
    TS_M4_FEW = 4,
    TS_M4_LEAD = 128 /* bytes before a panel */
};

/* Where the results go, for sums [tile][stationary 2][streamed 4]. */
typedef enum {
    TS_M4_SUMS,       /* int32, as they are: 32 bytes a tile, `stride` bytes of the panel skipped */
    TS_M4_STATIONARY, /* int16 pairs of streamed neighbours, [step][2]: 16 bytes a tile */
    TS_M4_STREAMED,   /* the same as two of a streamed panel's four, [step][4]: 32 bytes a tile */
    TS_M4_ACROSS, /* int16 pairs of both stationary ones: 16 bytes, `stride` from tile to tile */
    TS_M4_ROWS,   /* int8, four of one row and, `stride` bytes on, four of the other */
    TS_M4_SCORES  /* uint8, the results plus 128: four of one row, four of the other */
} ts_m4_finish;

/* What the sums start from. */
typedef enum {
    TS_M4_ZERO,
    TS_M4_BIAS, /* int32 for each streamed vector, of whole tiles */
    TS_M4_SAME, /* eight int32, the same for every tile */
    TS_M4_MORE  /* the sums that lie where these go */
} ts_m4_begin;

static inline uint32_t ts_m4_sums_bytes(uint32_t vectors) { return ((vectors + 3) >> 2) * 32; }

static inline uint32_t ts_m4_pairs(uint32_t values) { return (values + 1) >> 1; }

static inline uint32_t ts_m4_up4(uint32_t n) { return (n + 3u) & ~3u; }

/* Not functions: places in the assembly. */
typedef void ts_m4_code(void);

/* The assembly's frame, then what it loads once; it knows this order. */
typedef struct {
    const uint8_t *end; /* of the stream */
    void *out;
    const void *mul;
    const void *in;
    uint32_t stride;
    const uint32_t *long_stationary;
    const uint8_t *stream;
    const uint32_t *stationary; /* short: 16 steps (few: 4), of which the last are meant */
    const uint32_t *edge;       /* short: the first step; long: the stationary panel's end */
    uintptr_t entry;
    ts_m4_code *exit, *top;
} ts_m4_call;

ts_m4_code ts_m4_short, ts_m4_short_few, ts_m4_short_end;
ts_m4_code ts_m4_short_zero, ts_m4_short_bias, ts_m4_short_same, ts_m4_short_more;
ts_m4_code ts_m4_short_zero_scores, ts_m4_short_bias_stationary, ts_m4_short_bias_streamed,
    ts_m4_short_bias_across, ts_m4_short_bias_rows, ts_m4_short_bias_sums, ts_m4_short_more_sums;

ts_m4_code ts_m4_single_zero_scores;

ts_m4_code ts_m4_long_two, ts_m4_long_two_end;
ts_m4_code ts_m4_long, ts_m4_long_end;
ts_m4_code ts_m4_long_zero, ts_m4_long_bias, ts_m4_long_same, ts_m4_long_more;
ts_m4_code ts_m4_long_zero_scores, ts_m4_long_zero_stationary, ts_m4_long_bias_stationary,
    ts_m4_long_bias_streamed, ts_m4_long_bias_across, ts_m4_long_bias_rows;
ts_m4_code ts_m4_long_zero_scores_end, ts_m4_long_zero_stationary_end,
    ts_m4_long_bias_stationary_end, ts_m4_long_bias_streamed_end, ts_m4_long_bias_across_end,
    ts_m4_long_bias_rows_end;

ts_m4_code ts_m4_exit_stationary_floor, ts_m4_exit_stationary_half_up,
    ts_m4_exit_stationary_floor_each, ts_m4_exit_stationary_half_up_each;
ts_m4_code ts_m4_exit_streamed_floor, ts_m4_exit_streamed_half_up, ts_m4_exit_streamed_floor_each,
    ts_m4_exit_streamed_half_up_each;
ts_m4_code ts_m4_exit_across_floor, ts_m4_exit_across_half_up, ts_m4_exit_across_floor_each,
    ts_m4_exit_across_half_up_each;
ts_m4_code ts_m4_exit_rows_floor, ts_m4_exit_rows_half_up, ts_m4_exit_rows_floor_each,
    ts_m4_exit_rows_half_up_each;
ts_m4_code ts_m4_exit_scores_floor, ts_m4_exit_scores_half_up, ts_m4_exit_sums;

/* Calls the assembly, which keeps r4-r11 but none of the FPU's registers. */
static inline __attribute__((always_inline)) void ts_m4_enter(const ts_m4_call *call,
                                                              ts_m4_code *code) {
    register const ts_m4_call *r0 __asm__("r0") = call;
    __asm__ volatile("blx %1"
                     : "+r"(r0)
                     : "r"(code)
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory", "d0", "d1", "d2", "d3", "d4",
                       "d5", "d6", "d7", "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15");
}

#endif
