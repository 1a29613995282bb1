// SPDX-License-Identifier: Apache-2.0
#ifndef TS_TYPES_H
#define TS_TYPES_H

#include <stdint.h>

/** What ts_schedule.order may be; kernel.yaml says which ones a variant has. */
enum {
    TS_ORDER_OWN = 0,        /**< The variant's own choice. */
    TS_ORDER_CONTEXT = 1,    /**< Heads outermost; the context of all heads is kept as int8. */
    TS_ORDER_ACCUMULATE = 2, /**< Heads outermost; the output of all rows is kept as int32. */
    TS_ORDER_RECOMPUTE = 3,  /**< Rows outermost; only a tile's output is kept as int32, and keys
                                  and values are computed anew for every tile. */
};

/**
 * How a depth-first kernel goes about its work: it decides cycles and scratch, never the result.
 * All 0 is the variant's own choice, and what every other kernel has.
 */
typedef struct {
    uint32_t tile;  /**< Query rows of one core's attention map tile. */
    uint32_t heads; /**< Heads whose keys and values exist at once. */
    uint32_t order; /**< TS_ORDER_... */
} ts_schedule;

/**
 * Dimensions of one call, in elements, and its schedule: what a scratch-size function depends on.
 *
 * S sequence length, E embedding, P projection per head, H heads, F feed-forward width. A dimension
 * that an operation does not use is 0.
 */
typedef struct {
    uint32_t S, E, P, H, F;
    ts_schedule schedule;
} ts_shape;

/**
 * The calling core's place in its team.
 *
 * Kernels are SPMD: every core of the team calls the kernel with the same arguments, `core` being
 * 0 .. cores - 1 and `cores` at least 1.
 */
typedef struct {
    uint32_t core, cores;
} ts_team;

/**
 * Waits until every core of the team has arrived; what they stored before is visible afterwards.
 *
 * Provided by the target. All cores of the team have to call it equally often. A kernel needs none
 * before it returns: its caller waits for the team.
 */
void ts_team_barrier(const ts_team *team);

/**
 * Requantisation of an int32 accumulator to int8, exact for every accumulator:
 *
 *   clip_int8((acc * mul + (round_half_up ? 1 << (shift - 1) : 0)) >> shift)
 *
 * with a product of 64 bits and an arithmetic shift.
 */
typedef struct {
    const uint16_t *mul;   /**< 1 .. 65535; one entry, or one per channel if `per_channel`. */
    uint8_t per_channel;   /**< 0 or 1. */
    uint8_t shift;         /**< 1 .. 31, the same for all channels. */
    uint8_t round_half_up; /**< 0 floor, 1 round half up. */
} ts_requant;

/**
 * Table that defines the softmax of one row x of int8:
 *
 *   d[i] = max(x) - x[i];  out[i] = floor(255 * entries[d[i]] / sum(entries[d[j]] over j))
 *
 * entries[0] is at least 1 and a row's sum fits 32 bits.
 */
typedef struct {
    const uint32_t *entries; /**< 256 entries, indexed by the distance from the row's maximum. */
    uint32_t max;            /**< The largest entry. */
} ts_softmax_table;

#endif
