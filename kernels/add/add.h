// SPDX-License-Identifier: Apache-2.0
/* Residual addition of two tensors of different scale:
 *
 *   output[s, e] = clip_int8((a[s, e] * a_mul + b[s, e] * b_mul [+ 2^(shift-1)]) >> shift)
 *
 * with an arithmetic shift, the bracket when rounding half up. No MACs.
 * Calling convention: ts_kernel.h. */
#ifndef TS_ADD_H
#define TS_ADD_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;         /* S, E >= 1; P, H and F are not used */
    const int8_t *a, *b;    /* [S, E] */
    uint32_t a_mul, b_mul;  /* 1..65535 */
    uint32_t shift;         /* 1..31 */
    uint32_t round_half_up; /* 0 or 1 */
    int8_t *output;         /* [S, E]; may be the same memory as `a` or `b` */
} ts_add_args;

typedef void ts_add_fn(const ts_team *team, const ts_add_args *args, void *scratch);

ts_add_fn ts_add, ts_add_portable;
ts_scratch_fn ts_add_scratch, ts_add_portable_scratch;
ts_add_fn ts_add_cortexm7;
ts_scratch_fn ts_add_cortexm7_scratch;
ts_add_fn ts_add_cortexm4;
ts_scratch_fn ts_add_cortexm4_scratch;
ts_add_fn ts_add_xpulp;
ts_scratch_fn ts_add_xpulp_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_add_check(const ts_team *team, const ts_add_args *args, const void *scratch);

#endif
