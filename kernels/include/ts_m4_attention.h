// SPDX-License-Identifier: Apache-2.0
/* Multi-head self-attention on the Cortex-M4, for every kernel that has it as a part.
 *
 * Every stage writes the panel that the next one reads (ts_m4_tiles.h): keys and values of one head
 * as streamed panels, queries and contexts as stationary pairs of rows. A pair of query rows goes
 * through query, scores, softmax and context before the next one. */
#ifndef TS_M4_ATTENTION_H
#define TS_M4_ATTENTION_H

#include "ts_kernel.h"

typedef struct {
    const int8_t *weight; /* layout panels4, or rows as they are (`expand`) */
    const int32_t *bias;
    ts_requant requant;
} ts_m4_linear;

typedef struct {
    ts_shape shape;
    const int8_t *input; /* [S, E] */
    uint32_t width;      /* of queries and keys: P, or E with fused weights */
    ts_m4_linear query;  /* [H, width, E] */
    ts_m4_linear key;    /* [H, width, E]; weight NULL: the input is the keys of every head */
    ts_m4_linear value;  /* [H, P, E] */
    ts_m4_linear output; /* [E, H*P] */
    ts_requant scores;
    ts_requant context;
    ts_softmax_table table; /* layout reversed_bytes */
    int8_t *result;         /* [S, E] */
    uint8_t accumulate; /* 0: the context of all heads is kept; 1: the output's sums of all rows */
    uint8_t expand;     /* 1: weights are int8 rows, made into panels a head at a time; needs
                           `accumulate` */
    uint8_t two_channels; /* 1: heads of two channels may go two to a tile; needs keys */
} ts_m4_attention;

uint32_t ts_m4_attention_bytes(const ts_m4_attention *layer);

void ts_m4_attention_run(const ts_m4_attention *layer, void *scratch);

#endif
