// SPDX-License-Identifier: Apache-2.0
/* GELU by a table over all int8 values:
 *
 *   output[s, e] = table[input[s, e] & 255]
 *
 * so the first half of the table serves 0..127 and the second -128..-1. No MACs.
 * Calling convention: ts_kernel.h. */
#ifndef TS_GELU_H
#define TS_GELU_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;      /* S, E >= 1; P, H and F are not used */
    const int8_t *input; /* [S, E] */
    const int8_t *table; /* [256] */
    int8_t *output;      /* [S, E]; may be the same memory as `input` */
} ts_gelu_args;

typedef void ts_gelu_fn(const ts_team *team, const ts_gelu_args *args, void *scratch);

ts_gelu_fn ts_gelu, ts_gelu_portable;
ts_scratch_fn ts_gelu_scratch, ts_gelu_portable_scratch;
ts_gelu_fn ts_gelu_cortexm7;
ts_scratch_fn ts_gelu_cortexm7_scratch;
ts_gelu_fn ts_gelu_cortexm4;
ts_scratch_fn ts_gelu_cortexm4_scratch;
ts_gelu_fn ts_gelu_xpulp;
ts_scratch_fn ts_gelu_xpulp_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_gelu_check(const ts_team *team, const ts_gelu_args *args, const void *scratch);

#endif
