/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers of a reduction of up to 16 values, one multiplier for all channels: all pairs of
 * rows in one call (ts_m4_projection of cortexm4_brief.h).
 *
 * s0-s15 are a pair of rows, its last step at their end and its first one in s0 and s1; s16-s23 are
 * the start of ts_m4_projection, whose address the frame starts with; s24 is the end of a head's
 * whole tiles, s25 and s26 are where a tile's results and biases are. r0 is the stream, eight sums
 * are in r6-r12 and lr, first those of row 0. */
#include "ts_m4_step.S"

    /* Of ts_m4_projection. */
    .equ RESULT, 32
    .equ NEXT, 36
    .equ X, 44
    .equ X_BYTES, 48
    .equ X_END, 52

    .macro FIRST columns
    vmov r5, s26
    .if \columns > 2
    ldmia r5!, {r10, r11, r12, lr}
    vmov s26, r5
    STEP_FROM_BIAS
    .else
    ldrd r10, r11, [r5], #8
    vmov s26, r5
    ldrd r1, r2, [r0], #16
    vmov r5, s0
    smlad r6, r1, r5, r10
    smlad r7, r2, r5, r11
    vmov r5, s1
    smlad r10, r1, r5, r10
    smlad r11, r2, r5, r11
    .endif
    .endm

    /* STEP of half a tile; 28 bytes. */
    .macro HALF_STEP first, second
    ldrd r1, r2, [r0], #16
    vmov r5, s\first
    smlad r6, r1, r5, r6
    smlad r7, r2, r5, r7
    vmov r5, s\second
    smlad r10, r1, r5, r10
    smlad r11, r2, r5, r11
    .endm

    .macro CLIP clip, columns
    .if \columns > 2
    CLIP_EACH \clip
    .else
    \clip r6, #8, r6
    \clip r7, #8, r7
    \clip r10, #8, r10
    \clip r11, #8, r11
    .endif
    .endm

    .macro SCALE round, columns
    .if \columns > 2
    REQUANT_8 \round, , , r1, r1, r1, r1
    .else
    smmul\round r6, r6, r1
    smmul\round r7, r7, r1
    smmul\round r10, r10, r1
    smmul\round r11, r11, r1
    .endif
    .endm

    .macro PAIR_CHANNELS columns
    pkhbt r6, r6, r7, lsl #16
    pkhbt r10, r10, r11, lsl #16
    .if \columns > 2
    pkhbt r8, r8, r9, lsl #16
    pkhbt r12, r12, lr, lsl #16
    .endif
    .endm

    .macro STORE_STATIONARY round, columns
    SCALE \round, \columns
    CLIP ssat, \columns
    PAIR_CHANNELS \columns
    str r6, [r5], #4
    str r10, [r5], #4
    .if \columns > 2
    str r8, [r5], #4
    str r12, [r5], #4
    .endif
    .endm

    .macro STORE_STREAMED round, columns
    SCALE \round, \columns
    CLIP ssat, \columns
    PAIR_CHANNELS \columns
    str r10, [r5, #4]
    .if \columns > 2
    str r8, [r5, #16]
    str r12, [r5, #20]
    .endif
    str r6, [r5], #8 * \columns
    .endm

    .macro STORE_ACROSS round, columns
    SCALE \round, \columns
    CLIP ssat, \columns
    vmov r2, s20
    pkhbt r6, r6, r10, lsl #16
    pkhbt r7, r7, r11, lsl #16
    .if \columns > 2
    pkhbt r8, r8, r12, lsl #16
    pkhbt r9, r9, lr, lsl #16
    str r8, [r5, #8]
    str r9, [r5, #12]
    .endif
    str r7, [r5, #4]
    str r6, [r5]
    add r5, r2
    .endm

    .macro STORE_ROWS round, columns
    mov r2, #128
    REQUANT_8 \round, a, r2, r1, r1, r1, r1
    vmov r2, s20
    BYTES 0
    eor r6, r6, #0x80808080
    eor r10, r10, #0x80808080
    str r10, [r5, r2]
    str r6, [r5], #4
    .endm

    /* Pairs of rows, heads, tiles of four channels, and where a head ends with one or two (`halves`)
     * half a tile. */
    .macro PROJECT name, finish, halves, round
    FUNCTION ts_m4_project_\name
    push {r0, r4-r11, lr}
    vldm r0, {s16-s23}
    adr r5, 3f
    vmov r1, s21
    add r5, r1
    vmov s21, r5
    .if \halves
    adr r5, 7f
    vmov r1, s22
    add r5, r1
    vmov s22, r5
    .endif
1:  ldr r0, [sp]
    ldr r1, [r0, #X]
    ldr r2, [r0, #X_BYTES]
    ldr r3, [r0, #RESULT]
    ldr r4, [r0, #NEXT]
    ldr r5, [r0, #NEXT + 4]
    add r2, r1
    vmov s25, r3
    str r2, [r0, #X]
    add r3, r4
    sub r2, #64
    str r3, [r0, #RESULT]
    str r5, [r0, #NEXT]
    str r4, [r0, #NEXT + 4]
    vldm r2, {s0-s15}
    vldr d0, [r1]
    vmov r5, s18
    vmov r0, s16
    vmov r1, s23
    vmov s26, r5
    .if \halves
    cmp r1, #0
    beq 6f
    .endif
4:  add r1, r0
    vmov s24, r1
2:  FIRST 4
    vmov r5, s21
    bx r5
    .p2align 2
3:  SEVEN_STEPS
    vmov r1, s19
    vmov r5, s25
    STORE_\finish \round, 4
    vmov r1, s24
    vmov s25, r5
    cmp r0, r1
    bne 2b
    .if \halves
    vmov r1, s17
    cmp r0, r1
    beq 8f
6:  FIRST 2
    vmov r5, s22
    bx r5
    .p2align 2
7:  HALF_STEP 2, 3
    HALF_STEP 4, 5
    HALF_STEP 6, 7
    HALF_STEP 8, 9
    HALF_STEP 10, 11
    HALF_STEP 12, 13
    HALF_STEP 14, 15
    vmov r1, s19
    vmov r5, s25
    STORE_\finish \round, 2
    vmov r1, s17
    vmov s25, r5
    cmp r0, r1
    beq 8f
    vmov r1, s23
    cmp r1, #0
    beq 6b
    b 4b
    .endif
8:  ldr r0, [sp]
    ldr r1, [r0, #X]
    ldr r2, [r0, #X_END]
    cmp r1, r2
    bne 1b
    pop {r0, r4-r11, pc}
    .size ts_m4_project_\name, . - ts_m4_project_\name
    .endm

    .macro PROJECTS name, round
    PROJECT stationary_\name, STATIONARY, 1, \round
    PROJECT streamed_\name, STREAMED, 1, \round
    PROJECT across_\name, ACROSS, 1, \round
    PROJECT rows_\name, ROWS, 0, \round
    .endm

    PROJECTS floor,
    PROJECTS half_up, r
