// SPDX-License-Identifier: Apache-2.0
/* Feed-forward network of a transformer block: two linear layers with a GELU between them,
 *
 *   hidden[s, f] = table[requant(sum over e of input[s, e] * up_weight[f, e] + up_bias[f]) & 255]
 *   output[s, e] = requant(sum over f of hidden[s, f] * down_weight[e, f] + down_bias[e])
 *
 * Accumulators fit int32: see ts_requant.h for the requantisation, gelu.h for the table.
 * MACs: 2*S*E*F. Calling convention: ts_kernel.h. */
#ifndef TS_FFN_H
#define TS_FFN_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;            /* S, E, F >= 1; P and H are not used */
    const int8_t *input;       /* [S, E] */
    const int8_t *up_weight;   /* [F, E], in the variant's layout */
    const int32_t *up_bias;    /* [F] */
    const int8_t *down_weight; /* [E, F], in the variant's layout */
    const int32_t *down_bias;  /* [E] */
    ts_requant up;             /* F channels when per channel */
    ts_requant down;           /* E channels when per channel */
    const int8_t *table;       /* [256], see gelu.h */
    int8_t *output;            /* [S, E] */
} ts_ffn_args;

typedef void ts_ffn_fn(const ts_team *team, const ts_ffn_args *args, void *scratch);

ts_ffn_fn ts_ffn, ts_ffn_portable;
ts_scratch_fn ts_ffn_scratch, ts_ffn_portable_scratch;
ts_ffn_fn ts_ffn_cortexm7;
ts_scratch_fn ts_ffn_cortexm7_scratch;
ts_ffn_fn ts_ffn_cortexm4;
ts_scratch_fn ts_ffn_cortexm4_scratch;
ts_ffn_fn ts_ffn_xpulp;
ts_scratch_fn ts_ffn_xpulp_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_ffn_check(const ts_team *team, const ts_ffn_args *args, const void *scratch);

#endif
