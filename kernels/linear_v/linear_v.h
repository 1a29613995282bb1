// SPDX-License-Identifier: Apache-2.0
/* Value projection of all heads, stored transposed so that attention_context reduces over
 * contiguous memory:
 *
 *   output[h, p, s] = requant(bias[h*P + p] + sum over e of input[s, e] * weight[h, p, e])
 *
 * MACs: S*E*P*H. Calling convention: ts_kernel.h. */
#ifndef TS_LINEAR_V_H
#define TS_LINEAR_V_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;       /* S, E, P, H >= 1; F is not used */
    const int8_t *input;  /* [S, E] */
    const int8_t *weight; /* [H, P, E], in the variant's layout */
    const int32_t *bias;  /* [H*P]; the accumulator including it fits int32 */
    ts_requant requant;   /* H*P channels when per channel */
    int8_t *output;       /* [H, P, S] */
} ts_linear_v_args;

typedef void ts_linear_v_fn(const ts_team *team, const ts_linear_v_args *args, void *scratch);

ts_linear_v_fn ts_linear_v, ts_linear_v_portable, ts_linear_v_armv7em, ts_linear_v_xpulp;
ts_scratch_fn ts_linear_v_scratch, ts_linear_v_portable_scratch, ts_linear_v_armv7em_scratch,
    ts_linear_v_xpulp_scratch;
ts_linear_v_fn ts_linear_v_cortexm7;
ts_scratch_fn ts_linear_v_cortexm7_scratch;
ts_linear_v_fn ts_linear_v_cortexm4;
ts_scratch_fn ts_linear_v_cortexm4_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_linear_v_check(const ts_team *team, const ts_linear_v_args *args, const void *scratch);

#endif
