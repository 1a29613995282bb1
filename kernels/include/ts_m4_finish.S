/* SPDX-License-Identifier: Apache-2.0 */
/* What the loops of linear_qk/cortexm4_short.S and cortexm4_long.S share: the frame on the stack and
 * what becomes of a tile's sums, ts_m4_finish of ts_m4_tiles.h. Eight sums are in r6-r12 and lr,
 * first the four of stationary vector 0; r1-r5 are free, r0 is the stream. */
    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

/* The frame; ts_m4_tiles.h has the same fields in this order. */
    .equ END, 0
    .equ OUT, 4
    .equ MUL, 8
    .equ IN, 12
    .equ STRIDE, 16
    .equ STATIONARY, 20         /* of long reductions */
    .equ ENTRY, 24
    .equ EXIT, 28
    .equ TOP, 32

    .macro FUNCTION name
    .section .text.\name, "ax"
    .p2align 2
    .globl \name
    .thumb_func
    .type \name, %function
\name:
    .endm

    /* Requantisation, one SMMUL by mul << (32 - shift), with `round` r to round half up, `mla` to
     * add 128; `each` 1: a factor for each streamed vector. */
    .macro REQUANT round, each, mla
    .if \each
    ldr r5, [sp, #MUL]
    ldmia r5!, {r1-r4}
    str r5, [sp, #MUL]
    .ifnb \mla
    mov r5, #128
    .endif
    REQUANT_8 \round, \mla, r5, r1, r2, r3, r4
    .else
    .ifnb \mla
    mov r2, #128
    .endif
    REQUANT_8 \round, \mla, r2, r1, r1, r1, r1
    .endif
    .endm

    .macro REQUANT_8 round, mla, add, m0, m1, m2, m3
    .ifnb \mla
    smmla\round r6, r6, \m0, \add
    smmla\round r7, r7, \m1, \add
    smmla\round r8, r8, \m2, \add
    smmla\round r9, r9, \m3, \add
    smmla\round r10, r10, \m0, \add
    smmla\round r11, r11, \m1, \add
    smmla\round r12, r12, \m2, \add
    smmla\round lr, lr, \m3, \add
    .else
    smmul\round r6, r6, \m0
    smmul\round r7, r7, \m1
    smmul\round r8, r8, \m2
    smmul\round r9, r9, \m3
    smmul\round r10, r10, \m0
    smmul\round r11, r11, \m1
    smmul\round r12, r12, \m2
    smmul\round lr, lr, \m3
    .endif
    .endm

    /* Where a result may leave int16 (not NARROW), each is clipped before two share a word. */
    .macro CLIP_EACH clip
    \clip r6, #8, r6
    \clip r7, #8, r7
    \clip r8, #8, r8
    \clip r9, #8, r9
    \clip r10, #8, r10
    \clip r11, #8, r11
    \clip r12, #8, r12
    \clip lr, #8, lr
    .endm

    .macro CLIP_PAIRS narrow, clip, a, b, c, d
    .if \narrow
    \clip \a, #8, \a
    \clip \b, #8, \b
    \clip \c, #8, \c
    \clip \d, #8, \d
    .endif
    .endm

    /* MUL (unless each), OUT and END to r1, r5 and r4: neighbouring loads cost a cycle each. */
    .macro FETCH each
    .if \each
    ldr r5, [sp, #OUT]
    ldr r4, [sp, #END]
    .else
    ldr r1, [sp, #MUL]
    ldr r5, [sp, #OUT]
    ldr r4, [sp, #END]
    .endif
    .endm

    /* Pairs along the streamed vectors, as a stationary panel: [step][2]. */
    .macro PAIRS narrow
    .ifeq \narrow
    CLIP_EACH ssat
    .endif
    pkhbt r6, r6, r7, lsl #16
    pkhbt r8, r8, r9, lsl #16
    pkhbt r10, r10, r11, lsl #16
    pkhbt r12, r12, lr, lsl #16
    CLIP_PAIRS \narrow, ssat16, r6, r8, r10, r12
    .endm

    .macro FINISH_STATIONARY narrow, round, each
    .ifeq \each
    FETCH 0
    .endif
    REQUANT \round, \each
    .if \each
    FETCH 1
    .endif
    PAIRS \narrow
    str r6, [r5], #4
    str r10, [r5], #4
    str r8, [r5], #4
    str r12, [r5], #4
    str r5, [sp, #OUT]
    .endm

    /* Pairs along the streamed vectors, as two of a streamed panel's four: [step][4]. */
    .macro FINISH_STREAMED narrow, round, each
    .ifeq \each
    FETCH 0
    .endif
    REQUANT \round, \each
    .if \each
    FETCH 1
    .endif
    PAIRS \narrow
    str r10, [r5, #4]
    str r8, [r5, #16]
    str r12, [r5, #20]
    str r6, [r5], #32
    str r5, [sp, #OUT]
    .endm

    /* Pairs along the stationary vectors: a step of a streamed panel; STRIDE bytes to the next. */
    .macro FINISH_ACROSS narrow, round, each
    .ifeq \each
    FETCH 0
    .endif
    REQUANT \round, \each
    .if \each
    FETCH 1
    .endif
    ldr r2, [sp, #STRIDE]
    .ifeq \narrow
    CLIP_EACH ssat
    .endif
    pkhbt r6, r6, r10, lsl #16
    pkhbt r7, r7, r11, lsl #16
    pkhbt r8, r8, r12, lsl #16
    pkhbt r9, r9, lr, lsl #16
    CLIP_PAIRS \narrow, ssat16, r6, r7, r8, r9
    str r7, [r5, #4]
    str r8, [r5, #8]
    str r9, [r5, #12]
    str r6, [r5]
    add r5, r2
    str r5, [sp, #OUT]
    .endm

    .macro BYTES narrow
    .ifeq \narrow
    CLIP_EACH usat
    .endif
    pkhbt r6, r6, r8, lsl #16
    pkhbt r7, r7, r9, lsl #16
    pkhbt r10, r10, r12, lsl #16
    pkhbt r11, r11, lr, lsl #16
    CLIP_PAIRS \narrow, usat16, r6, r7, r10, r11
    orr r6, r6, r7, lsl #8
    orr r10, r10, r11, lsl #8
    .endm

    /* Bytes plus 128, four of each row: [tile][2][4]. */
    .macro FINISH_SCORES narrow, round, each
    FETCH 0
    REQUANT \round, 0, a
    BYTES \narrow
    str r6, [r5], #4
    str r10, [r5], #4
    str r5, [sp, #OUT]
    .endm

    /* Bytes of two rows, STRIDE bytes apart. */
    .macro FINISH_ROWS narrow, round, each
    .ifeq \each
    FETCH 0
    .endif
    REQUANT \round, \each, a
    .if \each
    FETCH 1
    .endif
    ldr r2, [sp, #STRIDE]
    BYTES \narrow
    eor r6, r6, #0x80808080
    eor r10, r10, #0x80808080
    str r10, [r5, r2]
    str r6, [r5], #4
    str r5, [sp, #OUT]
    .endm

    /* The sums themselves; STRIDE bytes of the stream are left out behind each tile. */
    .macro FINISH_SUMS narrow, round, each
    ldr r5, [sp, #OUT]
    ldr r4, [sp, #END]
    ldr r3, [sp, #STRIDE]
    stmia r5!, {r6-r12, lr}
    str r5, [sp, #OUT]
    add r0, r3
    .endm

    .macro LABEL name
    .globl \name
    .thumb_func
\name:
    .endm
