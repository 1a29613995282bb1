// SPDX-License-Identifier: Apache-2.0
/* Integer layer normalisation of every row, x = input[s, :], divisions truncating toward zero:
 *
 *   mean = sum(x) / E,  variance = sum((x - mean)^2) / E + 1,  deviation = floor(sqrt(variance))
 *   output[s, e] = clip_int8(((x[e] - mean) * weight[e] / deviation + bias[e]) >> shift)
 *
 * with an arithmetic shift; the square root and the quotients are exact. E < 2^15 keeps the sum of
 * squares in int32; |bias| <= 2^31 - 1 - 255 * 2^15 keeps quotient plus bias there. No MACs.
 * Calling convention: ts_kernel.h. */
#ifndef TS_LAYERNORM_H
#define TS_LAYERNORM_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;        /* S, E >= 1; P, H and F are not used */
    const int8_t *input;   /* [S, E] */
    const int16_t *weight; /* [E] */
    const int32_t *bias;   /* [E] */
    uint32_t shift;        /* 0..31 */
    int8_t *output;        /* [S, E]; may be the same memory as `input` */
} ts_layernorm_args;

typedef void ts_layernorm_fn(const ts_team *team, const ts_layernorm_args *args, void *scratch);

ts_layernorm_fn ts_layernorm, ts_layernorm_portable;
ts_scratch_fn ts_layernorm_scratch, ts_layernorm_portable_scratch;
ts_layernorm_fn ts_layernorm_cortexm7;
ts_scratch_fn ts_layernorm_cortexm7_scratch;
ts_layernorm_fn ts_layernorm_cortexm4;
ts_scratch_fn ts_layernorm_cortexm4_scratch;
ts_layernorm_fn ts_layernorm_xpulp;
ts_scratch_fn ts_layernorm_xpulp_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_layernorm_check(const ts_team *team, const ts_layernorm_args *args,
                             const void *scratch);

#endif
