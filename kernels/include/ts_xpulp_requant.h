/* SPDX-License-Identifier: Apache-2.0 */
/* A requantised matrix product for XpulpV2, and the constants that its channels are requantised by:
 *
 *   output[h](row, channel) = requant(bias[h*columns + channel]
 *                                     + sum over d of left[h](row, d) * right[h](channel, d))
 *
 * `left` consists of row panels (ts_xpulp_block.h), one per tile of four rows; words of rows beyond
 * `rows` may hold anything. */
#ifndef TS_XPULP_REQUANT_H
#define TS_XPULP_REQUANT_H

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

/* Four channels: (acc * mul + offset) >> shift with offset = bias * mul + rounding. mul is kept one
 * less: p.mac acc, acc, mul - 1 multiplies in place, and in one cycle. */
typedef struct {
    int32_t mul_less_one[4], offset[4];
} ts_xp_scale;

enum { TS_XP_BATCH = 4 };

/* Up to TS_XP_BATCH channel tiles. */
typedef struct {
    ts_xp_scale scale[TS_XP_BATCH];
    uint32_t shift, rounding;
    uint32_t narrow;              /* 32 bits hold every scaled accumulator */
    uint32_t index, first, count; /* first channel in all heads and in its head, channels */
    int32_t bias_limit;           /* narrow while no |bias| is larger; -1: never */
} ts_xp_channels;

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

/* What all channels have in common. */
static inline void ts_xp_channels_init(ts_xp_channels *q, const ts_xp_product *p) {
    const ts_requant *requant = &p->requant;
    const uint32_t mul = requant->mul[0];
    q->shift = requant->shift;
    q->rounding = requant->round_half_up ? 1u << (requant->shift - 1) : 0;
    q->bias_limit = ts_xp_bias_limit(mul, q->rounding, p->acc_bound);
    q->narrow = q->bias_limit >= 0;
    for (uint32_t t = 0; t < (ts_xp_uniform(p) ? 1 : TS_XP_BATCH); t++)
        for (uint32_t j = 0; j < 4; j++) {
            q->scale[t].mul_less_one[j] = (int32_t)mul - 1;
            q->scale[t].offset[j] = (int32_t)q->rounding;
        }
}

/* Multipliers of `count` channels. */
static inline void ts_xp_load_multipliers(ts_xp_channels *q, const ts_xp_product *p) {
    const uint16_t *mul = p->requant.mul + q->index;
    q->bias_limit = INT32_MAX;
    for (uint32_t i = 0; i < q->count; i++) {
        ts_xp_scale *scale = &q->scale[i / 4];
        scale->mul_less_one[i & 3] = mul[i] - 1;
        scale->offset[i & 3] = (int32_t)q->rounding;
        q->bias_limit = p_min(q->bias_limit, ts_xp_bias_limit(mul[i], q->rounding, p->acc_bound));
    }
    q->narrow = q->bias_limit >= 0;
}

/* One channel's bias, and the largest |bias| so far. */
static TS_XP_INLINE uint32_t ts_xp_load_bias(ts_xp_scale *scale, uint32_t j, int32_t bias,
                                             uint32_t rounding, uint32_t largest) {
    const uint32_t mul = (uint32_t)scale->mul_less_one[j] + 1;
    scale->offset[j] = (int32_t)((uint32_t)bias * mul + rounding);
    return p_maxu(largest, (uint32_t)p_abs(bias));
}

static inline void ts_xp_load_biases(ts_xp_channels *q, const ts_xp_product *p) {
    const int32_t *bias = p->bias + q->index;
    const uint32_t rounding = q->rounding;
    uint32_t largest = 0;
    ts_xp_scale *scale = q->scale;
    for (uint32_t tiles = q->count / 4; tiles; tiles--, bias += 4, scale++) {
        largest = ts_xp_load_bias(scale, 0, bias[0], rounding, largest);
        largest = ts_xp_load_bias(scale, 1, bias[1], rounding, largest);
        largest = ts_xp_load_bias(scale, 2, bias[2], rounding, largest);
        largest = ts_xp_load_bias(scale, 3, bias[3], rounding, largest);
    }
    for (uint32_t j = 0; j < (q->count & 3); j++)
        largest = ts_xp_load_bias(scale, j, bias[j], rounding, largest);
    /* |INT32_MIN| is no int32 */
    q->narrow = (int32_t)largest >= 0 && (int32_t)largest <= q->bias_limit;
}

/* Channels first .. first + count - 1 of a head; count is at most 4 * TS_XP_BATCH. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_channels_load(ts_xp_channels *q, const ts_xp_product *p, uint32_t head, uint32_t first,
                    uint32_t count) {
    q->index = head * p->columns + first;
    q->first = first;
    q->count = count;
    if (p->requant.per_channel)
        ts_xp_load_multipliers(q, p);
    if (p->bias)
        ts_xp_load_biases(q, p);
}

/* Exact when |acc + bias| * mul + rounding < 2^31; intermediate sums may wrap. */
static TS_XP_INLINE int32_t ts_xp_requant_narrow(int32_t acc, int32_t mul_less_one, int32_t offset,
                                                 uint32_t shift) {
    acc = p_mac(acc, acc, mul_less_one);
    return p_clip(p_addNr(acc, offset, (int32_t)shift), 8);
}

/* One channel of a block. The indices of c are constants here and in the next function, loops
 * written out, so that a hot block keeps c in registers. */
static TS_XP_INLINE void ts_xp_requant_channel(int32_t *c, int32_t mul_less_one, int32_t offset,
                                               uint32_t shift) {
    c[0] = ts_xp_requant_narrow(c[0], mul_less_one, offset, shift);
    c[4] = ts_xp_requant_narrow(c[4], mul_less_one, offset, shift);
    c[8] = ts_xp_requant_narrow(c[8], mul_less_one, offset, shift);
    c[12] = ts_xp_requant_narrow(c[12], mul_less_one, offset, shift);
}

static TS_XP_INLINE void ts_xp_requant_block(int32_t *c, const ts_xp_scale *scale, uint32_t shift) {
    ts_xp_requant_channel(c, scale->mul_less_one[0], scale->offset[0], shift);
    ts_xp_requant_channel(c + 1, scale->mul_less_one[1], scale->offset[1], shift);
    ts_xp_requant_channel(c + 2, scale->mul_less_one[2], scale->offset[2], shift);
    ts_xp_requant_channel(c + 3, scale->mul_less_one[3], scale->offset[3], shift);
}

/* The four channels alike. */
static TS_XP_INLINE void ts_xp_requant_uniform(int32_t *c, const ts_xp_scale *scale,
                                               uint32_t shift) {
    const int32_t mul_less_one = scale->mul_less_one[0], offset = scale->offset[0];
    ts_xp_requant_channel(c, mul_less_one, offset, shift);
    ts_xp_requant_channel(c + 1, mul_less_one, offset, shift);
    ts_xp_requant_channel(c + 2, mul_less_one, offset, shift);
    ts_xp_requant_channel(c + 3, mul_less_one, offset, shift);
}

/* A block of q->count <= 4 channels, exact for every accumulator. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_requant_wide(int32_t *c, const ts_xp_product *p, const ts_xp_channels *q) {
    for (uint32_t j = 0; j < q->count; j++) {
        const int64_t mul = q->scale[0].mul_less_one[j] + 1;
        const uint32_t bias = p->bias ? (uint32_t)p->bias[q->index + j] : 0;
        for (uint32_t i = j; i < 16; i += 4) {
            const int64_t acc = (int32_t)((uint32_t)c[i] + bias);
            const int64_t scaled = (acc * mul + q->rounding) >> q->shift;
            c[i] = scaled < -128 ? -128 : scaled > 127 ? 127 : (int32_t)scaled;
        }
    }
}

#endif
