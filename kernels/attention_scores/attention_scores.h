// SPDX-License-Identifier: Apache-2.0
/* Attention map of all heads:
 *
 *   score[h, i, j] = requant(sum over p of query[h, i, p] * key[h, j, p])
 *   output[h, i, :] = softmax(score[h, i, :])          (see softmax.h)
 *
 * MACs: H*S*S*P. Calling convention: ts_kernel.h. */
#ifndef TS_ATTENTION_SCORES_H
#define TS_ATTENTION_SCORES_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;           /* S, P, H >= 1; E and F are not used */
    const int8_t *query;      /* [H, S, P] */
    const int8_t *key;        /* [H, S, P] */
    uint32_t key_head_stride; /* elements from one head's key to the next: S*P, or 0 when all heads
                                 share one [S, P] (as in fwsa) */
    ts_requant requant;       /* per tensor */
    ts_softmax_table table;   /* see softmax.h */
    uint8_t *output;          /* [H, S, S] */
} ts_attention_scores_args;

typedef void ts_attention_scores_fn(const ts_team *team, const ts_attention_scores_args *args,
                                    void *scratch);

ts_attention_scores_fn ts_attention_scores, ts_attention_scores_portable,
    ts_attention_scores_armv7em, ts_attention_scores_xpulp;
ts_scratch_fn ts_attention_scores_scratch, ts_attention_scores_portable_scratch,
    ts_attention_scores_armv7em_scratch, ts_attention_scores_xpulp_scratch;
ts_attention_scores_fn ts_attention_scores_cortexm7;
ts_scratch_fn ts_attention_scores_cortexm7_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_attention_scores_check(const ts_team *team, const ts_attention_scores_args *args,
                                    const void *scratch);
ts_attention_scores_fn ts_attention_scores_cortexm4;
ts_scratch_fn ts_attention_scores_cortexm4_scratch;

#endif
