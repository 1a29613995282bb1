// SPDX-License-Identifier: Apache-2.0
/* Multi-head self-attention block with fused query and key weights: fwsa, linear_v,
 * attention_context and linear_o, a few heads at a time (ts_heads_at_once) so that only their
 * values and maps exist at once.
 *
 * MACs: H*(S*E*E + S*S*E) + 2*S*E*P*H + H*S*S*P. Calling convention: ts_kernel.h. */
#ifndef TS_MHSA_FWSA_H
#define TS_MHSA_FWSA_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;         /* S, E, P, H >= 1; F is not used */
    const int8_t *input;    /* [S, E] */
    const int8_t *f_weight; /* [H, E, E], see fwsa.h, in the variant's layout */
    const int32_t *f_bias;  /* [H*E] */
    const int8_t *v_weight; /* [H, P, E], in the variant's layout */
    const int32_t *v_bias;  /* [H*P] */
    const int8_t *o_weight; /* [E, H*P], in the variant's layout */
    const int32_t *o_bias;  /* [E] */
    ts_requant f;           /* H*E channels when per channel */
    ts_requant scores;      /* per tensor */
    ts_requant v, context;  /* H*P channels when per channel */
    ts_requant o;           /* E channels when per channel */
    ts_softmax_table table; /* see softmax.h */
    int8_t *output;         /* [S, E] */
} ts_mhsa_fwsa_args;

typedef void ts_mhsa_fwsa_fn(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch);

ts_mhsa_fwsa_fn ts_mhsa_fwsa, ts_mhsa_fwsa_portable, ts_mhsa_fwsa_armv7em, ts_mhsa_fwsa_xpulp;
ts_scratch_fn ts_mhsa_fwsa_scratch, ts_mhsa_fwsa_portable_scratch, ts_mhsa_fwsa_armv7em_scratch,
    ts_mhsa_fwsa_xpulp_scratch;
ts_mhsa_fwsa_fn ts_mhsa_fwsa_cortexm7;
ts_scratch_fn ts_mhsa_fwsa_cortexm7_scratch;
ts_mhsa_fwsa_fn ts_mhsa_fwsa_cortexm4;
ts_scratch_fn ts_mhsa_fwsa_cortexm4_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_mhsa_fwsa_check(const ts_team *team, const ts_mhsa_fwsa_args *args,
                             const void *scratch);

#endif
