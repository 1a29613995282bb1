// SPDX-License-Identifier: Apache-2.0
/* Context of all heads, attention map times values; the heads lie side by side in a row, so the
 * output projection needs no concatenation:
 *
 *   output[s, h, p] = requant(sum over j of map[h, s, j] * value[h, p, j])
 *
 * MACs: H*S*S*P. Calling convention: ts_kernel.h. */
#ifndef TS_ATTENTION_CONTEXT_H
#define TS_ATTENTION_CONTEXT_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;             /* S, P, H >= 1; E and F are not used */
    const uint8_t *map;         /* [H, S, S] */
    const int8_t *value;        /* [H, P, S] */
    ts_requant requant;         /* H*P channels when per channel */
    int8_t *output;             /* [S, H, P], rows `output_row_stride` apart */
    uint32_t output_row_stride; /* elements from one sequence row to the next, >= H*P; H*P when
                                   dense. The elements between rows are left alone. */
} ts_attention_context_args;

typedef void ts_attention_context_fn(const ts_team *team, const ts_attention_context_args *args,
                                     void *scratch);

ts_attention_context_fn ts_attention_context, ts_attention_context_portable,
    ts_attention_context_armv7em, ts_attention_context_xpulp;
ts_scratch_fn ts_attention_context_scratch, ts_attention_context_portable_scratch,
    ts_attention_context_armv7em_scratch, ts_attention_context_xpulp_scratch;
ts_attention_context_fn ts_attention_context_cortexm7;
ts_scratch_fn ts_attention_context_cortexm7_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_attention_context_check(const ts_team *team, const ts_attention_context_args *args,
                                     const void *scratch);
ts_attention_context_fn ts_attention_context_cortexm4;
ts_scratch_fn ts_attention_context_cortexm4_scratch;

#endif
