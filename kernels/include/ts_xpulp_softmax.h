/* SPDX-License-Identifier: Apache-2.0 */
/* Integer softmax of one row for XpulpV2; definition and ranges in softmax/softmax.h.
 *
 * A row is read and written in words of four elements, `step` bytes apart: 4 for a plain row, 16
 * for a row of a panel. Per four elements: 2 to 3 cycles for the maximum, 14 to look exponentials
 * up and add them, 14 to scale them. One division per row. */
#ifndef TS_XPULP_SOFTMAX_H
#define TS_XPULP_SOFTMAX_H

#include "ts_softmax.h"
#include "ts_xpulp_block.h"

typedef struct {
    const int8_t *input;
    uint8_t *output; /* may be the same memory with the same step */
    int32_t input_step, output_step;
    uint32_t n;          /* elements, >= 1 */
    uint8_t zero_padded; /* the output's last word is filled with 0 beyond the row */
} ts_xp_row;

static inline const int8_t *ts_xp_row_input_tail(const ts_xp_row *row) {
    return row->input + (row->n / 4) * (uint32_t)row->input_step;
}

static inline uint8_t *ts_xp_row_output_tail(const ts_xp_row *row) {
    return row->output + (row->n / 4) * (uint32_t)row->output_step;
}

/* Largest element. Two words a turn, so that no load is used by the next instruction. */
static inline int32_t ts_xp_row_max(const ts_xp_row *row) {
    const void *from = row->input;
    const uint32_t words = row->n / 4;
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
                         : [n] "r"(words / 2), [step] "r"(row->input_step)
                         : "memory");
    }
    if (words & 1)
        max = pv_max_b(max, p_lw_post(&from, row->input_step));
    max = pv_max_b(max, max >> 16);
    int32_t largest = p_extbs((int32_t)pv_max_b(max, max >> 8));
    const int8_t *tail = from;
    for (uint32_t i = row->n & 3; i; i--)
        largest = p_max(largest, *tail++);
    return largest;
}

/* Writes the exponentials, all of them at most 255, to the output and returns their sum. The index
 * of a lane is 4 * (max - x) by one dot product; a word's exponentials are added while the next
 * word is being loaded. */
static inline uint32_t ts_xp_row_exponentials(const ts_xp_row *row, const uint32_t *entries,
                                              int32_t max) {
    const uint32_t words = row->n / 4;
    uint32_t sum = 0;
    if (words) {
        const void *from = row->input;
        void *to = row->output;
        const uint32_t maxima = ((uint32_t)max & 0xffu) * 0x01010101u;
        uint32_t word, a, b, c, e = 0;
        __asm__ volatile(
            TS_XP_NORVC TS_XP_LOOP(
                "n", "14") ".insn r 0x0b, 7, 0x10, %[word], %[from], %[in]\n\t" /* p.lw! */
                           ".insn r 0x57, 7, 0x51, %[sum], %[e], x0\n\t" /* sum += e . 1111 */
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
            : [n] "r"(words), [in] "r"(row->input_step), [out] "r"(row->output_step),
              [maxima] "r"(maxima), [table] "r"(entries), [k0] "r"(4u), [k1] "r"(4u << 8),
              [k2] "r"(4u << 16), [k3] "r"(4u << 24)
            : "memory");
        sum = pv_sdotup_sci_b(sum, e, 1);
    }
    const int8_t *x = ts_xp_row_input_tail(row);
    uint8_t *y = ts_xp_row_output_tail(row);
    const uint32_t tail = row->n & 3;
    for (uint32_t i = 0; i < tail; i++) {
        const uint32_t e = entries[max - x[i]];
        sum += e;
        y[i] = (uint8_t)e;
    }
    if (row->zero_padded && tail)
        for (uint32_t i = tail; i < 4; i++)
            y[i] = 0;
    return sum;
}

/* Replaces the exponentials in the output by their shares: the top bytes of their products with the
 * reciprocal of ts_softmax.h. */
static inline void ts_xp_row_scale(const ts_xp_row *row, uint32_t reciprocal) {
    const uint32_t words = row->n / 4, less_one = reciprocal - 1;
    if (words) {
        void *to = row->output;
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
            : [n] "r"(words), [m] "r"(less_one), [step] "r"(row->output_step), [top] "r"(0x0703u)
            : "memory");
    }
    uint8_t *y = ts_xp_row_output_tail(row);
    for (uint32_t i = 0; i < (row->n & 3); i++)
        y[i] = (uint8_t)(y[i] * reciprocal >> 24);
}

/* floor(255 * e / sum) for e <= sum and e <= 2^24 by r = floor((2^32 - 1) / sum): the estimate
 * floor(255 * e * r / 2^32) is at most one too small, since r > 2^32 / sum - 1 - 1 / sum. */
static inline uint8_t ts_xp_share_of(uint32_t e, uint32_t sum, uint32_t r) {
    const uint32_t numerator = 255u * e;
    uint32_t quotient = (uint32_t)((uint64_t)numerator * r >> 32);
    const uint32_t rest = numerator - quotient * sum;
    quotient += rest >= sum;
    return (uint8_t)quotient;
}

/* Any table: exact, one element at a time, still one division. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_row_wide(const ts_xp_row *row, const uint32_t *entries, int32_t max) {
    const uint32_t words = row->n / 4;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < row->n; i++)
        sum += entries[max - row->input[(i >> 2) * (uint32_t)row->input_step + (i & 3)]];
    const uint32_t r = 0xffffffffu / sum;
    for (uint32_t i = 0; i < row->n; i++) {
        const uint32_t e =
            entries[max - row->input[(i >> 2) * (uint32_t)row->input_step + (i & 3)]];
        row->output[(i >> 2) * (uint32_t)row->output_step + (i & 3)] = ts_xp_share_of(e, sum, r);
    }
    if (row->zero_padded)
        for (uint32_t i = row->n; i & 3; i++)
            row->output[words * (uint32_t)row->output_step + (i & 3)] = 0;
}

/* Exponentials of at most 255 whose sum is too large for the reciprocal. */
static TS_XP_NOINLINE __attribute__((unused)) void ts_xp_row_scale_wide(const ts_xp_row *row,
                                                                        uint32_t sum) {
    const uint32_t r = 0xffffffffu / sum;
    for (uint32_t i = 0; i < row->n; i++) {
        uint8_t *y = &row->output[(i >> 2) * (uint32_t)row->output_step + (i & 3)];
        *y = ts_xp_share_of(*y, sum, r);
    }
}

static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_softmax_row(const ts_xp_row *row, const ts_softmax_table *table) {
    const int32_t max = ts_xp_row_max(row);
    if (table->max > 255) {
        ts_xp_row_wide(row, table->entries, max);
        return;
    }
    const uint32_t sum = ts_xp_row_exponentials(row, table->entries, max);
    if (ts_softmax_reciprocal_is_exact(table, sum))
        ts_xp_row_scale(row, ts_softmax_reciprocal(sum));
    else
        ts_xp_row_scale_wide(row, sum);
}

#endif
