// SPDX-License-Identifier: Apache-2.0
/* Transformer encoder block, pre-norm:
 *
 *   y = add(x, mhsa(layernorm(x)));  output = add(y, ffn(layernorm(y)))
 *
 * with the operations of layernorm.h, mhsa.h, ffn.h and add.h, each requantised to int8.
 * MACs: 4*S*E*P*H + 2*H*S*S*P + 2*S*E*F. Calling convention: ts_kernel.h. */
#ifndef TS_ENCODER_BLOCK_H
#define TS_ENCODER_BLOCK_H

#include "ts_kernel.h"

/* Parameters of one layernorm: see layernorm.h. */
typedef struct {
    const int16_t *weight; /* [E] */
    const int32_t *bias;   /* [E] */
    uint32_t shift;        /* 0..31 */
} ts_encoder_norm;

/* Parameters of one residual addition, see add.h: `residual` is what went past the sub-layer. */
typedef struct {
    uint32_t residual_mul, layer_mul; /* 1..65535 */
    uint32_t shift;                   /* 1..31 */
    uint32_t round_half_up;           /* 0 or 1 */
} ts_encoder_add;

typedef struct {
    ts_shape shape;            /* S, E, P, H, F >= 1 */
    const int8_t *input;       /* [S, E] */
    ts_encoder_norm norm1;     /* before the attention */
    ts_encoder_norm norm2;     /* before the feed-forward network */
    const int8_t *q_weight;    /* [H, P, E], in the variant's layout */
    const int32_t *q_bias;     /* [H*P] */
    const int8_t *k_weight;    /* [H, P, E], in the variant's layout */
    const int32_t *k_bias;     /* [H*P] */
    const int8_t *v_weight;    /* [H, P, E], in the variant's layout */
    const int32_t *v_bias;     /* [H*P] */
    const int8_t *o_weight;    /* [E, H*P], in the variant's layout */
    const int32_t *o_bias;     /* [E] */
    const int8_t *up_weight;   /* [F, E], in the variant's layout */
    const int32_t *up_bias;    /* [F] */
    const int8_t *down_weight; /* [E, F], in the variant's layout */
    const int32_t *down_bias;  /* [E] */
    ts_requant q, k, v;        /* H*P channels when per channel */
    ts_requant o;              /* E channels when per channel */
    ts_requant up;             /* F channels when per channel */
    ts_requant down;           /* E channels when per channel */
    ts_requant scores;         /* per tensor */
    ts_requant context;        /* H*P channels when per channel */
    ts_encoder_add add1;       /* input and attention */
    ts_encoder_add add2;       /* that sum and feed-forward network */
    ts_softmax_table softmax;  /* see softmax.h */
    const int8_t *gelu_table;  /* [256], see gelu.h */
    int8_t *output;            /* [S, E] */
} ts_encoder_block_args;

typedef void ts_encoder_block_fn(const ts_team *team, const ts_encoder_block_args *args,
                                 void *scratch);

ts_encoder_block_fn ts_encoder_block, ts_encoder_block_portable;
ts_scratch_fn ts_encoder_block_scratch, ts_encoder_block_portable_scratch;
ts_encoder_block_fn ts_encoder_block_cortexm7;
ts_scratch_fn ts_encoder_block_cortexm7_scratch;
ts_encoder_block_fn ts_encoder_block_cortexm4;
ts_scratch_fn ts_encoder_block_cortexm4_scratch;
ts_encoder_block_fn ts_encoder_block_xpulp;
ts_scratch_fn ts_encoder_block_xpulp_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_encoder_block_check(const ts_team *team, const ts_encoder_block_args *args,
                                 const void *scratch);

#endif
