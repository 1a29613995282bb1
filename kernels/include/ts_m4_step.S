/* SPDX-License-Identifier: Apache-2.0 */
/* A step of a tile, 16 MACs, where stationary words stay in the FPU's registers: s\first of vector 0,
 * s\second of vector 1. r0 stream, r1-r4 its words, r5 a stationary word; eight sums are in r6-r12 and
 * lr, first the four of vector 0. */
#include "ts_m4_finish.S"

    /* 44 bytes: entries into a row of steps are computed. */
    .macro STEP first, second
    ldmia.w r0!, {r1-r4}
    vmov r5, s\first
    smlad r6, r1, r5, r6
    smlad r7, r2, r5, r7
    smlad r8, r3, r5, r8
    smlad r9, r4, r5, r9
    vmov r5, s\second
    smlad r10, r1, r5, r10
    smlad r11, r2, r5, r11
    smlad r12, r3, r5, r12
    smlad lr, r4, r5, lr
    .endm

    /* Steps 1 to 7. */
    .macro SEVEN_STEPS
    STEP 2, 3
    STEP 4, 5
    STEP 6, 7
    STEP 8, 9
    STEP 10, 11
    STEP 12, 13
    STEP 14, 15
    .endm

    /* Step 0, whose stationary words are in s0 and s1, from nothing; */
    .macro STEP_FROM_ZERO
    ldmia.w r0!, {r1-r4}
    vmov r5, s0
    smuad r6, r1, r5
    smuad r7, r2, r5
    smuad r8, r3, r5
    smuad r9, r4, r5
    vmov r5, s1
    smuad r10, r1, r5
    smuad r11, r2, r5
    smuad r12, r3, r5
    smuad lr, r4, r5
    .endm

    /* from a bias for each streamed vector, in r10-r12 and lr. */
    .macro STEP_FROM_BIAS
    ldmia.w r0!, {r1-r4}
    vmov r5, s0
    smlad r6, r1, r5, r10
    smlad r7, r2, r5, r11
    smlad r8, r3, r5, r12
    smlad r9, r4, r5, lr
    vmov r5, s1
    smlad r10, r1, r5, r10
    smlad r11, r2, r5, r11
    smlad r12, r3, r5, r12
    smlad lr, r4, r5, lr
    .endm
