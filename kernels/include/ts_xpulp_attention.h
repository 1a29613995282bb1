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

/* Rows of a tile to compute where four can be stored: a lone row is cheaper by itself. */
static inline uint32_t ts_xp_whole_rows(uint32_t rows) {
    return rows & 2 ? ts_xp_align4(rows) : rows;
}

/* A product of one head and one row tile, run for many tiles: left, right, output and rows are set
 * per tile. `plain`: its channels are requantised alike and its blocks are those of the hot loops,
 * so that most of a tile can go there directly. */
typedef struct {
    ts_xp_product product;
    ts_xp_channels channels;
    uint8_t plain;
} ts_xp_tile_product;

static inline void ts_xp_tile_prepare(ts_xp_tile_product *t) {
    const ts_xp_product *p = &t->product;
    t->plain = ts_xp_uniform(p) && !p->scattered && !(p->depth & 3);
    if (t->plain) {
        ts_xp_channels_init(&t->channels, p);
        t->channels.count = 4;
        t->plain = (uint8_t)t->channels.narrow;
    }
}

static TS_XP_INLINE void ts_xp_tile_run(const ts_xp_tile_product *t, int unsigned_left) {
    const ts_xp_product *p = &t->product;
    const ts_xp_channels *q = &t->channels;
    const uint32_t tiles = ts_ceil_div(p->columns, 4);
    uint32_t done = 0;
    if (t->plain && (p->rows == 4 || p->rows == 1) && p->columns >= 4) {
        ts_xp_walk walk = {
            .left = p->left,
            .right = p->right,
            .output = p->output,
            .scale = q->scale,
            .right_step = 4 * p->right_pitch,
            .output_step = p->output_channel_tile,
            .count = p->columns / 4,
        };
        done = walk.count;
        if (p->rows == 1)
            unsigned_left ? ts_xp_walk_rows_u8(p, q, &walk) : ts_xp_walk_rows_s8(p, q, &walk);
        else
            unsigned_left ? ts_xp_walk_across_uniform_u8(p, q, &walk)
                          : ts_xp_walk_across_uniform_s8(p, q, &walk);
    }
    if (done < tiles)
        ts_xp_product_run(p, (ts_range){done, tiles},
                          unsigned_left ? ts_xp_blocks_u8 : ts_xp_blocks_s8);
}

/* Scores of tiles into panels, requantised per tensor; for ts_xp_scores. */
static inline void ts_xp_scores_prepare(ts_xp_tile_product *scores, uint32_t columns,
                                        uint32_t depth, uint32_t pitch, const ts_requant *requant) {
    scores->product = (ts_xp_product){
        .heads = 1,
        .columns = columns,
        .depth = depth,
        .right_pitch = pitch,
        .requant = *requant,
        .acc_bound = depth * 128 * 128,
        .output_channel_tile = 16,
        .output_word = 4,
    };
    ts_xp_tile_prepare(scores);
}

/* Scores of a tile into `panel`, from the tile's queries (a panel) and a head's keys. */
static inline void ts_xp_scores(ts_xp_tile_product *scores, const void *queries, const int8_t *keys,
                                uint32_t rows, void *panel) {
    scores->product.left = queries;
    scores->product.right = keys;
    scores->product.rows = ts_xp_whole_rows(rows);
    scores->product.output = panel;
    ts_xp_tile_run(scores, 0);
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
