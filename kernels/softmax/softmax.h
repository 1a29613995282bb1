// SPDX-License-Identifier: Apache-2.0
/* Integer softmax of every row. With T the table and max the largest value of the row:
 *
 *   output[h, i, j] = floor(255 * T[max - input[h, i, j]] / sum over k of T[max - input[h, i, k]])
 *
 * T[d] stands for exp(-d * scale of the input); how it is filled is up to the model.
 * Table: 256 entries, T[0] >= 1, every entry <= 2^24, the sum over a row fits uint32. `table.max`
 * is the largest entry. No MACs. Calling convention: ts_kernel.h. */
#ifndef TS_SOFTMAX_OP_H
#define TS_SOFTMAX_OP_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;         /* S, H >= 1; E, P and F are not used */
    const int8_t *input;    /* [H, S, S] */
    ts_softmax_table table; /* 256 entries, see above */
    uint8_t *output;        /* [H, S, S]; may be the same memory as `input` */
} ts_softmax_args;

typedef void ts_softmax_fn(const ts_team *team, const ts_softmax_args *args, void *scratch);

ts_softmax_fn ts_softmax, ts_softmax_portable, ts_softmax_armv7em, ts_softmax_xpulp;
ts_scratch_fn ts_softmax_scratch, ts_softmax_portable_scratch, ts_softmax_armv7em_scratch,
    ts_softmax_xpulp_scratch;
ts_softmax_fn ts_softmax_cortexm7;
ts_scratch_fn ts_softmax_cortexm7_scratch;
ts_softmax_fn ts_softmax_cortexm4;
ts_scratch_fn ts_softmax_cortexm4_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_softmax_check(const ts_team *team, const ts_softmax_args *args, const void *scratch);

#endif
