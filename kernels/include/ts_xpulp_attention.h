/* SPDX-License-Identifier: Apache-2.0 */
/* One row tile of one head's attention for XpulpV2: scores, softmax and context in a panel of
 * 4 * align4(S) bytes that belongs to the core. */
#ifndef TS_XPULP_ATTENTION_H
#define TS_XPULP_ATTENTION_H

#include "ts_xpulp_product.h"
#include "ts_xpulp_softmax.h"

/* A core's share of the (head, row tile) pairs: full tiles and, where S % 4 != 0, last tiles of
 * heads. They are shared out separately because a last tile may be much cheaper. */
typedef struct {
    ts_range full, last;
} ts_xp_tiles;

static inline ts_xp_tiles ts_xp_share_tiles(const ts_team *team, uint32_t heads, uint32_t rows) {
    return (ts_xp_tiles){ts_xp_share(team, heads * (rows / 4)),
                         ts_xp_share(team, rows & 3 ? heads : 0)};
}

/* One tile: `rows` (1..4) rows from `row` on. */
typedef struct {
    uint32_t head, row, rows;
} ts_xp_tile;

/* Calls visit(context, tile) for the core's tiles. */
static TS_XP_INLINE void ts_xp_for_tiles(const ts_team *team, uint32_t heads, uint32_t rows,
                                         void (*visit)(void *context, const ts_xp_tile *tile),
                                         void *context) {
    ts_xp_tiles share = ts_xp_share_tiles(team, heads, rows);
    const uint32_t full = rows / 4;
    uint32_t next = share.full.begin;
    while (next < share.full.end || share.last.begin < share.last.end) {
        ts_xp_tile tile;
        if (next < share.full.end) {
            const uint32_t head = full > 1 ? next / full : next;
            tile = (ts_xp_tile){head, 4 * (next - head * full), 4};
            next++;
        } else {
            tile = (ts_xp_tile){share.last.begin++, 4 * full, rows & 3};
        }
        visit(context, &tile);
    }
}

/* What the rows of a scores tile need. `scores` has one row tile and one head: left, right, output
 * and rows are set per tile, the rest beforehand. */
static inline ts_xp_product ts_xp_scores_product(uint32_t columns, uint32_t depth, uint32_t pitch,
                                                 const ts_requant *requant) {
    return (ts_xp_product){
        .heads = 1,
        .columns = columns,
        .depth = depth,
        .right_pitch = pitch,
        .requant = *requant,
        .acc_bound = depth * 128 * 128,
        .output_channel_tile = 16,
        .output_word = 4,
    };
}

/* Rows of a tile to compute where four can be stored: a lone row is cheaper by itself. */
static inline uint32_t ts_xp_whole_rows(uint32_t rows) {
    return rows & 2 ? ts_xp_align4(rows) : rows;
}

/* Scores of a tile into `panel`, from the tile's queries (a panel) and a head's keys. */
static inline void ts_xp_scores(ts_xp_product *scores, const void *queries, const int8_t *keys,
                                uint32_t rows, void *panel) {
    scores->left = queries;
    scores->right = keys;
    scores->rows = ts_xp_whole_rows(rows);
    scores->output = panel;
    ts_xp_product_s8(scores, (ts_range){0, ts_ceil_div(scores->columns, 4)});
}

/* Softmax of the rows of a panel of n columns, in place and zero-padded. */
static inline void ts_xp_softmax_panel(void *panel, uint32_t rows, uint32_t n,
                                       const ts_softmax_table *table) {
    const ts_xp_rows all = {panel, panel, 16, 16, 4, 4, rows, n, 1};
    ts_xp_softmax_rows(&all, table);
}

/* Softmax of the rows of a panel of n columns into n-byte rows of an attention map. */
static inline void ts_xp_softmax_to_map(void *panel, uint8_t *map, uint32_t rows, uint32_t n,
                                        const ts_softmax_table *table) {
    const ts_xp_rows all = {panel, map, 16, 4, 4, n, rows, n, 0};
    ts_xp_softmax_rows(&all, table);
}

#endif
