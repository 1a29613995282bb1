// SPDX-License-Identifier: Apache-2.0
/* Tile functions of ts_matmul.h for Armv7E-M: blocks of 2 rows by 2 columns, four values of the
 * reduction a step. Each loaded word serves two dot products, so a step is 4 loads, 8 extensions
 * and 8 dual multiplies for 16 MACs. */
#ifndef TS_MATMUL_ARMV7EM_H
#define TS_MATMUL_ARMV7EM_H

#include <stdbool.h>

#include "ts_armv7em.h"
#include "ts_matmul.h"

/* Sums of the block, named by row and column. */
typedef struct {
    int32_t s00, s01, s10, s11;
} ts_block;

/* Where the block's operands lie; the second row of each is `step` bytes after the first. */
typedef struct {
    const int8_t *left, *right;
    uint32_t left_step, right_step;
} ts_block_rows;

/* `times` steps of four values, `extend` being sxtb16 or uxtb16 for the left operand. Written in
 * assembly because the 13 registers that it keeps busy leave a compiler nothing to spare: in C the
 * sums go through the stack at every step. The two steps have to be equal to save a register, and
 * the left operand's second row is done first so that post-increment can serve both rows. */
#define TS_BLOCK_STEPS(times, extend)                                                              \
    __asm__ volatile(                                                                              \
        ".rept " #times "\n"                                                                       \
        "ldr %[r1], [%[right], %[step]]\n"                                                         \
        "ldr %[r0], [%[right]], #4\n"                                                              \
        "ldr %[odd], [%[left], %[step]]\n"                                                         \
        "sxtb16 %[r1e], %[r1]\n"                                                                   \
        "sxtb16 %[r0e], %[r0]\n"                                                                   \
        "sxtb16 %[r1], %[r1], ror #8\n"                                                            \
        "sxtb16 %[r0], %[r0], ror #8\n" extend " %[even], %[odd]\n" extend                         \
        " %[odd], %[odd], ror #8\n"                                                                \
        "smlad %[s10], %[even], %[r0e], %[s10]\n"                                                  \
        "smlad %[s11], %[even], %[r1e], %[s11]\n"                                                  \
        "smlad %[s10], %[odd], %[r0], %[s10]\n"                                                    \
        "smlad %[s11], %[odd], %[r1], %[s11]\n"                                                    \
        "ldr %[odd], [%[left]], #4\n" extend " %[even], %[odd]\n" extend                           \
        " %[odd], %[odd], ror #8\n"                                                                \
        "smlad %[s00], %[even], %[r0e], %[s00]\n"                                                  \
        "smlad %[s01], %[even], %[r1e], %[s01]\n"                                                  \
        "smlad %[s00], %[odd], %[r0], %[s00]\n"                                                    \
        "smlad %[s01], %[odd], %[r1], %[s01]\n"                                                    \
        ".endr"                                                                                    \
        : [s00] "+r"(sum.s00), [s01] "+r"(sum.s01), [s10] "+r"(sum.s10), [s11] "+r"(sum.s11),      \
          [left] "+r"(at.left), [right] "+r"(at.right), [even] "=&r"(even), [odd] "=&r"(odd),      \
          [r0] "=&r"(r0), [r1] "=&r"(r1), [r0e] "=&r"(r0e), [r1e] "=&r"(r1e)                       \
        : [step] "r"(at.left_step)                                                                 \
        : "memory")

#define TS_BLOCK_LOOP(extend)                                                                      \
    do {                                                                                           \
        uint32_t even, odd, r0, r1, r0e, r1e;                                                      \
        for (uint32_t n = depth >> 4; n != 0; n--)                                                 \
            TS_BLOCK_STEPS(4, extend);                                                             \
        for (uint32_t n = depth >> 2 & 3u; n != 0; n--)                                            \
            TS_BLOCK_STEPS(1, extend);                                                             \
    } while (0)

/* The last depth % 4 values. */
static inline __attribute__((always_inline)) ts_block ts_block_tail(ts_block_rows at,
                                                                    uint32_t depth,
                                                                    bool left_unsigned,
                                                                    ts_block sum) {
    const int8_t *l0 = at.left, *l1 = at.left + at.left_step;
    const int8_t *r0 = at.right, *r1 = at.right + at.right_step;
    if (depth & 2u) {
        const int32_t a0 = (int32_t)(left_unsigned ? ts_pair_u8(l0) : ts_pair_s8(l0));
        const int32_t a1 = (int32_t)(left_unsigned ? ts_pair_u8(l1) : ts_pair_s8(l1));
        const int32_t b0 = (int32_t)ts_pair_s8(r0), b1 = (int32_t)ts_pair_s8(r1);
        sum.s00 = __smlad(a0, b0, sum.s00);
        sum.s01 = __smlad(a0, b1, sum.s01);
        sum.s10 = __smlad(a1, b0, sum.s10);
        sum.s11 = __smlad(a1, b1, sum.s11);
        l0 += 2, l1 += 2, r0 += 2, r1 += 2;
    }
    if (depth & 1u) {
        const int32_t a0 = left_unsigned ? (uint8_t)*l0 : *l0;
        const int32_t a1 = left_unsigned ? (uint8_t)*l1 : *l1;
        sum.s00 += a0 * *r0;
        sum.s01 += a0 * *r1;
        sum.s10 += a1 * *r0;
        sum.s11 += a1 * *r1;
    }
    return sum;
}

/* The products of two rows of each operand over `depth`, added to `sum`. `left_unsigned` is a
 * constant at every call, so it costs nothing. */
static inline __attribute__((always_inline)) ts_block ts_block_multiply(ts_block_rows at,
                                                                        uint32_t depth,
                                                                        bool left_unsigned,
                                                                        ts_block sum) {
    if (at.left_step == at.right_step) {
        if (left_unsigned)
            TS_BLOCK_LOOP("uxtb16");
        else
            TS_BLOCK_LOOP("sxtb16");
    } else {
        /* A single row or column, used twice: rare, so pairs have to do. */
        for (uint32_t n = depth >> 2; n != 0; n--) {
            for (uint32_t pair = 0; pair < 2; pair++) {
                sum = ts_block_tail(at, 2, left_unsigned, sum);
                at.left += 2;
                at.right += 2;
            }
        }
    }
    return ts_block_tail(at, depth, left_unsigned, sum);
}

/* What a strip of two columns has in common. */
typedef struct {
    ts_requant_channel requant0, requant1;
    uint32_t half_up;
    int32_t bias0, bias1;
    uint32_t column_step; /* elements from the first column to the second in the output */
    uint32_t row_step;    /* elements from one row to the next in the output; 0: one row twice */
} ts_strip;

/* Stores a block. The three cases apart, so that the usual ones take 3 instructions a value. */
static inline __attribute__((always_inline)) void ts_block_store(const ts_strip *strip,
                                                                 ts_block sum, int8_t *output) {
    int8_t *second = output + strip->row_step;
    const int32_t mul0 = strip->requant0.mul, mul1 = strip->requant1.mul;
    if (strip->requant0.wide_shift | strip->requant1.wide_shift) {
        output[0] = ts_requant_apply(strip->requant0, strip->half_up, sum.s00);
        output[strip->column_step] = ts_requant_apply(strip->requant1, strip->half_up, sum.s01);
        second[0] = ts_requant_apply(strip->requant0, strip->half_up, sum.s10);
        second[strip->column_step] = ts_requant_apply(strip->requant1, strip->half_up, sum.s11);
    } else if (strip->half_up) {
        output[0] = (int8_t)__ssat(ts_multiply_high_rounded(sum.s00, mul0), 8);
        output[strip->column_step] = (int8_t)__ssat(ts_multiply_high_rounded(sum.s01, mul1), 8);
        second[0] = (int8_t)__ssat(ts_multiply_high_rounded(sum.s10, mul0), 8);
        second[strip->column_step] = (int8_t)__ssat(ts_multiply_high_rounded(sum.s11, mul1), 8);
    } else {
        output[0] = (int8_t)__ssat(ts_multiply_high(sum.s00, mul0), 8);
        output[strip->column_step] = (int8_t)__ssat(ts_multiply_high(sum.s01, mul1), 8);
        second[0] = (int8_t)__ssat(ts_multiply_high(sum.s10, mul0), 8);
        second[strip->column_step] = (int8_t)__ssat(ts_multiply_high(sum.s11, mul1), 8);
    }
}

/* `rows` rows by the strip's two columns. With an odd number of rows the last block overlaps the
 * one before and stores the same values once more. */
static inline __attribute__((always_inline)) void ts_strip_2(const ts_strip *strip,
                                                             ts_block_rows at, uint32_t depth,
                                                             uint32_t rows, bool left_unsigned,
                                                             int8_t *output) {
    for (;;) {
        ts_block sum = {strip->bias0, strip->bias1, strip->bias0, strip->bias1};
        sum = ts_block_multiply(at, depth, left_unsigned, sum);
        ts_block_store(strip, sum, output);
        if (rows <= 2)
            return;
        rows -= 2;
        const uint32_t advance = rows == 1 ? 1 : 2;
        at.left += advance * depth;
        output += advance * strip->row_step;
    }
}

/* Columns outside, so that what belongs to a channel is prepared once for all rows. Odd numbers
 * of columns overlap as rows do; a single row or column is computed twice. */
static inline __attribute__((always_inline)) void ts_tile_2x2(const ts_matmul *m, uint32_t head,
                                                              ts_range rows, ts_range columns,
                                                              bool left_unsigned) {
    const uint32_t depth = m->depth, count = rows.end - rows.begin;
    const uint32_t next_row = count > 1, next_column = columns.end - columns.begin > 1;
    const int8_t *left = (const int8_t *)m->left + head * m->left_head + rows.begin * depth;
    int8_t *output = m->output + head * m->output_head + rows.begin * m->output_row;
    for (uint32_t c = columns.begin; c < columns.end; c += 2) {
        const uint32_t column = ts_min(c, columns.end - 1 - next_column);
        const uint32_t channel = head * m->columns + column;
        const ts_strip strip = {
            .requant0 = ts_requant_prepare(&m->requant, channel),
            .requant1 = ts_requant_prepare(&m->requant, channel + next_column),
            .half_up = m->requant.round_half_up,
            .bias0 = m->bias ? m->bias[channel] : 0,
            .bias1 = m->bias ? m->bias[channel + next_column] : 0,
            .column_step = next_column * m->output_column,
            .row_step = next_row * m->output_row,
        };
        const int8_t *right = m->right + head * m->right_head + column * depth;
        const ts_block_rows at = {left, right, next_row * depth, next_column * depth};
        ts_strip_2(&strip, at, depth, count, left_unsigned, output + column * m->output_column);
    }
}

/* int8 x int8. Not inlined: called in two places, and large. */
static inline __attribute__((noinline)) void ts_tile_armv7em(const ts_matmul *m, uint32_t head,
                                                             ts_range rows, ts_range columns) {
    ts_tile_2x2(m, head, rows, columns, false);
}

/* uint8 x int8 */
static inline __attribute__((noinline)) void ts_tile_u8_armv7em(const ts_matmul *m, uint32_t head,
                                                                ts_range rows, ts_range columns) {
    ts_tile_2x2(m, head, rows, columns, true);
}

#endif
