/* SPDX-License-Identifier: Apache-2.0 */
/* The Cortex-M4's matrix product of short reductions, in tiles of 4 streamed x 2 stationary vectors.
 *
 * All operands are pairs of int16, a word for two neighbouring values of the reduction ("step").
 * The stationary panel is [step][2] words, the streamed one [tile][step][4]. Eight sums take r6-r12
 * and lr, first those of stationary vector 0; what six more registers cannot hold is in a frame on
 * the stack. ts_m4_tiles.h says how to call this.
 *
 * Up to 16 steps: the stationary panel stays in s0-s31 for all tiles. A step is LDM (5 cycles), 2
 * VMOV and 8 SMLAD for 16 MACs. r0 stream, r1-r4 its words, r5 stationary word. cortexm4_long.S is
 * for more steps. */
#include "ts_m4_step.S"

    /* Steps 1..15. */
    .macro STEPS
    SEVEN_STEPS
    STEP 16, 17
    STEP 18, 19
    STEP 20, 21
    STEP 22, 23
    STEP 24, 25
    STEP 26, 27
    STEP 28, 29
    STEP 30, 31
    .endm

    /* Step 0 and what the sums start from: nothing; */
    .macro BEGIN_ZERO
    STEP_FROM_ZERO
    .endm

    /* a bias for each streamed vector, IN points at them; */
    .macro BEGIN_BIAS
    ldr r5, [sp, #IN]
    ldmia r5!, {r10, r11, r12, lr}
    str r5, [sp, #IN]
    STEP_FROM_BIAS
    .endm

    /* what an earlier call left where this one writes (MORE), or eight sums for all tiles (SAME). */
    .macro BEGIN_MORE
    ldr r5, [sp, #OUT]
    ldmia r5, {r6-r12, lr}
    STEP 0, 1
    .endm

    .macro BEGIN_SAME
    ldr r5, [sp, #IN]
    ldmia r5, {r6-r12, lr}
    STEP 0, 1
    .endm

    /* All 16 steps. */
    .macro SHORT name, begin, finish
    FUNCTION ts_m4_short_\name
    push {r4-r11, lr}
    ldm r0, {r1-r8}
    push {r1-r6}
    vldm r8, {s0-s31}
    mov r0, r7
1:  BEGIN_\begin
    STEPS
    FINISH_\finish 1, , 0
    cmp r0, r4
    bne 1b
    add sp, #24
    pop {r4-r11, pc}
    .size ts_m4_short_\name, . - ts_m4_short_\name
    .endm

    SHORT zero_scores, ZERO, SCORES
    SHORT bias_stationary, BIAS, STATIONARY
    SHORT bias_streamed, BIAS, STREAMED
    SHORT bias_across, BIAS, ACROSS
    SHORT bias_rows, BIAS, ROWS
    SHORT bias_sums, BIAS, SUMS
    SHORT more_sums, MORE, SUMS

    /* One step. */
    FUNCTION ts_m4_single_zero_scores
    push {r4-r11, lr}
    ldm r0, {r1-r9}
    push {r1-r6}
    vldr d0, [r9]
    mov r0, r7
1:  BEGIN_ZERO
    FINISH_SCORES 1, , 0
    cmp r0, r4
    bne 1b
    add sp, #24
    pop {r4-r11, pc}
    .size ts_m4_single_zero_scores, . - ts_m4_single_zero_scores

    /* Any number of steps from 1 to 16, any requantisation: the same parts, chained by
     * addresses in the frame. The stationary panel's last steps are at the registers' end, its
     * first step is in s0 and s1 as well. */
    .macro CHAINED name, registers
    FUNCTION \name
    push {r4-r11, lr}
    ldm r0, {r1-r12}
    push {r10-r12}
    push {r1-r6}
    vldm r8, {\registers}
    vldr d0, [r9]
    mov r0, r7
    ldr pc, [sp, #TOP]
    .endm

    /* Up to 4 steps. */
    CHAINED ts_m4_short_few, s24-s31
    .size ts_m4_short_few, . - ts_m4_short_few

    CHAINED ts_m4_short, s0-s31

    .macro TOP_OF begin, label
    LABEL ts_m4_short_\label
    BEGIN_\begin
    ldr pc, [sp, #ENTRY]
    .endm

    TOP_OF ZERO, zero
    TOP_OF BIAS, bias
    TOP_OF SAME, same
    TOP_OF MORE, more

    STEPS
    LABEL ts_m4_short_end
    ldr pc, [sp, #EXIT]
    .size ts_m4_short, . - ts_m4_short
