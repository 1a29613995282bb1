/* SPDX-License-Identifier: Apache-2.0 */
/* Register blocks of integer dot products for XpulpV2, and their requantisation.
 *
 * The left operand is a row panel: for each step of four depth bytes the words of four rows, one
 * after the other, [step][row][byte]; so one pointer with immediate increments reads it. The right
 * operand has plain rows (one per channel) `pitch` bytes apart. Accumulators are c[row*4 +
 * channel].
 *
 * Costs per step of 4 x 4 x 4 products: 8 loads and 16 dot products, no loop overhead. */
#ifndef TS_XPULP_BLOCK_H
#define TS_XPULP_BLOCK_H

#include "ts_kernel.h"
#include "xpulpv2.h"

#define TS_XP_NOINLINE __attribute__((noinline))
#define TS_XP_INLINE inline __attribute__((always_inline))

/* Assembly of one load or dot product; operands by their asm names. */
#define TS_XP_LEFT(d, step) ".insn i 0x0b, 2, %[" d "], " step "(%[left])\n\t"
#define TS_XP_RIGHT(d, step) ".insn r 0x0b, 7, 0x10, %[" d "], %[right], %[" step "]\n\t"
#define TS_XP_DOT(f7, c, l, r) ".insn r 0x57, 1, " f7 ", %[" c "], %[" l "], %[" r "]\n\t"
#define TS_XP_DOT_ROW(f7, row, l)                                                                  \
    TS_XP_DOT(f7, "c" row "0", l, "r0")                                                            \
    TS_XP_DOT(f7, "c" row "1", l, "r1")                                                            \
    TS_XP_DOT(f7, "c" row "2", l, "r2")                                                            \
    TS_XP_DOT(f7, "c" row "3", l, "r3")
#define TS_XP_RIGHT_4                                                                              \
    TS_XP_RIGHT("r0", "next")                                                                      \
    TS_XP_RIGHT("r1", "next")                                                                      \
    TS_XP_RIGHT("r2", "next")                                                                      \
    TS_XP_RIGHT("r3", "back")
/* 24 instructions; l0 and `other` alternate, each loaded one row ahead of its use. */
#define TS_XP_STEP_4X4(f7, other)                                                                  \
    TS_XP_RIGHT_4                                                                                  \
    TS_XP_LEFT("l0", "4")                                                                          \
    TS_XP_LEFT(other, "4")                                                                         \
    TS_XP_DOT_ROW(f7, "0", "l0")                                                                   \
    TS_XP_LEFT("l0", "4")                                                                          \
    TS_XP_DOT_ROW(f7, "1", other)                                                                  \
    TS_XP_LEFT(other, "4")                                                                         \
    TS_XP_DOT_ROW(f7, "2", "l0")                                                                   \
    TS_XP_DOT_ROW(f7, "3", other)

#define TS_XP_NORVC ".option push\n\t.option norvc\n\t"
#define TS_XP_LOOP(count, instructions) ".insn i 0x7b, 4, x0, %[" count "], 2*" instructions "\n\t"

/* Four rows by four channels over 1 + `more` steps; `next` = pitch of the right rows, `back` = 4 -
 * 3 * pitch. The first step multiplies without accumulating, which
 * saves clearing 16 registers, and keeps its second left word in c33, free until the end of the
 * step; the loop keeps it in the register of its own count. Both pointers advance to the tail. */
#define TS_XP_BLOCK_4X4(name, dot, sdot)                                                           \
    static TS_XP_INLINE void name(int32_t *c, const uint32_t **left, const int8_t **right,         \
                                  int32_t next, int32_t back, uint32_t more) {                     \
        uint32_t n = more, l0, r0, r1, r2, r3;                                                     \
        __asm__ volatile(                                                                          \
            TS_XP_NORVC TS_XP_STEP_4X4(dot, "c33") "beqz %[n], 1f\n\t" TS_XP_LOOP("n", "24")       \
                TS_XP_STEP_4X4(sdot, "n") "1:\n\t.option pop"                                      \
            : [c00] "=&r"(c[0]), [c01] "=&r"(c[1]), [c02] "=&r"(c[2]), [c03] "=&r"(c[3]),          \
              [c10] "=&r"(c[4]), [c11] "=&r"(c[5]), [c12] "=&r"(c[6]), [c13] "=&r"(c[7]),          \
              [c20] "=&r"(c[8]), [c21] "=&r"(c[9]), [c22] "=&r"(c[10]), [c23] "=&r"(c[11]),        \
              [c30] "=&r"(c[12]), [c31] "=&r"(c[13]), [c32] "=&r"(c[14]), [c33] "=&r"(c[15]),      \
              [l0] "=&r"(l0), [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2), [r3] "=&r"(r3),      \
              [n] "+r"(n), [left] "+r"(*left), [right] "+r"(*right)                                \
            : [next] "r"(next), [back] "r"(back)                                                   \
            : "memory");                                                                           \
    }
TS_XP_BLOCK_4X4(ts_xp_block_4x4_s8, "0x4c", "0x5c")
TS_XP_BLOCK_4X4(ts_xp_block_4x4_u8, "0x44", "0x54")

/* Row 0 of a panel by four channels, adding to c[0..3]. */
#define TS_XP_BLOCK_1X4(name, sdot)                                                                \
    static TS_XP_INLINE void name(int32_t *c, const uint32_t **left, const int8_t **right,         \
                                  uint32_t pitch, uint32_t steps) {                                \
        const int32_t next = (int32_t)pitch, back = 4 - 3 * (int32_t)pitch;                        \
        uint32_t l0, r0, r1, r2, r3;                                                               \
        __asm__ volatile(TS_XP_NORVC TS_XP_LOOP("n", "9") TS_XP_LEFT("l0", "16")                   \
                             TS_XP_RIGHT_4 TS_XP_DOT_ROW(sdot, "0", "l0") ".option pop"            \
                         : [c00] "+r"(c[0]), [c01] "+r"(c[1]), [c02] "+r"(c[2]), [c03] "+r"(c[3]), \
                           [l0] "=&r"(l0), [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2),         \
                           [r3] "=&r"(r3), [left] "+r"(*left), [right] "+r"(*right)                \
                         : [n] "r"(steps), [next] "r"(next), [back] "r"(back)                      \
                         : "memory");                                                              \
    }
TS_XP_BLOCK_1X4(ts_xp_block_1x4_s8, "0x5c")
TS_XP_BLOCK_1X4(ts_xp_block_1x4_u8, "0x54")

/* Four rows by one channel, adding to c[0], c[4], c[8], c[12]. */
#define TS_XP_BLOCK_4X1(name, sdot)                                                                \
    static TS_XP_INLINE void name(int32_t *c, const uint32_t **left, const int8_t **right,         \
                                  uint32_t steps) {                                                \
        uint32_t l0, l1, l2, l3, r0;                                                               \
        __asm__ volatile(                                                                          \
            TS_XP_NORVC TS_XP_LOOP("n", "9") ".insn i 0x0b, 2, %[r0], 4(%[right])\n\t" TS_XP_LEFT( \
                "l0", "4") TS_XP_LEFT("l1", "4") TS_XP_LEFT("l2", "4") TS_XP_LEFT("l3", "4")       \
                TS_XP_DOT(sdot, "c00", "l0", "r0") TS_XP_DOT(sdot, "c10", "l1", "r0")              \
                    TS_XP_DOT(sdot, "c20", "l2", "r0")                                             \
                        TS_XP_DOT(sdot, "c30", "l3", "r0") ".option pop"                           \
            : [c00] "+r"(c[0]), [c10] "+r"(c[4]), [c20] "+r"(c[8]), [c30] "+r"(c[12]),             \
              [l0] "=&r"(l0), [l1] "=&r"(l1), [l2] "=&r"(l2), [l3] "=&r"(l3), [r0] "=&r"(r0),      \
              [left] "+r"(*left), [right] "+r"(*right)                                             \
            : [n] "r"(steps)                                                                       \
            : "memory");                                                                           \
    }
TS_XP_BLOCK_4X1(ts_xp_block_4x1_s8, "0x5c")
TS_XP_BLOCK_4X1(ts_xp_block_4x1_u8, "0x54")

/* Last 1..3 bytes of a row, zero-padded to a word; reads no byte beyond them. */
static TS_XP_INLINE uint32_t ts_xp_tail_word(const void *bytes, uint32_t count) {
    const uint8_t *p = bytes;
    uint32_t word = p[0];
    if (count > 1)
        word |= (uint32_t)p[1] << 8;
    if (count > 2)
        word |= (uint32_t)p[2] << 16;
    return word;
}

#endif
