/* SPDX-License-Identifier: Apache-2.0 */
/* How the cores of a team share work: row tiles of groups (heads, or some columns of one) in one
 * row, a contiguous and equal piece for each core. */
#ifndef TS_XPULP_SHARE_H
#define TS_XPULP_SHARE_H

#include "ts_xpulp_blocks.h"

/* Rows [first, first + rows) of a group; `first` a multiple of 4. */
typedef void ts_xp_piece_fn(void *context, uint32_t group, uint32_t first, uint32_t rows);

/* Row tiles of `rows` rows; with `joined` a single last row belongs to the tile before it. */
static inline uint32_t ts_xp_tiles(uint32_t rows, uint32_t joined) {
    return rows == 1 ? 1 : (rows + 3 - joined * (((rows & 3) == 1) ? 3u : 0u)) / 4;
}

/* Calls `run` for each group of this core's share of `groups` groups of `rows` rows. */
TS_XP_STAGE void ts_xp_for_pieces(const ts_team *team, uint32_t groups, uint32_t rows,
                                  uint32_t joined, ts_xp_piece_fn *run, void *context) {
    const uint32_t tiles = ts_xp_tiles(rows, joined);
    const uint32_t units = groups * tiles, each = units / team->cores;
    const uint32_t rest = units - each * team->cores;
    uint32_t begin = team->core * each + ts_min(team->core, rest);
    uint32_t left = each + (team->core < rest);
    uint32_t group = tiles == 1 ? begin : begin / tiles;
    uint32_t first = begin - group * tiles;
    while (left) {
        const uint32_t count = ts_min(tiles - first, left);
        const uint32_t end = first + count == tiles ? rows : 4 * (first + count);
        run(context, group, 4 * first, end - 4 * first);
        left -= count;
        group++;
        first = 0;
    }
}

/* Into how many parts columns are split so that every core gets some of `groups` * `tiles` units.
 */
static inline uint32_t ts_xp_parts(const ts_team *team, uint32_t units, uint32_t blocks) {
    return units >= team->cores ? 1 : ts_min(blocks, ts_ceil_div(team->cores, units));
}

#endif
