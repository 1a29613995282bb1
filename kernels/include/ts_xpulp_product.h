/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a product (ts_xpulp_requant.h) in blocks of four rows by four channels. Its work is the
 * flattened list of (head, channel tile, row tile); any range of it can be given to a core. */
#ifndef TS_XPULP_PRODUCT_H
#define TS_XPULP_PRODUCT_H

#include "ts_xpulp_edge.h"

/* This core's share; a shift instead of two divisions for 1, 2, 4 and 8 cores. */
static inline ts_range ts_xp_share(const ts_team *team, uint32_t count) {
    if (team->cores & (team->cores - 1))
        return ts_team_share(team, count);
    const uint32_t log2 = p_ff1(team->cores), begin = count * team->core;
    return (ts_range){begin >> log2, (begin + count) >> log2};
}

/* A sequence of blocks whose addresses advance by constants: down the row tiles of a channel tile
 * (right_step and scale_step 0), after which left and output are those of the next block, or across
 * the channel tiles of a row tile (left_step 0). */
typedef struct {
    const uint8_t *left;
    const int8_t *right;
    int8_t *output;
    const ts_xp_scale *scale;
    uint32_t left_step, right_step, output_step, scale_step, count;
} ts_xp_walk;

/* The hot loops: blocks of four rows and four channels, accumulators in registers; the depth is a
 * positive multiple of 4. Down the row tiles of a channel tile (left panels follow one another), or
 * across the channel tiles of a row tile. What a loop does not change is read again from `walk`,
 * for want of registers. */
static TS_XP_INLINE void ts_xp_walk_down(const ts_xp_product *p, const ts_xp_channels *q,
                                         ts_xp_walk *walk, int transposed) {
    const int32_t next = (int32_t)p->right_pitch, back = 4 - 3 * next;
    const uint32_t more = p->depth / 4 - 1, word = p->output_word, shift = q->shift;
    const uint32_t *left = (const uint32_t *)walk->left;
    int8_t *output = walk->output;
    for (uint32_t n = walk->count; n; n--) {
        int32_t c[16];
        const int8_t *right = walk->right;
        ts_xp_block_4x4_s8(c, &left, &right, next, back, more);
        ts_xp_requant_block(c, q->scale, shift);
        ts_xp_store_block(c, output, word, transposed);
        output += walk->output_step;
    }
    walk->left = (const uint8_t *)left;
    walk->output = output;
}

static TS_XP_INLINE void ts_xp_walk_across(const ts_xp_product *p, const ts_xp_channels *q,
                                           ts_xp_walk *walk, int unsigned_left, int transposed,
                                           int uniform) {
    const int32_t next = (int32_t)p->right_pitch, back = 4 - 3 * next;
    const uint32_t more = p->depth / 4 - 1, word = p->output_word, shift = q->shift;
    const uint32_t skip = 4 * p->right_pitch - p->depth;
    const int8_t *right = walk->right;
    int8_t *output = walk->output;
    const ts_xp_scale *scale = q->scale;
    for (uint32_t n = walk->count; n; n--) {
        int32_t c[16];
        const uint32_t *left = (const uint32_t *)walk->left;
        if (unsigned_left)
            ts_xp_block_4x4_u8(c, &left, &right, next, back, more);
        else
            ts_xp_block_4x4_s8(c, &left, &right, next, back, more);
        if (uniform)
            ts_xp_requant_uniform(c, scale, shift);
        else
            ts_xp_requant_block(c, scale++, shift);
        ts_xp_store_block(c, output, word, transposed);
        right += skip;
        output += walk->output_step;
    }
}

/* The same for any depth. */
static TS_XP_INLINE void ts_xp_walk_tails(const ts_xp_product *p, const ts_xp_channels *q,
                                          ts_xp_walk *walk, int unsigned_left) {
    for (uint32_t n = walk->count; n; n--) {
        int32_t c[16];
        ts_xp_block_any(c, (const uint32_t *)walk->left, walk->right, p->right_pitch, p->depth,
                        unsigned_left);
        ts_xp_requant_block(c, walk->scale, q->shift);
        if (p->transposed)
            ts_xp_store_block(c, walk->output, p->output_word, 1);
        else
            ts_xp_store_block(c, walk->output, p->output_word, 0);
        walk->left += walk->left_step;
        walk->right += walk->right_step;
        walk->output += walk->output_step;
        walk->scale += walk->scale_step;
    }
}

/* The same for tiles of one row; the depth is a positive multiple of 4. */
static TS_XP_INLINE void ts_xp_walk_rows(const ts_xp_product *p, const ts_xp_channels *q,
                                         ts_xp_walk *walk, int unsigned_left) {
    const uint8_t *left = walk->left;
    const int8_t *right = walk->right;
    int8_t *output = walk->output;
    const ts_xp_scale *scale = walk->scale;
    const uint32_t pitch = p->right_pitch, steps = p->depth / 4, shift = q->shift;
    for (uint32_t n = walk->count; n; n--) {
        int32_t c[4] = {0, 0, 0, 0};
        const uint32_t *l = (const uint32_t *)left;
        const int8_t *r = right;
        if (unsigned_left)
            ts_xp_block_1x4_u8(c, &l, &r, pitch, steps);
        else
            ts_xp_block_1x4_s8(c, &l, &r, pitch, steps);
        c[0] = ts_xp_requant_narrow(c[0], scale->mul_less_one[0], scale->offset[0], shift);
        c[1] = ts_xp_requant_narrow(c[1], scale->mul_less_one[1], scale->offset[1], shift);
        c[2] = ts_xp_requant_narrow(c[2], scale->mul_less_one[2], scale->offset[2], shift);
        c[3] = ts_xp_requant_narrow(c[3], scale->mul_less_one[3], scale->offset[3], shift);
        void *to = output;
        if (p->transposed) {
            p_sb_post(&to, (int32_t)p->output_word, (uint32_t)c[0]);
            p_sb_post(&to, (int32_t)p->output_word, (uint32_t)c[1]);
            p_sb_post(&to, (int32_t)p->output_word, (uint32_t)c[2]);
            p_sb_post(&to, (int32_t)p->output_word, (uint32_t)c[3]);
        } else {
            p_sw_post(&to, 0, ts_xp_pack(c, 0, 0));
        }
        left += walk->left_step;
        right += walk->right_step;
        output += walk->output_step;
        scale += walk->scale_step;
    }
    walk->left = left;
    walk->right = right;
    walk->output = output;
}

#define TS_XP_WALK(name, body, ...)                                                                \
    static TS_XP_NOINLINE __attribute__((unused)) void name(                                       \
        const ts_xp_product *p, const ts_xp_channels *q, ts_xp_walk *walk) {                       \
        body(p, q, walk, __VA_ARGS__);                                                             \
    }
TS_XP_WALK(ts_xp_walk_down_s8, ts_xp_walk_down, 0)
TS_XP_WALK(ts_xp_walk_down_transposed_s8, ts_xp_walk_down, 1)
TS_XP_WALK(ts_xp_walk_across_s8, ts_xp_walk_across, 0, 0, 0)
TS_XP_WALK(ts_xp_walk_across_transposed_s8, ts_xp_walk_across, 0, 1, 0)
TS_XP_WALK(ts_xp_walk_across_uniform_s8, ts_xp_walk_across, 0, 0, 1)
TS_XP_WALK(ts_xp_walk_across_u8, ts_xp_walk_across, 1, 0, 0)
TS_XP_WALK(ts_xp_walk_across_uniform_u8, ts_xp_walk_across, 1, 0, 1)
TS_XP_WALK(ts_xp_walk_tails_s8, ts_xp_walk_tails, 0)
TS_XP_WALK(ts_xp_walk_tails_u8, ts_xp_walk_tails, 1)
TS_XP_WALK(ts_xp_walk_rows_s8, ts_xp_walk_rows, 0)
TS_XP_WALK(ts_xp_walk_rows_u8, ts_xp_walk_rows, 1)

static TS_XP_INLINE void ts_xp_across_blocks(const ts_xp_product *p, const ts_xp_channels *q,
                                             ts_xp_walk *walk, int unsigned_left) {
    if (unsigned_left)
        walk->scale_step ? ts_xp_walk_across_u8(p, q, walk)
                         : ts_xp_walk_across_uniform_u8(p, q, walk);
    else if (p->transposed)
        ts_xp_walk_across_transposed_s8(p, q, walk);
    else
        walk->scale_step ? ts_xp_walk_across_s8(p, q, walk)
                         : ts_xp_walk_across_uniform_s8(p, q, walk);
}

static TS_XP_INLINE void ts_xp_edge_blocks(const ts_xp_product *p, const ts_xp_channels *q,
                                           ts_xp_walk *walk, uint32_t rows, int unsigned_left) {
    for (; walk->count; walk->count--) {
        if (unsigned_left)
            ts_xp_edge_block_u8(p, q, walk->left, walk->right, walk->output, rows);
        else
            ts_xp_edge_block_s8(p, q, walk->left, walk->right, walk->output, rows);
        walk->left += walk->left_step;
        walk->right += walk->right_step;
        walk->output += walk->output_step;
    }
}

/* `walk->count` blocks of `rows` (1..4) rows and q->count channels. The hot loops are for what
 * attention layers are made of; the rest takes the loop for any depth or the edge. */
static TS_XP_INLINE void ts_xp_blocks(const ts_xp_product *p, const ts_xp_channels *q,
                                      ts_xp_walk *walk, uint32_t rows, int unsigned_left) {
    const uint32_t tail = p->depth & 3;
    const int across = walk->right_step != 0;
    const int hot = !tail && (unsigned_left ? across && !p->transposed
                                            : !across || !p->transposed || walk->scale_step);
    if (!q->narrow || q->count < 4 || p->scattered || (rows != 4 && (rows != 1 || tail)))
        ts_xp_edge_blocks(p, q, walk, rows, unsigned_left);
    else if (rows == 1)
        unsigned_left ? ts_xp_walk_rows_u8(p, q, walk) : ts_xp_walk_rows_s8(p, q, walk);
    else if (!hot)
        unsigned_left ? ts_xp_walk_tails_u8(p, q, walk) : ts_xp_walk_tails_s8(p, q, walk);
    else if (across)
        ts_xp_across_blocks(p, q, walk, unsigned_left);
    else
        p->transposed ? ts_xp_walk_down_transposed_s8(p, q, walk) : ts_xp_walk_down_s8(p, q, walk);
}

static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_blocks_s8(const ts_xp_product *p, const ts_xp_channels *q, ts_xp_walk *walk, uint32_t rows) {
    ts_xp_blocks(p, q, walk, rows, 0);
}

static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_blocks_u8(const ts_xp_product *p, const ts_xp_channels *q, ts_xp_walk *walk, uint32_t rows) {
    ts_xp_blocks(p, q, walk, rows, 1);
}

typedef void ts_xp_blocks_fn(const ts_xp_product *p, const ts_xp_channels *q, ts_xp_walk *walk,
                             uint32_t rows);

/* Row tiles tile .. tile + count - 1 of a channel tile. */
static TS_XP_INLINE void ts_xp_down(const ts_xp_product *p, const ts_xp_channels *q,
                                    ts_xp_walk *walk, uint32_t tile, uint32_t count,
                                    ts_xp_blocks_fn *blocks) {
    const uint32_t full = ts_min(count, p->rows / 4 - tile);
    walk->left += tile * p->left_tile;
    walk->output += tile * p->output_row_tile;
    walk->left_step = p->left_tile;
    walk->output_step = p->output_row_tile;
    if (full) {
        walk->count = full;
        blocks(p, q, walk, 4);
    }
    if (full < count) {
        walk->count = 1;
        blocks(p, q, walk, p->rows & 3);
    }
}

/* Up to `count` whole channel tiles from `tile` on, of a product with one row tile; returns how
 * many. 0 where they have to be done one by one: at the edge each needs its own constants. */
static TS_XP_INLINE uint32_t ts_xp_across(const ts_xp_product *p, ts_xp_channels *q,
                                          ts_xp_walk *walk, uint32_t head, uint32_t tile,
                                          uint32_t count, ts_xp_blocks_fn *blocks) {
    const int uniform = ts_xp_uniform(p);
    uint32_t full = ts_min(count, p->columns / 4 - tile);
    if (!uniform) {
        if (p->rows != 4 && (p->rows != 1 || p->depth & 3))
            return 0;
        full = ts_min(full, TS_XP_BATCH);
    }
    ts_xp_channels_load(q, p, head, 4 * tile, uniform ? 4 : 4 * full);
    if (!uniform && !q->narrow)
        return 0;
    walk->right_step = 4 * p->right_pitch;
    walk->output_step = p->output_channel_tile;
    walk->scale_step = !uniform;
    walk->count = full;
    q->count = 4;
    blocks(p, q, walk, p->rows);
    return full;
}

static inline uint32_t ts_xp_units(const ts_xp_product *p) {
    return p->heads * ts_ceil_div(p->columns, 4) * ts_ceil_div(p->rows, 4);
}

/* The unit that a range begins with. */
typedef struct {
    uint32_t head, channel_tile, row_tile;
} ts_xp_position;

static inline ts_xp_position ts_xp_position_of(uint32_t unit, uint32_t channel_tiles,
                                               uint32_t row_tiles) {
    ts_xp_position at = {0, unit, 0};
    if (row_tiles > 1) { /* divisions are slow */
        at.channel_tile = unit / row_tiles;
        at.row_tile = unit - at.channel_tile * row_tiles;
    }
    if (at.channel_tile >= channel_tiles) {
        at.head = at.channel_tile / channel_tiles;
        at.channel_tile -= at.head * channel_tiles;
    }
    return at;
}

/* Code size counts more than the indirect calls: the cores share 4 KB of instruction cache. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_product_run(const ts_xp_product *p, ts_range units, ts_xp_blocks_fn *blocks) {
    if (units.begin >= units.end)
        return;
    const uint32_t row_tiles = ts_ceil_div(p->rows, 4), channel_tiles = ts_ceil_div(p->columns, 4);
    ts_xp_position at = ts_xp_position_of(units.begin, channel_tiles, row_tiles);
    ts_xp_channels q;
    ts_xp_channels_init(&q, p);
    for (uint32_t left = units.end - units.begin; left;) {
        const uint32_t first = 4 * at.channel_tile;
        ts_xp_walk walk = {
            .left = (const uint8_t *)p->left + at.head * p->left_head,
            .right = p->right + at.head * p->right_head + first * p->right_pitch,
            .output =
                p->output + at.head * p->output_head + at.channel_tile * p->output_channel_tile,
            .scale = q.scale,
        };
        uint32_t done = 0;
        if (row_tiles == 1 && !p->scattered && p->columns - first >= 4) {
            done = ts_xp_across(p, &q, &walk, at.head, at.channel_tile,
                                ts_min(left, channel_tiles - at.channel_tile), blocks);
            at.channel_tile += done;
        }
        if (!done) {
            done = ts_min(row_tiles - at.row_tile, left);
            ts_xp_channels_load(&q, p, at.head, first, ts_min(4, p->columns - first));
            ts_xp_down(p, &q, &walk, at.row_tile, done, blocks);
            at.row_tile = 0;
            at.channel_tile++;
        }
        left -= done;
        if (at.channel_tile == channel_tiles) {
            at.channel_tile = 0;
            at.head++;
        }
    }
}

/* int8 x int8 */
static inline void ts_xp_product_s8(const ts_xp_product *p, ts_range units) {
    ts_xp_product_run(p, units, ts_xp_blocks_s8);
}

/* uint8 x int8 */
static inline void ts_xp_product_u8(const ts_xp_product *p, ts_range units) {
    ts_xp_product_run(p, units, ts_xp_blocks_u8);
}

/* Copies `bytes` bytes in words `step` bytes apart, the last one zero-padded. */
static TS_XP_INLINE void ts_xp_copy_row(void *to, int32_t step, const void *from, uint32_t bytes) {
    const uint32_t words = bytes / 4;
    uint32_t word, other;
    if (words > 1)
        __asm__ volatile(
            TS_XP_NORVC TS_XP_LOOP("n", "4") ".insn i 0x0b, 2, %[word], 4(%[from])\n\t"
                                             ".insn i 0x0b, 2, %[other], 4(%[from])\n\t"
                                             ".insn r 0x2b, 6, 0, %[step], %[to], "
                                             "%[word]\n\t"
                                             ".insn r 0x2b, 6, 0, %[step], %[to], "
                                             "%[other]\n\t"
                                             ".option pop"
            : [word] "=&r"(word), [other] "=&r"(other), [from] "+r"(from), [to] "+r"(to)
            : [n] "r"(words / 2), [step] "r"(step)
            : "memory");
    if (words & 1) {
        word = p_lw_step(from, 4);
        p_sw_post(&to, step, word);
    }
    if (bytes & 3)
        p_sw_post(&to, step, ts_xp_tail_word(from, bytes & 3));
}

/* Copies `rows` (1..4) rows of `depth` bytes, `pitch` apart, to a row panel whose last word of
 * depth is zero-padded. Rows beyond `rows` are not written. */
static TS_XP_NOINLINE __attribute__((unused)) void ts_xp_pack_panel(uint32_t *panel,
                                                                    const void *source,
                                                                    uint32_t pitch, uint32_t rows,
                                                                    uint32_t depth) {
    for (uint32_t i = 0; i < rows; i++)
        ts_xp_copy_row(panel + i, 16, (const uint8_t *)source + i * pitch, depth);
}

/* This core's share of the panels of a [rows, depth] matrix. */
static inline void ts_xp_pack_panels(const ts_team *team, void *panels, const void *source,
                                     uint32_t rows, uint32_t depth) {
    const ts_range share = ts_xp_share(team, ts_ceil_div(rows, 4));
    for (uint32_t tile = share.begin; tile < share.end; tile++)
        ts_xp_pack_panel((uint32_t *)panels + tile * ts_xp_align4(depth),
                         (const uint8_t *)source + 4 * tile * depth, depth,
                         ts_min(4, rows - 4 * tile), depth);
}

#endif
