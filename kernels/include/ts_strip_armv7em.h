// SPDX-License-Identifier: Apache-2.0
/* The inner loops of the Armv7E-M matrix product: a strip of two columns, in blocks of two rows.
 *
 * A block takes four values of the reduction a step; each loaded word serves two dot products, so
 * a step is 4 loads, 8 extensions and 8 dual multiplies for 16 MACs. It is written in assembly
 * because that keeps all 14 registers busy: in C the sums go through the stack at every step. No
 * load reaches beyond an operand, and none needs alignment. */
#ifndef TS_STRIP_ARMV7EM_H
#define TS_STRIP_ARMV7EM_H

#include <stddef.h>
#include <stdint.h>

/* Two columns and at least two rows. The assembly knows the offsets. */
typedef struct {
    int32_t bias[2];
    int32_t mul[2]; /* each column's mul << (32 - shift) */
    int8_t *output; /* of the first row and column */
    uint32_t output_row, output_column;
    uint32_t half_up;
    const int8_t *left;  /* first row; the next is `depth` bytes on */
    const int8_t *right; /* first column's; the second's is `depth` bytes on */
    uint32_t depth;
    uint32_t words; /* depth / 4 */
    uint32_t rows;
} ts_strip;

_Static_assert(offsetof(ts_strip, mul) == 8 && offsetof(ts_strip, output) == 16 &&
                   offsetof(ts_strip, output_column) == 24 && offsetof(ts_strip, half_up) == 28 &&
                   offsetof(ts_strip, left) == 32 && offsetof(ts_strip, right) == 36 &&
                   offsetof(ts_strip, depth) == 40 && offsetof(ts_strip, words) == 44 &&
                   offsetof(ts_strip, rows) == 48,
               "the assembly below uses these offsets");

// clang-format off

/* One step of four values; `count` is an instruction of the loop that fits a load's delay. */
#define TS_STRIP_STEP(extend, count) \
    "    ldr r9, [r1, r2]\n"         \
    "    ldr r8, [r1], #4\n"         \
    "    ldr r12, [r0, r2]\n"        \
    "    " count "\n"                \
    "    sxtb16 r11, r9\n"           \
    "    sxtb16 r10, r8\n"           \
    "    sxtb16 r9, r9, ror #8\n"    \
    "    sxtb16 r8, r8, ror #8\n"    \
    "    " extend " lr, r12\n"       \
    "    " extend " r12, r12, ror #8\n" \
    "    smlad r6, lr, r10, r6\n"    \
    "    smlad r7, lr, r11, r7\n"    \
    "    smlad r6, r12, r8, r6\n"    \
    "    smlad r7, r12, r9, r7\n"    \
    "    ldr r12, [r0], #4\n"        \
    "    " extend " lr, r12\n"       \
    "    " extend " r12, r12, ror #8\n" \
    "    smlad r4, lr, r10, r4\n"    \
    "    smlad r5, lr, r11, r5\n"    \
    "    smlad r4, r12, r8, r4\n"    \
    "    smlad r5, r12, r9, r5\n"

/* Two values: neighbouring bytes x, y become x, y|x, y, and so a pair of 16 bits. */
#define TS_STRIP_PAIR(extend)        \
    "    ldrh r9, [r1, r2]\n"        \
    "    ldrh r8, [r1], #2\n"        \
    "    ldrh r11, [r0, r2]\n"       \
    "    ldrh r10, [r0], #2\n"       \
    "    orr r9, r9, r9, lsl #8\n"   \
    "    orr r8, r8, r8, lsl #8\n"   \
    "    orr r11, r11, r11, lsl #8\n" \
    "    orr r10, r10, r10, lsl #8\n" \
    "    sxtb16 r9, r9\n"            \
    "    sxtb16 r8, r8\n"            \
    "    " extend " r11, r11\n"      \
    "    " extend " r10, r10\n"      \
    "    smlad r4, r10, r8, r4\n"    \
    "    smlad r5, r10, r9, r5\n"    \
    "    smlad r6, r11, r8, r6\n"    \
    "    smlad r7, r11, r9, r7\n"

/* One value. */
#define TS_STRIP_SINGLE(load)        \
    "    ldrsb r9, [r1, r2]\n"       \
    "    ldrsb r8, [r1]\n"           \
    "    " load " r11, [r0, r2]\n"   \
    "    " load " r10, [r0]\n"       \
    "    smlabb r4, r10, r8, r4\n"   \
    "    smlabb r5, r10, r9, r5\n"   \
    "    smlabb r6, r11, r8, r6\n"   \
    "    smlabb r7, r11, r9, r7\n"

/* Computes and stores a strip; `strip` is used up. `extend` (sxtb16, uxtb16) and `load` (ldrsb,
 * ldrb) say how the left operand is read. r4-r7: the sums of row 0 columns 0 and 1 and of row 1;
 * r0 left, r1 right, r2 depth. The left operand's second row is done first, so that the
 * post-increment serves both rows. The function is local to the object file. */
#define TS_STRIP_FUNCTION(name, extend, load)                                       \
    void name(ts_strip *strip);                                                     \
    __asm__(                                                                        \
            "    .pushsection .text." #name ", \"ax\", %progbits\n"                 \
            "    .syntax unified\n"                                                 \
            "    .thumb\n"                                                          \
            "    .p2align 2\n"                                                      \
            "    .thumb_func\n"                                                     \
            "    .type " #name ", %function\n"                                      \
            #name ":\n"                                                             \
            "    push {r0, r4-r11, lr}\n"                                           \
            /* a block; steps come in twos, an odd one enters in the middle */      \
            "1:  ldrd r4, r5, [r0]\n"                                               \
            "    ldrd r2, r3, [r0, #40]\n"                                          \
            "    ldrd r0, r1, [r0, #32]\n"                                          \
            "    mov r6, r4\n"                                                      \
            "    mov r7, r5\n"                                                      \
            "    lsrs r3, r3, #1\n"                                                 \
            "    it cs\n"                                                           \
            "    addcs r3, r3, #1\n"                                                \
            "    bcs 3f\n"                                                          \
            "    beq 4f\n"                                                          \
            "2:\n" TS_STRIP_STEP(extend, "")                                        \
            "3:\n" TS_STRIP_STEP(extend, "subs r3, r3, #1")                         \
            "    bne 2b\n"                                                          \
            /* depth % 4: shifted, bit 1 is the carry flag and bit 0 the sign */    \
            "4:  ldr r3, [sp]\n"                                                    \
            "    lsls r12, r2, #31\n"                                               \
            "    bcc 5f\n"                                                          \
            TS_STRIP_PAIR(extend)                                                   \
            "5:  bpl 6f\n"                                                          \
            TS_STRIP_SINGLE(load)                                                   \
            "6:  ldrd r8, r9, [r3, #8]\n"                                           \
            "    ldrd r10, r11, [r3, #16]\n"                                        \
            "    ldrd r12, r0, [r3, #24]\n"                                         \
            "    cbnz r0, 7f\n"                                                     \
            "    smmul r4, r4, r8\n"                                                \
            "    smmul r5, r5, r9\n"                                                \
            "    smmul r6, r6, r8\n"                                                \
            "    smmul r7, r7, r9\n"                                                \
            "    b 8f\n"                                                            \
            "7:  smmulr r4, r4, r8\n"                                               \
            "    smmulr r5, r5, r9\n"                                               \
            "    smmulr r6, r6, r8\n"                                               \
            "    smmulr r7, r7, r9\n"                                               \
            "8:  ldr r0, [r3, #48]\n"                                               \
            "    ldr r1, [r3, #32]\n"                                               \
            "    ssat r4, #8, r4\n"                                                 \
            "    ssat r5, #8, r5\n"                                                 \
            "    ssat r6, #8, r6\n"                                                 \
            "    ssat r7, #8, r7\n"                                                 \
            "    strb r4, [r10]\n"                                                  \
            "    strb r5, [r10, r12]\n"                                             \
            "    add r10, r10, r11\n"                                               \
            "    add r1, r1, r2\n"                                                  \
            "    strb r6, [r10]\n"                                                  \
            "    strb r7, [r10, r12]\n"                                             \
            /* one row on already; a second, unless just one is left: then the      \
             * last block overlaps this one and stores the shared row once more */  \
            "    subs r0, r0, #2\n"                                                 \
            "    ble 9f\n"                                                          \
            "    str r0, [r3, #48]\n"                                               \
            "    cmp r0, #1\n"                                                      \
            "    itt ne\n"                                                          \
            "    addne r1, r1, r2\n"                                                \
            "    addne r10, r10, r11\n"                                             \
            "    str r1, [r3, #32]\n"                                               \
            "    str r10, [r3, #16]\n"                                              \
            "    mov r0, r3\n"                                                      \
            "    b 1b\n"                                                            \
            "9:  pop {r0, r4-r11, pc}\n"                                            \
            "    .size " #name ", . - " #name "\n"                                  \
            "    .popsection\n")

TS_STRIP_FUNCTION(ts_strip_s8_armv7em, "sxtb16", "ldrsb");
TS_STRIP_FUNCTION(ts_strip_u8_armv7em, "uxtb16", "ldrb");

// clang-format on

#endif
