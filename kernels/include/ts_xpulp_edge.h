/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks at the edge of a product for XpulpV2: any number of rows and channels up to four, any
 * depth, wide requantisation, scattered output. */
#ifndef TS_XPULP_EDGE_H
#define TS_XPULP_EDGE_H

#include "ts_xpulp_requant.h"

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

/* Requantises and stores a block. */
static TS_XP_NOINLINE __attribute__((unused)) void ts_xp_finish_edge(const ts_xp_product *p,
                                                                     const ts_xp_channels *q,
                                                                     int32_t *c, int8_t *output,
                                                                     uint32_t rows) {
    const uint32_t columns = q->count;
    if (q->narrow)
        for (uint32_t j = 0; j < columns; j++)
            ts_xp_requant_channel(c + j, q->scale[0].mul_less_one[j], q->scale[0].offset[j],
                                  q->shift);
    else
        ts_xp_requant_wide(c, p, q);
    if (p->scattered) {
        ts_xp_store_scattered(output, p->first_channel + q->first, c, rows, columns);
        return;
    }
    uint32_t words[4];
    for (uint32_t i = 0; i < 4; i++)
        words[i] = p->transposed ? ts_xp_pack(c, i, 1) : ts_xp_pack(c, i, 0);
    if (p->transposed)
        ts_xp_store_partial(output, p->output_word, words, columns, rows);
    else
        ts_xp_store_partial(output, p->output_word, words, rows, columns);
}

/* One channel of up to four rows: accumulators in registers, requantised without the wide path,
 * stored `step` bytes from row to row. */
static TS_XP_INLINE void ts_xp_column(const ts_xp_product *p, const ts_xp_channels *q, uint32_t j,
                                      const uint32_t *left, const int8_t *right, void *output,
                                      uint32_t step, uint32_t rows, int unsigned_left) {
    const uint32_t steps = p->depth / 4, tail = p->depth & 3, shift = q->shift;
    const int32_t mul_less_one = q->scale[0].mul_less_one[j], offset = q->scale[0].offset[j];
    int32_t c[16];
    c[0] = c[4] = c[8] = c[12] = 0;
    if (steps) {
        if (unsigned_left)
            ts_xp_block_4x1_u8(c, &left, &right, steps);
        else
            ts_xp_block_4x1_s8(c, &left, &right, steps);
    }
    if (tail)
        ts_xp_tail_channel(c, left, right, tail, unsigned_left);
    p_sb_post(&output, (int32_t)step,
              (uint32_t)ts_xp_requant_narrow(c[0], mul_less_one, offset, shift));
    if (rows > 1)
        p_sb_post(&output, (int32_t)step,
                  (uint32_t)ts_xp_requant_narrow(c[4], mul_less_one, offset, shift));
    if (rows > 2)
        p_sb_post(&output, (int32_t)step,
                  (uint32_t)ts_xp_requant_narrow(c[8], mul_less_one, offset, shift));
    if (rows > 3)
        p_sb_post(&output, (int32_t)step,
                  (uint32_t)ts_xp_requant_narrow(c[12], mul_less_one, offset, shift));
}

/* A block channel by channel. */
static TS_XP_INLINE void ts_xp_columns(const ts_xp_product *p, const ts_xp_channels *q,
                                       const uint32_t *left, const int8_t *right, int8_t *output,
                                       uint32_t rows, int unsigned_left) {
    const uint32_t step = p->scattered ? 4 : p->transposed ? 1 : p->output_word;
    for (uint32_t j = 0; j < q->count; j++) {
        const uint32_t channel = p->first_channel + q->first + j;
        int8_t *to = output + (p->scattered    ? 4 * (channel & ~3u) + (channel & 3)
                               : p->transposed ? j * p->output_word
                                               : j);
        ts_xp_column(p, q, j, left, right + j * p->right_pitch, to, step, rows, unsigned_left);
    }
}

static TS_XP_INLINE void ts_xp_edge_block(const ts_xp_product *p, const ts_xp_channels *q,
                                          const void *left, const int8_t *right, int8_t *output,
                                          uint32_t rows, int unsigned_left) {
    int32_t c[16];
    if (q->narrow && (q->count < 4 || p->scattered)) {
        ts_xp_columns(p, q, left, right, output, rows, unsigned_left);
        return;
    }
    if (rows > 1 && q->count == 4)
        ts_xp_block_any(c, left, right, p->right_pitch, p->depth, unsigned_left);
    else
        ts_xp_thin_block(c, left, right, p->right_pitch, p->depth, q->count, unsigned_left);
    ts_xp_finish_edge(p, q, c, output, rows);
}

static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_edge_block_s8(const ts_xp_product *p, const ts_xp_channels *q, const void *left,
                    const int8_t *right, int8_t *output, uint32_t rows) {
    ts_xp_edge_block(p, q, left, right, output, rows, 0);
}

static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_edge_block_u8(const ts_xp_product *p, const ts_xp_channels *q, const void *left,
                    const int8_t *right, int8_t *output, uint32_t rows) {
    ts_xp_edge_block(p, q, left, right, output, rows, 1);
}

#endif
