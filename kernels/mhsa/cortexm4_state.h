// SPDX-License-Identifier: Apache-2.0
/* What the files of ts_m4_attention.h share during a call. */
#ifndef TS_MHSA_CORTEXM4_STATE_H
#define TS_MHSA_CORTEXM4_STATE_H

#include "ts_m4_attention.h"
#include "ts_m4_product.h"

typedef struct {
    uint32_t *x, *query, *key, *value, *map, *context, *one, *panel, *o_panel;
    uint8_t *scores, *rows;
    int32_t *sums, *all_sums, *bias, *factors, *context_factors, *o_bias, *o_factors;
    uint32_t *all_weights, *all_queries, *all_keys, *all_values; /* of ts_m4_two_channels */
} ts_m4_buffers;

typedef struct {
    const ts_m4_attention *layer;
    ts_m4_buffers b;
    uint32_t S, E, P, width, pairs;
    uint32_t x_step; /* words of a pair of input rows, if all are kept as panels, or 0 */
    uint32_t largest_bias;
    const int32_t *o_start; /* the output projection's bias, a whole number of tiles */
} ts_m4_state;

static inline uint32_t ts_m4_max(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* Words of a pair of rows: input, and context of all heads. */
static inline uint32_t ts_m4_x_step(uint32_t E) { return 2 * ts_m4_pairs(E); }
static inline uint32_t ts_m4_context_step(const ts_shape *s) {
    return 2 * ts_m4_pairs(s->H * s->P) + 2;
}

/* Scores of one or two rows to a stationary panel of the map. */
void ts_m4_softmax_rows(const ts_m4_state *t, uint32_t rows);

/* Heads of two channels each, whose panels would be half empty. */
static inline int ts_m4_has_two_channels(const ts_m4_attention *layer) {
    return layer->two_channels && layer->width == 2 && layer->shape.P == 2 &&
           layer->shape.H % 2 == 0;
}

/* The contexts of a layer of heads of two channels, two heads to a tile; 0 if it is none or its
 * requantisation is not one of those made for that. */
int ts_m4_two_channels(const ts_m4_state *t);

#endif
