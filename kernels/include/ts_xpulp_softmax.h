/* SPDX-License-Identifier: Apache-2.0 */
/* Integer softmax of one row for XpulpV2; definition and ranges in softmax/softmax.h.
 *
 * A row is read and written in words of four elements, `step` bytes apart: 4 for a plain row, 16
 * for a row of a panel. Per four elements: 2 to 3 cycles for the maximum, 14 to look exponentials
 * up and add them, 14 to scale them. One division per row. */
#ifndef TS_XPULP_SOFTMAX_H
#define TS_XPULP_SOFTMAX_H

#include "ts_softmax.h"
#include "ts_xpulp_inline.h"

typedef struct {
    const int8_t *input;
    uint8_t *output;                 /* may be the same memory with the same steps */
    int32_t input_step, output_step; /* bytes from word to word */
    uint32_t input_row, output_row;  /* bytes from row to row */
    uint32_t rows, n;                /* n elements a row, >= 1 */
    uint8_t padded; /* rows consist of whole words: those of the input may hold anything beyond n,
                       those of the output are filled with 0 */
} ts_xp_rows;

/* The n % 4 last elements of an input row, with any bytes above them. */
static TS_XP_INLINE uint32_t ts_xp_row_tail(const ts_xp_rows *rows, const void *tail) {
    return rows->padded ? *(const uint32_t *)tail : ts_xp_tail_word(tail, rows->n & 3);
}

static TS_XP_INLINE void ts_xp_store_row_tail(const ts_xp_rows *rows, void *tail, uint32_t word) {
    if (rows->padded) {
        *(uint32_t *)tail = word;
        return;
    }
    for (uint32_t i = rows->n & 3; i; i--, word >>= 8)
        p_sb_step(tail, 1, word);
}

/* Largest of the row's whole words, lane by lane. Two words a turn, so that no load is used by the
 * next instruction. */
static TS_XP_INLINE uint32_t ts_xp_words_max(const void *from, int32_t step, uint32_t words) {
    uint32_t max = 0x80808080u;
    if (words > 1) {
        uint32_t a, b;
        __asm__ volatile(TS_XP_NORVC TS_XP_LOOP("n", "4") /* p.lw a; p.lw b; max a; max b */
                         ".insn r 0x0b, 7, 0x10, %[a], %[from], %[step]\n\t"
                         ".insn r 0x0b, 7, 0x10, %[b], %[from], %[step]\n\t"
                         ".insn r 0x57, 1, 0x18, %[max], %[max], %[a]\n\t"
                         ".insn r 0x57, 1, 0x18, %[max], %[max], %[b]\n\t"
                         ".option pop"
                         : [a] "=&r"(a), [b] "=&r"(b), [from] "+r"(from), [max] "+r"(max)
                         : [n] "r"(words / 2), [step] "r"(step)
                         : "memory");
    }
    if (words & 1)
        max = pv_max_b(max, p_lw_post(&from, step));
    return max;
}

/* Largest lane. */
static TS_XP_INLINE int32_t ts_xp_largest(uint32_t max) {
    max = pv_max_b(max, max >> 16);
    return p_extbs((int32_t)pv_max_b(max, max >> 8));
}

/* Exponentials, all of them at most 255, of four elements. `maxima`: the maximum in each lane. */
static TS_XP_INLINE uint32_t ts_xp_word_exponentials(uint32_t word, uint32_t maxima,
                                                     const uint32_t *entries) {
    const uint32_t d = pv_sub_b(maxima, word);
    return xp_pack_bytes(
        p_lw_at(entries, pv_dotup_b(d, 4u)), p_lw_at(entries, pv_dotup_b(d, 4u << 8)),
        p_lw_at(entries, pv_dotup_b(d, 4u << 16)), p_lw_at(entries, pv_dotup_b(d, 4u << 24)));
}

/* Writes the exponentials of whole words to `to` and returns their sum. The index of a lane is
 * 4 * (max - x) by one dot product; a word's exponentials are added while the next word is being
 * loaded. */
static TS_XP_INLINE uint32_t ts_xp_words_exponentials(const ts_xp_rows *rows, const void *from,
                                                      void *to, uint32_t words, uint32_t maxima,
                                                      const uint32_t *entries) {
    uint32_t word, a, b, c, e = 0, sum = 0;
    __asm__ volatile(
        TS_XP_NORVC TS_XP_LOOP(
            "n", "14") ".insn r 0x0b, 7, 0x10, %[word], %[from], %[in]\n\t" /* p.lw! */
                       ".insn r 0x57, 7, 0x51, %[sum], %[e], x0\n\t"        /* sum += e . 1111 */
                       ".insn r 0x57, 1, 0x04, %[word], %[maxima], %[word]\n\t" /* max - x */
                       ".insn r 0x57, 1, 0x40, %[a], %[word], %[k0]\n\t"        /* 4 * lane 0 */
                       ".insn r 0x57, 1, 0x40, %[b], %[word], %[k1]\n\t"
                       ".insn r 0x57, 1, 0x40, %[c], %[word], %[k2]\n\t"
                       ".insn r 0x57, 1, 0x40, %[word], %[word], %[k3]\n\t"
                       ".insn r 0x03, 7, 0x10, %[a], %[table], %[a]\n\t" /* p.lw table[...] */
                       ".insn r 0x03, 7, 0x10, %[b], %[table], %[b]\n\t"
                       ".insn r 0x03, 7, 0x10, %[c], %[table], %[c]\n\t"
                       ".insn r 0x03, 7, 0x10, %[word], %[table], %[word]\n\t"
                       ".insn r 0x57, 1, 0x70, %[e], %[b], %[a]\n\t"    /* pv.packlo.b */
                       ".insn r 0x57, 1, 0x6c, %[e], %[word], %[c]\n\t" /* pv.packhi.b */
                       ".insn r 0x2b, 6, 0, %[out], %[to], %[e]\n\t"    /* p.sw! */
                       ".option pop"
        : [word] "=&r"(word), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [e] "+r"(e),
          [sum] "+r"(sum), [from] "+r"(from), [to] "+r"(to)
        : [n] "r"(words), [in] "r"(rows->input_step), [out] "r"(rows->output_step),
          [maxima] "r"(maxima), [table] "r"(entries), [k0] "r"(4u), [k1] "r"(4u << 8),
          [k2] "r"(4u << 16), [k3] "r"(4u << 24)
        : "memory");
    return pv_sdotup_sci_b(sum, e, 1);
}

/* Replaces exponentials by their shares: the top bytes of their products with the reciprocal of
 * ts_softmax.h. */
static TS_XP_INLINE void ts_xp_words_scale(void *to, int32_t step, uint32_t words,
                                           uint32_t reciprocal) {
    uint32_t word, a, b, c;
    __asm__ volatile(
        TS_XP_NORVC TS_XP_LOOP(
            "n", "13") "lw %[word], 0(%[to])\n\t"
                       ".insn r 0x57, 7, 0x48, %[a], %[word], x0\n\t" /* pv.extractu.b 0 */
                       ".insn r 0x57, 7, 0x49, %[b], %[word], x0\n\t" /* 1 */
                       ".insn r 0x57, 7, 0x48, %[c], %[word], x1\n\t" /* 2 */
                       "srli %[word], %[word], 24\n\t"
                       ".insn r 0x33, 0, 0x21, %[a], %[a], %[m]\n\t" /* p.mac: e * reciprocal */
                       ".insn r 0x33, 0, 0x21, %[b], %[b], %[m]\n\t"
                       ".insn r 0x33, 0, 0x21, %[c], %[c], %[m]\n\t"
                       ".insn r 0x33, 0, 0x21, %[word], %[word], %[m]\n\t"
                       ".insn r 0x57, 1, 0x64, %[a], %[b], %[top]\n\t" /* pv.shuffle2.b */
                       ".insn r 0x57, 1, 0x64, %[c], %[word], %[top]\n\t"
                       ".insn r 0x57, 0, 0x68, %[a], %[c], %[a]\n\t"  /* pv.pack.h */
                       ".insn r 0x2b, 6, 0, %[step], %[to], %[a]\n\t" /* p.sw! */
                       ".option pop"
        : [word] "=&r"(word), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [to] "+r"(to)
        : [n] "r"(words), [m] "r"(reciprocal - 1), [step] "r"(step), [top] "r"(0x0703u)
        : "memory");
}

static TS_XP_INLINE uint32_t ts_xp_word_scale(uint32_t word, uint32_t reciprocal) {
    return xp_pack_bytes((word & 0xff) * reciprocal >> 24, (word >> 8 & 0xff) * reciprocal >> 24,
                         (word >> 16 & 0xff) * reciprocal >> 24, (word >> 24) * reciprocal >> 24);
}

/* floor(255 * e / sum) for e <= sum and e <= 2^24 by r = floor((2^32 - 1) / sum). With 2^32 / sum -
 * 1 <= r, the estimate floor(255 * e * r / 2^32) is at most one too small. */
static inline uint32_t ts_xp_share_of(uint32_t e, uint32_t sum, uint32_t r) {
    const uint32_t numerator = 255u * e;
    const uint32_t quotient = (uint32_t)((uint64_t)numerator * r >> 32);
    return quotient + (numerator - quotient * sum >= sum);
}

/* One row with any table: exact, one element at a time, still one division. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_row_wide(const ts_xp_rows *rows, const int8_t *input, uint8_t *output,
               const uint32_t *entries, int32_t max) {
    const uint32_t in = (uint32_t)rows->input_step, out = (uint32_t)rows->output_step;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < rows->n; i++)
        sum += entries[max - input[(i >> 2) * in + (i & 3)]];
    const uint32_t r = 0xffffffffu / sum;
    for (uint32_t i = 0; i < rows->n; i++) {
        const uint32_t e = entries[max - input[(i >> 2) * in + (i & 3)]];
        output[(i >> 2) * out + (i & 3)] = (uint8_t)ts_xp_share_of(e, sum, r);
    }
    if (rows->padded)
        for (uint32_t i = rows->n; i & 3; i++)
            output[(i >> 2) * out + (i & 3)] = 0;
}

/* Exponentials of at most 255 whose sum is too large for the reciprocal; returns the tail's. */
static TS_XP_NOINLINE __attribute__((unused)) uint32_t ts_xp_row_scale_wide(const ts_xp_rows *rows,
                                                                            uint8_t *output,
                                                                            uint32_t tail,
                                                                            uint32_t sum) {
    const uint32_t r = 0xffffffffu / sum;
    for (uint32_t i = 0; i < (rows->n & ~3u); i++) {
        uint8_t *y = &output[(i >> 2) * (uint32_t)rows->output_step + (i & 3)];
        *y = (uint8_t)ts_xp_share_of(*y, sum, r);
    }
    return xp_pack_bytes(ts_xp_share_of(tail & 0xff, sum, r),
                         ts_xp_share_of(tail >> 8 & 0xff, sum, r),
                         ts_xp_share_of(tail >> 16 & 0xff, sum, r), 0);
}

static TS_XP_INLINE void ts_xp_softmax_row(const ts_xp_rows *rows, const int8_t *input,
                                           uint8_t *output, const ts_softmax_table *table) {
    const uint32_t words = rows->n / 4, mask = (1u << (8 * (rows->n & 3))) - 1;
    const uint32_t *entries = table->entries;
    uint8_t *output_tail = output + words * (uint32_t)rows->output_step;
    uint32_t tail = 0, max = ts_xp_words_max(input, rows->input_step, words);
    if (mask) {
        tail = ts_xp_row_tail(rows, input + words * (uint32_t)rows->input_step);
        max = pv_max_b(max, (tail & mask) | (0x80808080u & ~mask));
    }
    const int32_t largest = ts_xp_largest(max);
    if (table->max > 255) {
        ts_xp_row_wide(rows, input, output, entries, largest);
        return;
    }
    const uint32_t maxima = ((uint32_t)largest & 0xffu) * 0x01010101u;
    uint32_t sum = 0;
    if (words)
        sum = ts_xp_words_exponentials(rows, input, output, words, maxima, entries);
    if (mask) {
        tail = ts_xp_word_exponentials(tail, maxima, entries) & mask;
        sum = pv_sdotup_sci_b(sum, tail, 1);
    }
    if (ts_softmax_reciprocal_is_exact(table, sum)) {
        const uint32_t reciprocal = ts_softmax_reciprocal(sum);
        if (words)
            ts_xp_words_scale(output, rows->output_step, words, reciprocal);
        tail = ts_xp_word_scale(tail, reciprocal);
    } else {
        tail = ts_xp_row_scale_wide(rows, output, tail, sum);
    }
    if (mask)
        ts_xp_store_row_tail(rows, output_tail, tail);
}

static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_softmax_rows(const ts_xp_rows *rows, const ts_softmax_table *table) {
    const int8_t *input = rows->input;
    uint8_t *output = rows->output;
    for (uint32_t i = 0; i < rows->rows; i++) {
        ts_xp_softmax_row(rows, input, output, table);
        input += rows->input_row;
        output += rows->output_row;
    }
}

/* kernels/generators/xpulp_softmax.py. Rows of n elements, align4(n) bytes apart, from words to
 * words; it reads no byte beyond the last input row and writes to the input's padding; the
 * output's padding becomes 0. Input and output may be the same. `pairs`: layout softmax_pairs;
 * `buffer` of 2 * align4(n) bytes; rows at least 1. */
void ts_xp_softmax_pairs(const int8_t *input, uint8_t *output, uint32_t n, uint32_t rows,
                         const uint32_t *pairs, uint32_t *buffer);

/* kernels/generators/xpulp_softmax_exact.py. The same with output rows of n bytes that follow each
 * other, and up to 3 bytes written beyond the last one; in place only a single row. */
void ts_xp_softmax_exact(const int8_t *input, uint8_t *output, uint32_t n, uint32_t rows,
                         const uint32_t *pairs, uint32_t *buffer);

/* kernels/generators/xpulp_softmax_rows.py. The same for input rows of n >= 4 bytes that follow
 * each other too; input and output do not overlap. */
void ts_xp_softmax_bytes(const int8_t *input, uint8_t *output, uint32_t n, uint32_t rows,
                         const uint32_t *pairs, uint32_t *buffer);

/* Sums of rows up to this length fit what ts_xp_softmax_pairs takes. */
#define TS_XP_PAIRS_LONGEST 1000u

/* Where ts_xp_softmax_pairs does not do. */
static __attribute__((noinline, unused)) void
ts_xp_softmax_general(int8_t *map, uint32_t n, uint32_t rows, const ts_softmax_table *table) {
    const uint32_t pitch = (n + 3) & ~3u;
    const ts_xp_rows wide = {
        .input = map,
        .output = (uint8_t *)map,
        .input_step = 4,
        .output_step = 4,
        .input_row = pitch,
        .output_row = pitch,
        .rows = rows,
        .n = n,
        .padded = 1,
    };
    ts_xp_softmax_rows(&wide, table);
}

/* Rows of n elements, align4(n) bytes apart, in place; the padding becomes 0. `table` in layout
 * softmax_pairs; `buffer` of 2 * align4(n) bytes. */
static inline void ts_xp_softmax_map(int8_t *map, uint32_t n, uint32_t rows,
                                     const ts_softmax_table *table, uint32_t *buffer) {
    const uint32_t *pairs = table->entries + 256;
    if (pairs[0] && n <= TS_XP_PAIRS_LONGEST)
        ts_xp_softmax_pairs(map, (uint8_t *)map, n, rows, pairs, buffer);
    else
        ts_xp_softmax_general(map, n, rows, table);
}

#endif
