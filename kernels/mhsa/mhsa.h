// SPDX-License-Identifier: Apache-2.0
/* Multi-head self-attention block: linear_qk for queries and keys, linear_v, attention_scores,
 * attention_context and linear_o, a few heads at a time (ts_heads_at_once) so that only their
 * queries, keys, values and maps exist at once.
 *
 * MACs: 4*S*E*P*H + 2*H*S*S*P. Calling convention: ts_kernel.h. */
#ifndef TS_MHSA_H
#define TS_MHSA_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;         /* S, E, P, H >= 1; F is not used */
    const int8_t *input;    /* [S, E] */
    const int8_t *q_weight; /* [H, P, E], in the variant's layout */
    const int32_t *q_bias;  /* [H*P] */
    const int8_t *k_weight; /* [H, P, E], in the variant's layout */
    const int32_t *k_bias;  /* [H*P] */
    const int8_t *v_weight; /* [H, P, E], in the variant's layout */
    const int32_t *v_bias;  /* [H*P] */
    const int8_t *o_weight; /* [E, H*P], in the variant's layout */
    const int32_t *o_bias;  /* [E] */
    ts_requant q, k, v;     /* H*P channels when per channel */
    ts_requant scores;      /* per tensor */
    ts_requant context;     /* H*P channels when per channel */
    ts_requant o;           /* E channels when per channel */
    ts_softmax_table table; /* see softmax.h */
    int8_t *output;         /* [S, E] */
} ts_mhsa_args;

typedef void ts_mhsa_fn(const ts_team *team, const ts_mhsa_args *args, void *scratch);

ts_mhsa_fn ts_mhsa, ts_mhsa_portable, ts_mhsa_layerwise, ts_mhsa_armv7em, ts_mhsa_xpulp;
ts_scratch_fn ts_mhsa_scratch, ts_mhsa_portable_scratch, ts_mhsa_layerwise_scratch,
    ts_mhsa_armv7em_scratch, ts_mhsa_xpulp_scratch;
ts_mhsa_fn ts_mhsa_cortexm4, ts_mhsa_cortexm7;
ts_scratch_fn ts_mhsa_cortexm4_scratch, ts_mhsa_cortexm7_scratch;
ts_mhsa_fn ts_mhsa_cortexm4_bytes;
ts_scratch_fn ts_mhsa_cortexm4_bytes_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_mhsa_check(const ts_team *team, const ts_mhsa_args *args, const void *scratch);

#endif
