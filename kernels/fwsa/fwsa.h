// SPDX-License-Identifier: Apache-2.0
/* Fused-weight self-attention (FWSA): attention maps straight from the input. The query and key
 * weights of a head are multiplied offline into one weight, W*_h = W_Q,h^T W_K,h [E, E], and only
 * the query bias survives the softmax (Jung et al., arXiv 2404.02945):
 *
 *   inner[h, s, f] = requant(bias[h*E + f] + sum over e of input[s, e] * weight[h, f, e])
 *   score[h, i, j] = scores_requant(sum over f of inner[h, i, f] * input[j, f])
 *   output[h, i, :] = softmax(score[h, i, :])          (see softmax.h)
 *
 * MACs: H*(S*E*E + S*S*E). Calling convention: ts_kernel.h. */
#ifndef TS_FWSA_H
#define TS_FWSA_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;            /* S, E, H >= 1; P and F are not used */
    const int8_t *input;       /* [S, E] */
    const int8_t *weight;      /* [H, E, E] as [h, f, e], in the variant's layout */
    const int32_t *bias;       /* [H*E]; the accumulator including it fits int32 */
    ts_requant requant;        /* H*E channels when per channel */
    ts_requant scores_requant; /* per tensor */
    ts_softmax_table table;    /* see softmax.h */
    uint8_t *output;           /* [H, S, S] */
} ts_fwsa_args;

typedef void ts_fwsa_fn(const ts_team *team, const ts_fwsa_args *args, void *scratch);

ts_fwsa_fn ts_fwsa, ts_fwsa_portable, ts_fwsa_armv7em, ts_fwsa_xpulp;
ts_scratch_fn ts_fwsa_scratch, ts_fwsa_portable_scratch, ts_fwsa_armv7em_scratch,
    ts_fwsa_xpulp_scratch;
ts_fwsa_fn ts_fwsa_cortexm7;
ts_scratch_fn ts_fwsa_cortexm7_scratch;
ts_fwsa_fn ts_fwsa_cortexm4;
ts_scratch_fn ts_fwsa_cortexm4_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_fwsa_check(const ts_team *team, const ts_fwsa_args *args, const void *scratch);

#endif
