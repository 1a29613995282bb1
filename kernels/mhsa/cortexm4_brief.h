// SPDX-License-Identifier: Apache-2.0
/* Multi-head self-attention of few rows on the Cortex-M4: the projections of all heads are one
 * product, and what belongs to a single head, its maps, takes no call of its own.
 *
 * Panels as in ts_m4_tiles.h, a head's channels padded with zeros to whole tiles, P4 of them:
 * - queries [pair of rows][head][step][2], keys [four rows][head][step][4];
 * - values [head][tile of channels][pair of rows][4];
 * - contexts [pair of rows][step of all heads' channels][2], heads not padded, in the queries'
 *   place: a head's context starts no later than its queries do. */
#ifndef TS_MHSA_CORTEXM4_BRIEF_H
#define TS_MHSA_CORTEXM4_BRIEF_H

#include "mhsa.h"
#include "ts_m4_tiles.h"

/* Bytes of scratch; 0 for more than 16 rows, or more than 8 of heads that are better two to a tile
 * (ts_m4_two_channels). */
uint32_t ts_m4_brief_bytes(const ts_shape *shape);

/* 0 if it left the work undone: more rows than that, or a requantisation or table that is not for
 * it. */
int ts_m4_brief(const ts_mhsa_args *args, void *scratch);

/* What the assembly of cortexm4_few_rows.S and cortexm4_some_rows.S reads, in this order: a pair of
 * rows, all heads. */
typedef struct {
    const uint32_t *query, *key;
    uint32_t query_bytes; /* of a head and a pair of rows */
    int32_t factor;       /* of the scores: mul << (32 - shift) */
    const uint32_t *value;
    uint32_t value_bytes;   /* of a head */
    const int32_t *factors; /* of the context: four, or one for each padded channel */
    uint32_t factors_step;  /* bytes from tile to tile */
    uint8_t *out;           /* the first head's context */
    uint32_t odd;           /* 0; 4 where a head starts in the middle of a step */
    const uint8_t *table;   /* reversed, its last byte */
    uint32_t key_jump;      /* bytes from the end of a head's four keys to its next four */
    uint32_t mask;          /* of the last four keys' bytes */
    uint32_t advance;       /* bytes from a head's context to the next one's, `odd` not counted */
    uint32_t toggle;        /* what `odd` is changed by */
    uintptr_t last;         /* 5 to 8 keys: 1 if a fourth pair; more: where to enter the pairs */
    uint32_t heads;         /* counted down */
    uint32_t keys, rows;    /* rows: 1 or 2 */
} ts_m4_maps;

typedef void ts_m4_maps_fn(ts_m4_maps *maps);

ts_m4_maps_fn ts_m4_maps_two_floor, ts_m4_maps_two_half_up, ts_m4_maps_three_floor,
    ts_m4_maps_three_half_up, ts_m4_maps_four_floor, ts_m4_maps_four_half_up, ts_m4_maps_some_floor,
    ts_m4_maps_some_half_up, ts_m4_maps_more_floor, ts_m4_maps_more_half_up;
ts_m4_code ts_m4_maps_more_floor_end, ts_m4_maps_more_half_up_end;

#endif
