/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax of one row on the Cortex-M4, tables of bytes only; ts_m4_softmax.h declares both forms.
 *
 * Three passes: the largest score by SSUB8 or USUB8 and SEL, four at a time; the sum of the table's
 * entries; the entries times one reciprocal, of which the top byte stays. The table is reversed, so
 * a score is an offset from the place that the largest one gives. A score takes two neighbouring
 * byte loads in each of the last two passes, a cycle each within a block of eight. */
    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

    .macro FUNCTION name
    .section .text.\name, "ax"
    .p2align 2
    .globl \name
    .thumb_func
    .type \name, %function
\name:
    .endm

    /* Larger bytes of r6 and `word` to r6. */
    .macro LARGER word, compare
    \compare r12, \word, r6
    sel r6, \word, r6
    .endm

    .macro LARGEST_OF_FOUR compare, gap
    ldr r7, [r5], #4 * \gap
    ldr r8, [r5, #-3 * \gap]
    ldr r9, [r5, #-2 * \gap]
    ldr r10, [r5, #-1 * \gap]
    LARGER r7, \compare
    LARGER r8, \compare
    LARGER r9, \compare
    LARGER r10, \compare
    .endm

    /* Of the four bytes of r6 the largest, to r6; then the row's place in the table, to r2. */
    .macro PLACE compare, extend
    mov r7, r6, ror #16
    LARGER r7, \compare
    mov r7, r6, ror #8
    LARGER r7, \compare
    \extend r6, r6
    rsb r6, r6, #255
    .endm

    /* Entries of eight scores, to r5-r12; r0 goes on. */
    .macro LOOK_UP_8 load, gap
    \load r5, [r0], #2 * \gap
    \load r6, [r0, #1 - 2 * \gap]
    \load r7, [r0, #2 - 2 * \gap]
    \load r8, [r0, #3 - 2 * \gap]
    \load r9, [r0, #-\gap]
    \load r10, [r0, #1 - \gap]
    \load r11, [r0, #2 - \gap]
    \load r12, [r0, #3 - \gap]
    ldrb r5, [r2, r5]
    ldrb r6, [r2, r6]
    ldrb r7, [r2, r7]
    ldrb r8, [r2, r8]
    ldrb r9, [r2, r9]
    ldrb r10, [r2, r10]
    ldrb r11, [r2, r11]
    ldrb r12, [r2, r12]
    .endm

    .macro LOOK_UP_4 load, gap
    \load r5, [r0], #\gap
    \load r6, [r0, #1 - \gap]
    \load r7, [r0, #2 - \gap]
    \load r8, [r0, #3 - \gap]
    ldrb r5, [r2, r5]
    ldrb r6, [r2, r6]
    ldrb r7, [r2, r7]
    ldrb r8, [r2, r8]
    .endm

    .macro SUM_1
    add lr, r5
    .endm

    .macro SUM_2
    add lr, r5
    add lr, r6
    .endm

    .macro SUM_4
    SUM_2
    add lr, r7
    add lr, r8
    .endm

    .macro SUM_8
    add lr, r5
    add lr, r6
    add lr, r7
    add lr, r8
    add lr, r9
    add lr, r10
    add lr, r11
    add lr, r12
    .endm

    /* Two entries times lr; their top bytes as a pair of 16 bits in the first. */
    .macro SCALE_PAIR even, odd
    mul \even, \even, lr
    mul \odd, \odd, lr
    pkhtb \even, \odd, \even, asr #16
    uxtb16 \even, \even, ror #8
    .endm

    .macro PAIRS_8
    SCALE_PAIR r5, r6
    SCALE_PAIR r7, r8
    SCALE_PAIR r9, r10
    SCALE_PAIR r11, r12
    str r5, [r3], #32
    str r7, [r3, #-24]
    str r9, [r3, #-16]
    str r11, [r3, #-8]
    .endm

    .macro PAIRS_4
    SCALE_PAIR r5, r6
    SCALE_PAIR r7, r8
    str r5, [r3], #16
    str r7, [r3, #-8]
    .endm

    /* The last one's neighbour is 0. */
    .macro PAIRS_1
    mul r5, r5, lr
    lsr r5, #24
    str r5, [r3]
    .endm

    .macro PAIRS_2
    SCALE_PAIR r5, r6
    str r5, [r3], #8
    .endm

    .macro BYTES_4
    SCALE_PAIR r5, r7
    SCALE_PAIR r6, r8
    orr r5, r5, r6, lsl #8
    str r5, [r3], #4
    .endm

    .macro BYTES_8
    SCALE_PAIR r5, r7
    SCALE_PAIR r6, r8
    SCALE_PAIR r9, r11
    SCALE_PAIR r10, r12
    orr r5, r5, r6, lsl #8
    orr r9, r9, r10, lsl #8
    str r5, [r3], #8
    str r9, [r3, #-4]
    .endm

    .macro BYTES_1
    mul r5, r5, lr
    lsr r5, #24
    strb r5, [r3], #1
    .endm

    .macro BYTES_2
    mul r5, r5, lr
    mul r6, r6, lr
    lsr r5, #24
    lsr r6, #24
    strb r5, [r3], #2
    strb r6, [r3, #-1]
    .endm

    /* Entries of the n scores at r0: eights by twos, an odd one entering in the middle; then as the
     * bits of n say 4, 2 and 1. The names are macros for what becomes of them. */
    .macro PASS load, gap, eight, four, two, one
    lsr r4, r1, #3
    add r4, #1
    lsrs r4, r4, #1
    bcc 2f
    beq 3f
1:  LOOK_UP_8 \load, \gap
    \eight
2:  LOOK_UP_8 \load, \gap
    \eight
    subs r4, #1
    bne 1b
3:  lsls r4, r1, #30            /* carry: 4; minus: 2 */
    bcc 4f
    LOOK_UP_4 \load, \gap
    \four
4:  bpl 5f
    \load r5, [r0], #2
    \load r6, [r0, #-1]
    ldrb r5, [r2, r5]
    ldrb r6, [r2, r6]
    \two
5:  lsls r4, r1, #31
    beq 6f
    \load r5, [r0]
    ldrb r5, [r2, r5]
    \one
6:
    .endm

    /* r0 scores, r1 n, r2 the row's place in the table, r3 output */
    .macro SUM_AND_SCALE load, gap, out
    vmov s0, r0
    mov lr, #0
    PASS \load, \gap, SUM_8, SUM_4, SUM_2, SUM_1
    mov r4, #0xFF000000
    udiv lr, r4, lr
    add lr, #1
    vmov r0, s0
    PASS \load, \gap, \out\()_8, \out\()_4, \out\()_2, \out\()_1
    pop {r4-r11, pc}
    .endm

    /* uint8 scores in every second word, zeros up to 16 scores; to pairs in every second word. */
    FUNCTION ts_m4_softmax_pairs
    push {r4-r11, lr}
    mov r5, r0
    mov r6, #0
    add r4, r1, #15
    lsr r4, #4
    add r4, #1
    lsrs r4, r4, #1
    bcc 2f
1:  LARGEST_OF_FOUR usub8, 8
2:  LARGEST_OF_FOUR usub8, 8
    subs r4, #1
    bne 1b
    PLACE usub8, uxtb
    add r2, r6
    SUM_AND_SCALE ldrb, 8, PAIRS
    .size ts_m4_softmax_pairs, . - ts_m4_softmax_pairs

    /* int8 scores, uint8 output, both contiguous. Rows of 16 and more end with a block that may
     * overlap the one before: nothing is read beyond them. */
    FUNCTION ts_m4_softmax_bytes
    push {r4-r11, lr}
    mov r5, r0
    subs r4, r1, #16
    blo 4f
    ldr r6, [r5]
1:  LARGEST_OF_FOUR ssub8, 4
    subs r4, #16
    bhs 1b
    add r5, r4
    LARGEST_OF_FOUR ssub8, 4
    PLACE ssub8, sxtb
    b 5f
4:  mov r4, r1
    mov r6, #-128
3:  ldrsb r7, [r5], #1
    cmp r7, r6
    it gt
    movgt r6, r7
    subs r4, #1
    bne 3b
    rsb r6, r6, #255
5:  add r2, r6
    SUM_AND_SCALE ldrsb, 4, BYTES
    .size ts_m4_softmax_bytes, . - ts_m4_softmax_bytes
