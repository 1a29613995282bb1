/* SPDX-License-Identifier: Apache-2.0 */
/* Copies for XpulpV2 of what has its exact size, to panels or to rows of whole words. */
#ifndef TS_XPULP_PACK_H
#define TS_XPULP_PACK_H

#include "ts_xpulp_blocks.h"
#include "ts_xpulp_inline.h"

/* This core's share; a shift instead of two divisions for 1, 2, 4 and 8 cores. */
static inline ts_range ts_xp_share(const ts_team *team, uint32_t count) {
    if (team->cores & (team->cores - 1))
        return ts_team_share(team, count);
    const uint32_t log2 = p_ff1(team->cores), begin = count * team->core;
    return (ts_range){begin >> log2, (begin + count) >> log2};
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

/* Rows of `width` bytes, one behind the other, to rows of whole words. */
TS_XP_STAGE void ts_xp_copy_rows(int8_t *to, const int8_t *from, uint32_t rows, uint32_t width) {
    for (; rows; rows--, to += ts_xp_align4(width), from += width)
        ts_xp_copy_row(to, 4, from, width);
}

/* This core's share of the rows of `heads` heads, `rows` of `width` bytes each, one behind the
 * other, to a head's panels after the other's: [heads][rows / 4][width / 4][4][4], rounded up. */
TS_XP_STAGE void ts_xp_pack_panels(const ts_team *team, int8_t *panels, const int8_t *from,
                                   uint32_t heads, uint32_t rows, uint32_t width) {
    const uint32_t pitch = ts_xp_align4(width), head = ts_xp_align4(rows) * pitch;
    const ts_range share = ts_xp_share(team, heads * rows);
    const uint32_t first = share.begin / rows;
    uint32_t row = share.begin - first * rows;
    int8_t *to = panels + first * head + row / 4 * 4 * pitch + (row & 3) * 4;
    from += share.begin * width;
    for (uint32_t left = share.end - share.begin; left; left--, from += width) {
        ts_xp_copy_row(to, 16, from, width);
        const uint32_t last = row & 3;
        row++;
        to += last == 3 || row == rows ? 4 * (pitch - last) : 4;
        row = row == rows ? 0 : row;
    }
}

/* Panels of several heads at once take at most about so many bytes. */
#define TS_XP_PANEL_BYTES 12288u

/* Of how many heads: as many in each group, as far as that goes. */
static inline uint32_t ts_xp_panel_heads(uint32_t heads, uint32_t bytes) {
    if (heads * bytes <= TS_XP_PANEL_BYTES)
        return heads;
    return ts_ceil_div(heads, ts_min(heads, ts_ceil_div(heads * bytes, TS_XP_PANEL_BYTES)));
}

#endif
