/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of four rows for XpulpV2: assembly of kernels/generators/xpulp_four.py, which says what it
 * computes and why this way. */
#ifndef TS_XPULP_FOUR_H
#define TS_XPULP_FOUR_H

#include "../mhsa/mhsa.h"
#include "../mhsa_fwsa/mhsa_fwsa.h"

/* Its words are numbered by FIELDS of the generator. A factor is a multiplier, scaled to a shift of
 * 16, less one: no |sum * multiplier| may reach 2^31. Panels are [columns / 4][4 rows][4 bytes].
 * While a function runs, sp points here: interrupts need a stack of their own. */
typedef struct {
    /* A linear layer; heads change `left`, `steps` and what follows `own`. */
    const int8_t *left;  /* 4 rows, on words */
    uint32_t left_row;   /* from row to row; 4 for panels. Heads: that of the input */
    uint32_t left_turn;  /* from the last row's word to the first row's next; 4 for panels */
    uint32_t steps;      /* words of depth */
    const int8_t *right; /* layout words4 */
    const int32_t *bias; /* of the first column */
    uint32_t blocks;     /* of 4 columns */
    int8_t *output;      /* panels */
    int32_t factors[6];  /* heads: queries, keys, values, scores, context; last, a layer. With fused
                          * weights: queries, scores, values, context, a layer */
    /* Heads. Fused weights are `q`, there is no `k` then. Weights, biases and queries are left
     * behind what was done. */
    const int8_t *q_weight;
    const int32_t *q_bias;
    const int8_t *k_weight;
    const int32_t *k_bias;
    const int8_t *v_weight;
    const int32_t *v_bias;
    const int8_t *input;
    uint32_t input_steps;  /* words of a row */
    int8_t *queries;       /* panels, and what becomes of them: the context */
    int8_t *keys;          /* keys or fused queries, values, 16 bytes of map */
    const uint32_t *pairs; /* layout softmax_pairs, behind the table */
    uint32_t heads;        /* at least 1; 0 afterwards */
    uint32_t head_blocks;  /* of 4 columns of a head */
    int32_t zeros[4];
    uint32_t own[22];
} ts_xp_four;

_Static_assert(sizeof(ts_xp_four) == 4 * 53 || sizeof(void *) > 4, "as the generator has it");

typedef void ts_xp_four_fn(ts_xp_four *four);
ts_xp_four_fn ts_xp_four_layer;  /* changes nothing */
ts_xp_four_fn ts_xp_four_values; /* for one head; `output` at the values, `left` at the input */

/* A whole layer. `other` does it where S is not 4, E or P not a multiple of 4, (without fused
 * weights) E larger than 2 * H * P, heads and output columns do not share out among a power of two
 * of cores, a requantisation is more than ts_xp_four can say, or there are no pairs behind the
 * table. The scratch memory, of 4 * (H * P + cores * (width + P + 4)) bytes with width P or E,
 * holds the context of all heads, then each core's keys, values and map, in the end its output. */
void ts_xp_four_attention(const ts_team *team, const ts_mhsa_args *args, void *scratch,
                          ts_mhsa_fn *other);
void ts_xp_four_fused_attention(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch,
                                ts_mhsa_fwsa_fn *other);

#endif
