/* SPDX-License-Identifier: Apache-2.0 */
/* The Cortex-M4's matrix product of long reductions, in tiles of 4 streamed x 2 stationary vectors:
 * as cortexm4_short.S, but both panels come from memory, in two groups of neighbouring loads, 16
 * cycles a step. r0 stream, r1 stationary panel, r2 and r3 its words, r4 and r5 words of the
 * stream, s0 the stationary panel's end. More than one step. */
#include "ts_m4_finish.S"

    /* 56 bytes: entries into a row of steps are computed. */
    .macro STEP
    ldr r2, [r1], #8
    ldr r3, [r1, #-4]
    ldr r4, [r0], #16
    ldr r5, [r0, #-12]
    smlad r6, r4, r2, r6
    smlad r7, r5, r2, r7
    smlad r10, r4, r3, r10
    smlad r11, r5, r3, r11
    ldr r4, [r0, #-8]
    ldr r5, [r0, #-4]
    smlad r8, r4, r2, r8
    smlad r9, r5, r2, r9
    smlad r12, r4, r3, r12
    smlad lr, r5, r3, lr
    .endm

    /* Step 0 with what the sums start from, as in cortexm4_short.S. */
    .macro BEGIN_ZERO
    ldr r1, [sp, #STATIONARY]
    ldr r2, [r1], #8
    ldr r3, [r1, #-4]
    ldr r4, [r0], #16
    ldr r5, [r0, #-12]
    smuad r6, r4, r2
    smuad r7, r5, r2
    smuad r10, r4, r3
    smuad r11, r5, r3
    ldr r4, [r0, #-8]
    ldr r5, [r0, #-4]
    smuad r8, r4, r2
    smuad r9, r5, r2
    smuad r12, r4, r3
    smuad lr, r5, r3
    .endm

    .macro BEGIN_BIAS
    ldr r5, [sp, #IN]
    ldr r1, [sp, #STATIONARY]
    ldmia r5!, {r10, r11, r12, lr}
    str r5, [sp, #IN]
    ldr r2, [r1], #8
    ldr r3, [r1, #-4]
    ldr r4, [r0], #16
    ldr r5, [r0, #-12]
    smlad r6, r4, r2, r10
    smlad r7, r5, r2, r11
    smlad r10, r4, r3, r10
    smlad r11, r5, r3, r11
    ldr r4, [r0, #-8]
    ldr r5, [r0, #-4]
    smlad r8, r4, r2, r12
    smlad r9, r5, r2, lr
    smlad r12, r4, r3, r12
    smlad lr, r5, r3, lr
    .endm

    .macro BEGIN_SAME
    ldr r5, [sp, #IN]
    ldr r1, [sp, #STATIONARY]
    ldmia r5, {r6-r12, lr}
    STEP
    .endm

    .macro BEGIN_MORE
    ldr r5, [sp, #OUT]
    ldr r1, [sp, #STATIONARY]
    ldmia r5, {r6-r12, lr}
    STEP
    .endm

    /* The other steps, by sixteens; the first of them starts where ENTRY says. */
    .macro STEPS end
    ldr pc, [sp, #ENTRY]
    SIXTEEN \end
    .endm

    .macro SIXTEEN end
2:  .rept 16
    STEP
    .endr
    LABEL \end
    vmov r4, s0
    cmp r1, r4
    bne 2b
    .endm

    .macro LONG name, begin, finish
    FUNCTION ts_m4_long_\name
    push {r4-r11, lr}
    ldm r0, {r1-r10}
    push {r10}
    push {r1-r6}
    vmov s0, r9
    mov r0, r7
1:  BEGIN_\begin
    STEPS ts_m4_long_\name\()_end
    FINISH_\finish 1, , 0
    cmp r0, r4
    bne 1b
    add sp, #28
    pop {r4-r11, pc}
    .size ts_m4_long_\name, . - ts_m4_long_\name
    .endm

    LONG zero_scores, ZERO, SCORES
    LONG zero_stationary, ZERO, STATIONARY
    LONG bias_stationary, BIAS, STATIONARY
    LONG bias_streamed, BIAS, STREAMED
    LONG bias_across, BIAS, ACROSS
    LONG bias_rows, BIAS, ROWS

    /* Two streamed vectors, [step][2]: their pairs with both stationary ones. A step takes 9 cycles
     * and 32 bytes. */
    FUNCTION ts_m4_long_two
    push {r4-r11, lr}
    ldm r0, {r1-r10}
    push {r10}
    push {r1-r6}
    vmov s0, r9
    mov r0, r7
    ldr r1, [sp, #STATIONARY]
    mov r6, #0
    mov r7, #0
    mov r10, #0
    mov r11, #0
    ldr pc, [sp, #ENTRY]
2:  .rept 16
    ldr r2, [r1], #8
    ldr r3, [r1, #-4]
    ldr r4, [r0], #8
    ldr r5, [r0, #-4]
    smlad r6, r4, r2, r6
    smlad r7, r5, r2, r7
    smlad r10, r4, r3, r10
    smlad r11, r5, r3, r11
    .endr
    LABEL ts_m4_long_two_end
    vmov r4, s0
    cmp r1, r4
    bne 2b
    ldr r2, [sp, #MUL]
    ldr r5, [sp, #OUT]
    smmul r6, r6, r2
    smmul r7, r7, r2
    smmul r10, r10, r2
    smmul r11, r11, r2
    pkhbt r6, r6, r7, lsl #16
    pkhbt r10, r10, r11, lsl #16
    ssat16 r6, #8, r6
    ssat16 r10, #8, r10
    str r6, [r5]
    str r10, [r5, #4]
    add sp, #28
    pop {r4-r11, pc}
    .size ts_m4_long_two, . - ts_m4_long_two

    /* Any requantisation: the same parts, chained by addresses in the frame. */
    FUNCTION ts_m4_long
    push {r4-r11, lr}
    ldm r0, {r1-r12}
    push {r10-r12}
    push {r1-r6}
    vmov s0, r9
    mov r0, r7
    ldr pc, [sp, #TOP]

    .macro TOP_OF begin, label
    LABEL ts_m4_long_\label
    BEGIN_\begin
    ldr pc, [sp, #ENTRY]
    .endm

    TOP_OF ZERO, zero
    TOP_OF BIAS, bias
    TOP_OF SAME, same
    TOP_OF MORE, more

    SIXTEEN ts_m4_long_end
    ldr pc, [sp, #EXIT]
    .size ts_m4_long, . - ts_m4_long

    .macro EXIT_BY finish, label, round, each
    LABEL ts_m4_exit_\label
    FINISH_\finish 0, \round, \each
    cmp r0, r4
    beq 9f
    ldr pc, [sp, #TOP]
    .endm

    .macro EXITS finish, label
    EXIT_BY \finish, \label\()_floor, , 0
    EXIT_BY \finish, \label\()_half_up, r, 0
    EXIT_BY \finish, \label\()_floor_each, , 1
    EXIT_BY \finish, \label\()_half_up_each, r, 1
    .endm

    /* The ends of both kinds of loops: what is put into the frame as EXIT. */
    FUNCTION ts_m4_exits
    EXITS STATIONARY, stationary
    EXITS STREAMED, streamed
    EXITS ACROSS, across
    EXITS ROWS, rows
    EXIT_BY SCORES, scores_floor, , 0
    EXIT_BY SCORES, scores_half_up, r, 0
    EXIT_BY SUMS, sums, , 0
9:  add sp, #36
    pop {r4-r11, pc}
    .size ts_m4_exits, . - ts_m4_exits
