// SPDX-License-Identifier: Apache-2.0
/* Two stationary vectors times a streamed panel (ts_m4_tiles.h): described once, made ready once,
 * run for many pairs of stationary vectors. */
#ifndef TS_M4_PRODUCT_H
#define TS_M4_PRODUCT_H

#include "ts_kernel.h"
#include "ts_m4_tiles.h"
#include "ts_requant.h"

/* A requantisation for the assembly. */
typedef struct {
    ts_requant requant;
    uint32_t channel;    /* of the first streamed vector */
    uint32_t channels;   /* that the requantisation has from there on, if per channel */
    const void *factors; /* mul << (32 - shift), or a pointer to one for each streamed vector */
    uint8_t fast;        /* the factors fit int32 */
    uint8_t narrow;      /* no result leaves int16 before it is clipped */
} ts_m4_requant;

typedef struct {
    const void *panel; /* streamed */
    uint32_t vectors;  /* a whole number of tiles */
    uint32_t steps;
    ts_m4_begin begin;
    const int32_t *start; /* bias, sums */
    ts_m4_finish finish;
    uint32_t stride;
    ts_m4_requant requant;
    int32_t *sums; /* ts_m4_sums_bytes(vectors), used if `requant` is not fast */
} ts_m4_product;

/* A product made ready. */
typedef struct {
    ts_m4_call call;
    ts_m4_code *code;
    uint32_t back;                /* short: words from the panel back to where loading starts */
    uint32_t edge;                /* words from the panel to call.edge */
    const ts_m4_product *exactly; /* the product, if ts_m4_finish_exactly is to follow */
} ts_m4_ready;

/* The requantisation of `channels` channels from `channel` on. `factors` has room for a whole
 * number of tiles and is used per channel only. `bound`: no sum is larger in magnitude. */
ts_m4_requant ts_m4_prepare(const ts_requant *requant, uint32_t channel, uint32_t channels,
                            uint64_t bound, int32_t *factors);

/* Largest magnitude of n biases. */
uint32_t ts_m4_largest(const int32_t *bias, uint32_t n);

/* n biases as a whole number of tiles, in `copy` unless they are already. */
const int32_t *ts_m4_whole_tiles(const int32_t *bias, uint32_t n, int32_t *copy);

/* `product` must live as long as `ready`. */
void ts_m4_make_ready(const ts_m4_product *product, ts_m4_ready *ready);

static inline ts_m4_ready ts_m4_ready_of(const ts_m4_product *product) {
    ts_m4_ready ready;
    ts_m4_make_ready(product, &ready);
    return ready;
}

/* The results of all sums of `product`, where factors of 1/2 and up are beyond the assembly. */
void ts_m4_finish_exactly(const ts_m4_product *product, uint8_t *out);

/* Runs a product for one pair of stationary vectors. */
static inline __attribute__((always_inline)) void ts_m4_run(ts_m4_ready *ready,
                                                            const uint32_t *stationary, void *out) {
    if (!ready->exactly)
        ready->call.out = out;
    ready->call.long_stationary = stationary;
    ready->call.stationary = stationary - ready->back;
    ready->call.edge = stationary + ready->edge;
    ts_m4_enter(&ready->call, ready->code);
    if (ready->exactly)
        ts_m4_finish_exactly(ready->exactly, out);
}

/* Pairs [begin, end) of the stationary vectors, `step` words from pair to pair. Results go `item`
 * bytes on from pair to pair, and `jump` more behind pairs whose number ends with the bits `mask`.
 */
void ts_m4_run_pairs(const ts_m4_product *product, const uint32_t *stationary, uint32_t step,
                     uint32_t begin, uint32_t end, uint8_t *out, uint32_t item, uint32_t mask,
                     uint32_t jump);

#endif
