/* SPDX-License-Identifier: Apache-2.0 */
/* Scores, softmax and context of two rows of queries, all heads in one call, with 5 to 8 keys
 * (some), a row's entries in registers at once, or with 9 to 16 (more). Registers: ts_m4_maps.S. */
#include "ts_m4_maps.S"

    /* The frame of more than four keys. */
    .equ SCORES_END, 4
    .equ SCORES, 8
    .equ MAP, 40
    .equ FRAME_BYTES, 104

    .macro BEGIN_FRAME
    push {r4-r11, lr}
    sub sp, #FRAME_BYTES
    str r0, [sp]
    vldm r0, {s16-s31}
    ldr r1, [r0, #KEYS]
    add r2, sp, #SCORES
    add r1, #3
    lsr r1, #2
    add r2, r2, r1, lsl #3
    str r2, [sp, #SCORES_END]
    .endm

    .macro END_FRAME
    add sp, #FRAME_BYTES
    pop {r4-r11, pc}
    .endm

    /* The scores of one head as bytes, [four keys][row 2][4], to the frame; r5 their end. */
    .macro SCORES_OF_HEAD round
    vmov r1, s16
    vmov r0, s17
    vmov r2, s18
    add r3, sp, #SCORES
    add r2, r1
    vmov s29, r2
    vmov s30, r3
4:  ALL_SCORES 4
    vmov r2, s27
    vmov r1, s19
    add r0, r2
    mov r2, #128
    SCORE \round, r6, r10
    SCORE \round, r7, r11
    SCORE \round, r8, r12
    SCORE \round, r9, lr
    pkhbt r6, r6, r8, lsl #16
    pkhbt r7, r7, r9, lsl #16
    pkhbt r10, r10, r12, lsl #16
    pkhbt r11, r11, lr, lsl #16
    orr r6, r6, r7, lsl #8
    orr r10, r10, r11, lsl #8
    vmov r5, s30
    ldr r2, [sp, #SCORES_END]
    vmov r1, s16
    stmia r5!, {r6, r10}
    vmov s30, r5
    cmp r5, r2
    bne 4b
    /* Keys that are padding must not be the largest. */
    vmov r2, s28
    vmov r3, s29
    vmov r4, s17
    and r6, r2
    and r10, r2
    sub r1, r3, r1
    add r4, r4, r1, lsl #1
    str r6, [r5, #-8]
    str r10, [r5, #-4]
    vmov s16, r3
    vmov s17, r4
    .endm

    .macro LARGER_BYTES by
    mov r7, r6, ror #\by
    usub8 r12, r7, r6
    sel r6, r7, r6
    .endm

    /* One row of 5 to 8 keys at `at` before r5, to the registers of the map. */
    .macro ROW at, a, b, c, d
    ldr r6, [r5, #-\at]
    ldr r7, [r5, #8 - \at]
    usub8 r12, r7, r6
    sel r6, r7, r6
    LARGER_BYTES 16
    LARGER_BYTES 8
    vmov r2, s26
    uxtb r6, r6
    sub r2, r2, r6
    ldrb r6, [r5, #-\at]
    ldrb r7, [r5, #1 - \at]
    ldrb r8, [r5, #2 - \at]
    ldrb r9, [r5, #3 - \at]
    ldrb r10, [r5, #8 - \at]
    ldrb r11, [r5, #9 - \at]
    ldrb r12, [r5, #10 - \at]
    ldrb lr, [r5, #11 - \at]
    ldrb r6, [r2, r6]
    ldrb r7, [r2, r7]
    ldrb r8, [r2, r8]
    ldrb r9, [r2, r9]
    ldrb r10, [r2, r10]
    ldrb r11, [r2, r11]
    ldrb r12, [r2, r12]
    ldrb lr, [r2, lr]
    cmp r1, #6
    it lo
    movlo r11, #0
    it ls
    movls r12, #0
    cmp r1, #8
    it ne
    movne lr, #0
    add r3, r6, r7
    add r4, r8, r9
    add r3, r10
    add r4, r11
    add r3, r12
    add r4, lr
    add r3, r4
    mov r4, #0xFF000000
    udiv r3, r4, r3
    add r3, #1
    MAP r3, r6, r7, r8, r9, 4
    MAP r3, r10, r11, r12, lr, 4
    vmov s\a, r6
    vmov s\b, r8
    vmov s\c, r10
    vmov s\d, r12
    .endm

    .macro SOME_ROWS name, round
    FUNCTION ts_m4_maps_\name
    BEGIN_FRAME
1:  SCORES_OF_HEAD \round
    ldr r4, [sp]
    ldr r1, [r4, #KEYS]
    ldr r0, [r4, #ROWS]
    ROW 16, 0, 2, 4, 6
    cmp r0, #1
    beq 6f
    ROW 12, 1, 3, 5, 7
6:  BEGIN_CONTEXT
5:  STEP_FROM_ZERO
    STEP 2, 3
    STEP 4, 5
    vmov r5, s31
    cmp r5, #0
    beq 7f
    STEP 6, 7
7:  END_TILE \round, 5b
    ldr r4, [sp]
    ldr r4, [r4, #HALF]
    cmp r4, #0
    beq 9f
    FIRST_HALF
    MORE_HALF 2, 3
    MORE_HALF 4, 5
    vmov r5, s31
    cmp r5, #0
    beq 8f
    MORE_HALF 6, 7
8:  FINISH_CONTEXT \round, 2
9:  END_HEAD 1b
    END_FRAME
    .size ts_m4_maps_\name, . - ts_m4_maps_\name
    .endm

    /* The map by way of the frame; its last pair goes to s14 and s15, its first one to s0 and s1 as
     * well. */
    .macro MORE_ROWS name, round
    FUNCTION ts_m4_maps_\name
    BEGIN_FRAME
    mov r1, #0
    mov r2, #0
    strd r1, r2, [sp, #SCORES + 24]
1:  SCORES_OF_HEAD \round
    ldr r4, [sp]
    vmov r5, s26
    sub r5, #255
    ldr r1, [r4, #KEYS]
    add r0, sp, #SCORES
    mov r2, r5
    add r3, sp, #MAP
    bl ts_m4_softmax_pairs
    ldr r0, [r4, #ROWS]
    ldr r1, [r4, #KEYS]
    cmp r0, #1
    beq 6f
    add r0, sp, #SCORES + 4
    mov r2, r5
    add r3, sp, #MAP + 4
    bl ts_m4_softmax_pairs
6:  ldr r1, [r4, #KEYS]
    add r1, #1
    lsr r1, #1
    add r2, sp, r1, lsl #3
    sub r2, #64 - MAP
    vldm r2, {s0-s15}
    vldr d0, [sp, #MAP]
    BEGIN_CONTEXT
5:  STEP_FROM_ZERO
    vmov r5, s31
    bx r5
    SEVEN_STEPS
    LABEL ts_m4_maps_\name\()_end
    END_TILE \round, 5b
    END_HEAD 1b
    END_FRAME
    .size ts_m4_maps_\name, . - ts_m4_maps_\name
    .endm

    SOME_ROWS some_floor,
    SOME_ROWS some_half_up, r
    MORE_ROWS more_floor,
    MORE_ROWS more_half_up, r
