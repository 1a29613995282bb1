/* SPDX-License-Identifier: Apache-2.0 */
/* Requantised matrix product of XpulpV2 kernels in blocks of four rows by four channels:
 *
 *   output[h](row, channel) = requant(bias[h*columns + channel]
 *                                     + sum over d of left[h](row, d) * right[h](channel, d))
 *
 * `left` consists of row panels (ts_xpulp_block.h), one per tile of four rows; words of rows beyond
 * `rows` may hold anything. The work is the flattened list of (head, channel tile, row tile); any
 * range of it can be given to a core. */
#ifndef TS_XPULP_PRODUCT_H
#define TS_XPULP_PRODUCT_H

#include "ts_requant.h"
#include "ts_xpulp_block.h"

/* Where the four words of a block go: to output + head * output_head + row_tile * output_row_tile
 * + channel_tile * output_channel_tile, each next word `output_word` bytes on. A word holds four
 * channels of one row, or, if `transposed`, four rows of one channel. Only valid elements are
 * written. Where the buffers have room for whole tiles, `rows` and `columns` may be rounded up to a
 * multiple of 4: then everything is a full block, and what lies beyond holds anything. */
typedef struct {
    uint32_t heads, rows, columns;
    uint32_t depth; /* bytes of a right row that are read; the panel's last word is zero-padded */
    const void *left;
    uint32_t left_head, left_tile;
    const int8_t *right;
    uint32_t right_head, right_pitch;
    const int32_t *bias; /* heads*columns, or NULL for none */
    ts_requant requant;  /* heads*columns channels when per channel */
    uint32_t acc_bound;  /* no |accumulator| without bias is larger */
    int8_t *output;
    uint32_t output_head, output_row_tile, output_channel_tile, output_word;
    uint8_t transposed;
    uint8_t scattered; /* instead: into one panel from channel `first_channel` on, which need */
    uint32_t first_channel; /* not be a multiple of 4 */
} ts_xp_product;

static inline uint32_t ts_xp_align4(uint32_t n) { return (n + 3u) & ~3u; }

static inline uint32_t ts_xp_rounding(const ts_requant *requant) {
    return requant->round_half_up ? 1u << (requant->shift - 1) : 0;
}

/* This core's share; a shift instead of two divisions for 1, 2, 4 and 8 cores. */
static inline ts_range ts_xp_share(const ts_team *team, uint32_t count) {
    if (team->cores & (team->cores - 1))
        return ts_team_share(team, count);
    const uint32_t log2 = p_ff1(team->cores), begin = count * team->core;
    return (ts_range){begin >> log2, (begin + count) >> log2};
}

/* Largest |bias| for which 32 bits suffice: mul < 2^(n+1) with n = p.fl1, so a product stays in 31
 * bits if the accumulator stays below headroom / 2^(n+1). This may refuse some that would fit; they
 * take the wide path. */
static inline int32_t ts_xp_bias_limit(uint32_t mul, uint32_t rounding, uint32_t acc_bound) {
    const uint32_t limit = (0x7fffffffu - rounding) >> (p_fl1(mul) + 1);
    return acc_bound <= limit ? (int32_t)(limit - acc_bound) : -1;
}

/* No bias and one multiplier: all channels are requantised alike. */
static inline int ts_xp_uniform(const ts_xp_product *p) {
    return !p->bias && !p->requant.per_channel;
}

/* What all channels have in common; with one multiplier, that and, without bias, the rest too. */
static inline void ts_xp_channels_init(ts_xp_channels *q, const ts_xp_product *p) {
    const uint32_t mul = p->requant.mul[0], rounding = ts_xp_rounding(&p->requant);
    q->shift = p->requant.shift;
    q->rounding = rounding;
    q->bias_limit = ts_xp_bias_limit(mul, rounding, p->acc_bound);
    q->narrow = q->bias_limit >= 0;
    for (uint32_t j = 0; j < 4; j++) {
        q->mul_less_one[j] = (int32_t)mul - 1;
        q->offset[j] = (int32_t)rounding;
        q->bias[j] = 0;
    }
}

/* Channels first .. first + count - 1 (count 1..4) of a head. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_channels_load(ts_xp_channels *q, const ts_xp_product *p, uint32_t head, uint32_t first) {
    const uint32_t count = ts_min(4, p->columns - first), index = head * p->columns + first;
    q->first = first;
    q->count = count;
    if (ts_xp_uniform(p))
        return;
    if (p->requant.per_channel) {
        const uint16_t *mul = p->requant.mul + index;
        q->bias_limit = INT32_MAX;
        for (uint32_t j = 0; j < count; j++) {
            q->mul_less_one[j] = mul[j] - 1;
            q->offset[j] = (int32_t)q->rounding;
            q->bias_limit =
                p_min(q->bias_limit, ts_xp_bias_limit(mul[j], q->rounding, p->acc_bound));
        }
        q->narrow = q->bias_limit >= 0;
    }
    if (p->bias) {
        const int32_t *bias = p->bias + index;
        int32_t largest = 0;
        for (uint32_t j = 0; j < count; j++) {
            const int32_t b = bias[j];
            q->bias[j] = b;
            q->offset[j] =
                (int32_t)((uint32_t)b * (uint32_t)(q->mul_less_one[j] + 1) + q->rounding);
            largest = (int32_t)p_maxu((uint32_t)largest, (uint32_t)p_abs(b));
        }
        q->narrow = largest >= 0 && largest <= q->bias_limit; /* |INT32_MIN| is negative */
    }
}

/* c becomes int8 values. The indices of c are constants here and in the next two functions, loops
 * written out, so that a hot block keeps c in registers. */
static TS_XP_INLINE void ts_xp_requant_channel(int32_t *c, const ts_xp_channels *q, uint32_t j,
                                               uint32_t shift) {
    const int32_t mul_less_one = q->mul_less_one[j], offset = q->offset[j];
    c[j] = ts_xp_requant_narrow(c[j], mul_less_one, offset, shift);
    c[j + 4] = ts_xp_requant_narrow(c[j + 4], mul_less_one, offset, shift);
    c[j + 8] = ts_xp_requant_narrow(c[j + 8], mul_less_one, offset, shift);
    c[j + 12] = ts_xp_requant_narrow(c[j + 12], mul_less_one, offset, shift);
}

static TS_XP_INLINE void ts_xp_requant_block(int32_t *c, const ts_xp_channels *q) {
    const uint32_t shift = q->shift;
    ts_xp_requant_channel(c, q, 0, shift);
    ts_xp_requant_channel(c, q, 1, shift);
    ts_xp_requant_channel(c, q, 2, shift);
    ts_xp_requant_channel(c, q, 3, shift);
}

/* Word i of a block: row i, or channel i if transposed. */
static TS_XP_INLINE uint32_t ts_xp_pack(const int32_t *c, uint32_t i, int transposed) {
    const int32_t *first = transposed ? c + i : c + 4 * i;
    const uint32_t step = transposed ? 4 : 1;
    return xp_pack_bytes((uint32_t)first[0], (uint32_t)first[step], (uint32_t)first[2 * step],
                         (uint32_t)first[3 * step]);
}

static TS_XP_INLINE void ts_xp_store_block(const int32_t *c, void *output, uint32_t pitch,
                                           int transposed) {
    p_sw_post(&output, (int32_t)pitch, ts_xp_pack(c, 0, transposed));
    p_sw_post(&output, (int32_t)pitch, ts_xp_pack(c, 1, transposed));
    p_sw_post(&output, (int32_t)pitch, ts_xp_pack(c, 2, transposed));
    p_sw_post(&output, (int32_t)pitch, ts_xp_pack(c, 3, transposed));
}

/* Stores `bytes` bytes of each of `words` words. */
static inline void ts_xp_store_partial(int8_t *output, uint32_t pitch, const uint32_t *word,
                                       uint32_t words, uint32_t bytes) {
    for (uint32_t i = 0; i < words; i++) {
        uint32_t rest = word[i];
        void *to = output + i * pitch;
        if (bytes == 4)
            p_sw_step(to, 0, rest);
        else
            for (uint32_t k = 0; k < bytes; k++, rest >>= 8)
                p_sb_step(to, 1, rest);
    }
}

/* Into a panel from any channel on. */
static inline void ts_xp_store_scattered(int8_t *panel, uint32_t channel, const int32_t *c,
                                         uint32_t rows, uint32_t columns) {
    for (uint32_t j = 0; j < columns; j++, channel++)
        for (uint32_t i = 0; i < rows; i++)
            panel[(channel & ~3u) * 4 + i * 4 + (channel & 3)] = (int8_t)c[4 * i + j];
}

/* The depth % 4 last products; `left` is the panel's last step, `right` the tails of the rows. */
static TS_XP_INLINE void ts_xp_tail_channel(int32_t *c, const uint32_t *left, const int8_t *right,
                                            uint32_t bytes, int unsigned_left) {
    const int32_t word = (int32_t)ts_xp_tail_word(right, bytes);
    if (unsigned_left) {
        c[0] = pv_sdotusp_b(c[0], (int32_t)left[0], word);
        c[4] = pv_sdotusp_b(c[4], (int32_t)left[1], word);
        c[8] = pv_sdotusp_b(c[8], (int32_t)left[2], word);
        c[12] = pv_sdotusp_b(c[12], (int32_t)left[3], word);
    } else {
        c[0] = pv_sdotsp_b(c[0], (int32_t)left[0], word);
        c[4] = pv_sdotsp_b(c[4], (int32_t)left[1], word);
        c[8] = pv_sdotsp_b(c[8], (int32_t)left[2], word);
        c[12] = pv_sdotsp_b(c[12], (int32_t)left[3], word);
    }
}

/* Accumulators of four rows by four channels, for any depth. */
static TS_XP_INLINE void ts_xp_block_any(int32_t *c, const uint32_t *left, const int8_t *right,
                                         uint32_t pitch, uint32_t depth, int unsigned_left) {
    const int32_t next = (int32_t)pitch, back = 4 - 3 * (int32_t)pitch;
    if (depth < 4)
        for (uint32_t i = 0; i < 16; i++)
            c[i] = 0;
    else if (unsigned_left)
        ts_xp_block_4x4_u8(c, &left, &right, next, back, depth / 4 - 1);
    else
        ts_xp_block_4x4_s8(c, &left, &right, next, back, depth / 4 - 1);
    if (depth & 3)
        for (uint32_t j = 0; j < 4; j++)
            ts_xp_tail_channel(c + j, left, right + j * pitch, depth & 3, unsigned_left);
}

/* Accumulators of a row by four channels (c[0..3]), or of four rows by fewer channels. */
static TS_XP_INLINE void ts_xp_thin_block(int32_t *c, const uint32_t *left, const int8_t *right,
                                          uint32_t pitch, uint32_t depth, uint32_t columns,
                                          int unsigned_left) {
    const uint32_t steps = depth / 4;
    for (uint32_t i = 0; i < 16; i++)
        c[i] = 0;
    if (columns == 4 && steps) {
        const uint32_t *l = left;
        const int8_t *r = right;
        if (unsigned_left)
            ts_xp_block_1x4_u8(c, &l, &r, pitch, steps);
        else
            ts_xp_block_1x4_s8(c, &l, &r, pitch, steps);
    }
    for (uint32_t j = 0; j < columns; j++, right += pitch) {
        const uint32_t *l = left;
        const int8_t *r = right;
        if (columns < 4 && steps) {
            if (unsigned_left)
                ts_xp_block_4x1_u8(c + j, &l, &r, steps);
            else
                ts_xp_block_4x1_s8(c + j, &l, &r, steps);
        }
        if (depth & 3)
            ts_xp_tail_channel(c + j, left + 4 * steps, right + 4 * steps, depth & 3,
                               unsigned_left);
    }
}

/* Requantises and stores a block at the edge. */
static TS_XP_NOINLINE __attribute__((unused)) void ts_xp_finish_edge(const ts_xp_product *p,
                                                                     const ts_xp_channels *channels,
                                                                     int32_t *c, int8_t *output,
                                                                     uint32_t rows) {
    const uint32_t columns = channels->count;
    if (channels->narrow)
        for (uint32_t j = 0; j < columns; j++)
            ts_xp_requant_channel(c, channels, j, channels->shift);
    else
        ts_xp_requant_wide(c, channels);
    if (p->scattered) {
        ts_xp_store_scattered(output, p->first_channel + channels->first, c, rows, columns);
        return;
    }
    uint32_t words[4];
    for (uint32_t i = 0; i < 4; i++)
        words[i] = p->transposed ? ts_xp_pack(c, i, 1) : ts_xp_pack(c, i, 0);
    if (p->transposed) {
        ts_xp_store_partial(output, p->output_word, words, columns, rows);
        return;
    }
    ts_xp_store_partial(output, p->output_word, words, rows, columns);
}

/* Any block that the loops of ts_xp_walk_... do not do: fewer than four rows or channels,
 * accumulators that need the wide requantisation, scattered output. */
static TS_XP_INLINE void ts_xp_edge_block(const ts_xp_product *p, const ts_xp_channels *channels,
                                          const void *left, const int8_t *right, int8_t *output,
                                          uint32_t rows, int unsigned_left) {
    int32_t c[16];
    if (rows > 1 && channels->count == 4)
        ts_xp_block_any(c, left, right, p->right_pitch, p->depth, unsigned_left);
    else
        ts_xp_thin_block(c, left, right, p->right_pitch, p->depth, channels->count, unsigned_left);
    ts_xp_finish_edge(p, channels, c, output, rows);
}

static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_edge_block_s8(const ts_xp_product *p, const ts_xp_channels *channels, const void *left,
                    const int8_t *right, int8_t *output, uint32_t rows) {
    ts_xp_edge_block(p, channels, left, right, output, rows, 0);
}

static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_edge_block_u8(const ts_xp_product *p, const ts_xp_channels *channels, const void *left,
                    const int8_t *right, int8_t *output, uint32_t rows) {
    ts_xp_edge_block(p, channels, left, right, output, rows, 1);
}

/* A sequence of blocks whose addresses advance by constants; left, right and output end behind the
 * last one. */
typedef struct {
    const uint8_t *left;
    const int8_t *right;
    int8_t *output;
    uint32_t left_step, right_step, output_step, count;
} ts_xp_walk;

/* The hot loop: blocks of four rows and four channels, accumulators in registers; the depth is a
 * positive multiple of 4. */
static TS_XP_INLINE void ts_xp_walk_blocks(const ts_xp_product *p, const ts_xp_channels *q,
                                           ts_xp_walk *walk, int unsigned_left, int transposed) {
    const int32_t next = (int32_t)p->right_pitch, back = 4 - 3 * next;
    const uint32_t more = p->depth / 4 - 1, word = p->output_word;
    const uint8_t *left = walk->left;
    const int8_t *right = walk->right;
    int8_t *output = walk->output;
    for (uint32_t n = walk->count; n; n--) {
        int32_t c[16];
        const uint32_t *l = (const uint32_t *)left;
        const int8_t *r = right;
        if (unsigned_left)
            ts_xp_block_4x4_u8(c, &l, &r, next, back, more);
        else
            ts_xp_block_4x4_s8(c, &l, &r, next, back, more);
        ts_xp_requant_block(c, q);
        ts_xp_store_block(c, output, word, transposed);
        left += walk->left_step;
        right += walk->right_step;
        output += walk->output_step;
    }
    walk->left = left;
    walk->right = right;
    walk->output = output;
}

/* The same for a depth that is no multiple of 4. */
static TS_XP_INLINE void ts_xp_walk_tails(const ts_xp_product *p, const ts_xp_channels *q,
                                          ts_xp_walk *walk, int unsigned_left) {
    const uint8_t *left = walk->left;
    const int8_t *right = walk->right;
    int8_t *output = walk->output;
    for (uint32_t n = walk->count; n; n--) {
        int32_t c[16];
        ts_xp_block_any(c, (const uint32_t *)left, right, p->right_pitch, p->depth, unsigned_left);
        ts_xp_requant_block(c, q);
        if (p->transposed)
            ts_xp_store_block(c, output, p->output_word, 1);
        else
            ts_xp_store_block(c, output, p->output_word, 0);
        left += walk->left_step;
        right += walk->right_step;
        output += walk->output_step;
    }
    walk->left = left;
    walk->right = right;
    walk->output = output;
}

/* The same for tiles of one row; the depth is a positive multiple of 4. */
static TS_XP_INLINE void ts_xp_walk_rows(const ts_xp_product *p, const ts_xp_channels *q,
                                         ts_xp_walk *walk, int unsigned_left) {
    const uint8_t *left = walk->left;
    const int8_t *right = walk->right;
    int8_t *output = walk->output;
    const uint32_t pitch = p->right_pitch, steps = p->depth / 4, shift = q->shift;
    for (uint32_t n = walk->count; n; n--) {
        int32_t c[4] = {0, 0, 0, 0};
        const uint32_t *l = (const uint32_t *)left;
        const int8_t *r = right;
        if (unsigned_left)
            ts_xp_block_1x4_u8(c, &l, &r, pitch, steps);
        else
            ts_xp_block_1x4_s8(c, &l, &r, pitch, steps);
        c[0] = ts_xp_requant_narrow(c[0], q->mul_less_one[0], q->offset[0], shift);
        c[1] = ts_xp_requant_narrow(c[1], q->mul_less_one[1], q->offset[1], shift);
        c[2] = ts_xp_requant_narrow(c[2], q->mul_less_one[2], q->offset[2], shift);
        c[3] = ts_xp_requant_narrow(c[3], q->mul_less_one[3], q->offset[3], shift);
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
TS_XP_WALK(ts_xp_walk_blocks_s8, ts_xp_walk_blocks, 0, 0)
TS_XP_WALK(ts_xp_walk_transposed_s8, ts_xp_walk_blocks, 0, 1)
TS_XP_WALK(ts_xp_walk_blocks_u8, ts_xp_walk_blocks, 1, 0)
TS_XP_WALK(ts_xp_walk_tails_s8, ts_xp_walk_tails, 0)
TS_XP_WALK(ts_xp_walk_tails_u8, ts_xp_walk_tails, 1)
TS_XP_WALK(ts_xp_walk_rows_s8, ts_xp_walk_rows, 0)
TS_XP_WALK(ts_xp_walk_rows_u8, ts_xp_walk_rows, 1)

/* `walk->count` blocks of `rows` (1..4) rows and q->count channels. */
static TS_XP_INLINE void ts_xp_blocks(const ts_xp_product *p, const ts_xp_channels *q,
                                      ts_xp_walk *walk, uint32_t rows, int unsigned_left) {
    const int plain = q->narrow && q->count == 4 && !p->scattered;
    const uint32_t tail = p->depth & 3;
    if (plain && rows == 4 && !tail && !unsigned_left && p->transposed) {
        ts_xp_walk_transposed_s8(p, q, walk);
    } else if (plain && rows == 4 && !tail && !p->transposed) {
        unsigned_left ? ts_xp_walk_blocks_u8(p, q, walk) : ts_xp_walk_blocks_s8(p, q, walk);
    } else if (plain && rows == 4) {
        unsigned_left ? ts_xp_walk_tails_u8(p, q, walk) : ts_xp_walk_tails_s8(p, q, walk);
    } else if (plain && rows == 1 && !tail) {
        unsigned_left ? ts_xp_walk_rows_u8(p, q, walk) : ts_xp_walk_rows_s8(p, q, walk);
    } else {
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
    walk->right_step = 0;
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

/* `count` channel tiles, alike in their requantisation, of a product that has one row tile. */
static TS_XP_INLINE void ts_xp_across(const ts_xp_product *p, ts_xp_channels *q, ts_xp_walk *walk,
                                      uint32_t tile, uint32_t count, ts_xp_blocks_fn *blocks) {
    const uint32_t full = ts_min(count, p->columns / 4 - tile);
    walk->left_step = 0;
    walk->right_step = 4 * p->right_pitch;
    walk->output_step = p->output_channel_tile;
    if (full) {
        walk->count = full;
        q->count = 4;
        blocks(p, q, walk, p->rows);
    }
    if (full < count) {
        walk->count = 1;
        q->count = p->columns & 3;
        blocks(p, q, walk, p->rows);
    }
}

static inline uint32_t ts_xp_units(const ts_xp_product *p) {
    return p->heads * ts_ceil_div(p->columns, 4) * ts_ceil_div(p->rows, 4);
}

static TS_XP_INLINE void ts_xp_product_run(const ts_xp_product *p, ts_range units,
                                           ts_xp_blocks_fn *blocks) {
    if (units.begin >= units.end)
        return;
    const uint32_t row_tiles = ts_ceil_div(p->rows, 4), channel_tiles = ts_ceil_div(p->columns, 4);
    const int across = row_tiles == 1 && ts_xp_uniform(p) && !p->scattered;
    ts_xp_channels q;
    ts_xp_channels_init(&q, p);

    uint32_t channel_tile = units.begin, tile = 0, head = 0;
    if (row_tiles > 1) {
        channel_tile = units.begin / row_tiles;
        tile = units.begin - channel_tile * row_tiles;
    }
    if (channel_tile >= channel_tiles) {
        head = channel_tile / channel_tiles;
        channel_tile -= head * channel_tiles;
    }
    for (uint32_t left = units.end - units.begin; left;) {
        ts_xp_walk walk = {
            .left = (const uint8_t *)p->left + head * p->left_head,
            .right = p->right + head * p->right_head + 4 * channel_tile * p->right_pitch,
            .output = p->output + head * p->output_head + channel_tile * p->output_channel_tile,
        };
        uint32_t done;
        if (across) {
            done = ts_min(channel_tiles - channel_tile, left);
            ts_xp_across(p, &q, &walk, channel_tile, done, blocks);
            channel_tile += done;
        } else {
            done = ts_min(row_tiles - tile, left);
            ts_xp_channels_load(&q, p, head, 4 * channel_tile);
            ts_xp_down(p, &q, &walk, tile, done, blocks);
            tile = 0;
            channel_tile++;
        }
        left -= done;
        if (channel_tile == channel_tiles) {
            channel_tile = 0;
            head++;
        }
    }
}

/* int8 x int8 */
static TS_XP_NOINLINE __attribute__((unused)) void ts_xp_product_s8(const ts_xp_product *p,
                                                                    ts_range units) {
    ts_xp_product_run(p, units, ts_xp_blocks_s8);
}

/* uint8 x int8 */
static TS_XP_NOINLINE __attribute__((unused)) void ts_xp_product_u8(const ts_xp_product *p,
                                                                    ts_range units) {
    ts_xp_product_run(p, units, ts_xp_blocks_u8);
}

/* Copies `rows` (1..4) rows of `depth` bytes, `pitch` apart, to a row panel whose last word of
 * depth is zero-padded. Rows beyond `rows` are not written. */
static TS_XP_NOINLINE __attribute__((unused)) void ts_xp_pack_panel(uint32_t *panel,
                                                                    const void *source,
                                                                    uint32_t pitch, uint32_t rows,
                                                                    uint32_t depth) {
    const uint32_t words = depth / 4;
    for (uint32_t i = 0; i < rows; i++) {
        const void *from = (const uint8_t *)source + i * pitch;
        uint32_t *to = panel + i;
        if (words) {
            uint32_t word;
            __asm__ volatile(TS_XP_NORVC TS_XP_LOOP("n", "2") ".insn i 0x0b, 2, %[word], 4(%[from])"
                                                              "\n\t.insn s 0x2b, 2, %[word], "
                                                              "16(%[to])\n\t.option pop"
                             : [word] "=&r"(word), [from] "+r"(from), [to] "+r"(to)
                             : [n] "r"(words)
                             : "memory");
        }
        if (depth & 3)
            *to = ts_xp_tail_word(from, depth & 3);
    }
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
