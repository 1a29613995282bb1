// SPDX-License-Identifier: Apache-2.0
/* Output projection: the heads' contexts, side by side, back to the embedding:
 *
 *   output[s, e] = requant(bias[e] + sum over i < H*P of input[s, i] * weight[e, i])
 *
 * MACs: S*E*P*H. Calling convention: ts_kernel.h. */
#ifndef TS_LINEAR_O_H
#define TS_LINEAR_O_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;       /* S, E, P, H >= 1; F is not used */
    const int8_t *input;  /* [S, H*P] */
    const int8_t *weight; /* [E, H*P], in the variant's layout */
    const int32_t *bias;  /* [E]; the accumulator including it fits int32 */
    ts_requant requant;   /* E channels when per channel */
    int8_t *output;       /* [S, E] */
} ts_linear_o_args;

typedef void ts_linear_o_fn(const ts_team *team, const ts_linear_o_args *args, void *scratch);

ts_linear_o_fn ts_linear_o, ts_linear_o_portable, ts_linear_o_armv7em, ts_linear_o_xpulp;
ts_scratch_fn ts_linear_o_scratch, ts_linear_o_portable_scratch, ts_linear_o_armv7em_scratch,
    ts_linear_o_xpulp_scratch;
ts_linear_o_fn ts_linear_o_cortexm7;
ts_scratch_fn ts_linear_o_cortexm7_scratch;
ts_linear_o_fn ts_linear_o_cortexm4;
ts_scratch_fn ts_linear_o_cortexm4_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_linear_o_check(const ts_team *team, const ts_linear_o_args *args, const void *scratch);

#endif
