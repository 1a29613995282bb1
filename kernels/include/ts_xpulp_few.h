/* SPDX-License-Identifier: Apache-2.0 */
/* A whole attention layer of two to four rows for XpulpV2, of any E, P, heads and cores: assembly
 * of kernels/generators/xpulp_few.py. Four rows whose heads and columns come out even have a
 * shorter way (ts_xpulp_four.h).
 *
 * 1. Each core copies the input's rows to whole words if E % 4, and projects its equal part of the
 *    blocks of 4 columns of all queries, keys and values; a head's last block has 1 to 3 if P % 4.
 *    Barrier.
 * 2. Scores, softmax and context of a core's heads, each of the three for all of them. Barrier.
 * 3. Output projection: a core's equal part of the blocks of columns.
 *
 * Padding is never cleared: it meets weights that are 0, or rows and columns that nobody reads. A
 * row of the context or of the output gets exactly its channels. */
#ifndef TS_XPULP_FEW_H
#define TS_XPULP_FEW_H

#include "ts_xpulp_heads.h"

/* Where it does not do: E or H * P above 511, no pairs behind the table, a
 * requantisation that is not one multiplier with floor and without overflow. */
void ts_xp_few_other(const ts_team *team, const ts_mhsa_args *args, void *scratch);

/* The scratch memory holds queries and keys in panels, [H][P / 4][rows][4] with 2 or 4 rows, values
 * [H][P / 4][4][4], the map, the context's rows, and a copy of the input for each core. */
ts_mhsa_fn ts_xp_few_2, ts_xp_few_3, ts_xp_few_4;

static inline uint32_t ts_xp_few_bytes(const ts_shape *shape, uint32_t cores) {
    const uint32_t S = shape->S, P = shape->P, H = shape->H;
    if (S - 2 > 2 || (H * P | shape->E) >> 9)
        return 0;
    return H * (ts_xp_align4(P) / 4 * (S == 2 ? 32 : 48) + (S == 2 ? 4 : 4 * S)) +
           S * (ts_xp_align4(H * P) + cores * ts_xp_align4(shape->E));
}

#endif
