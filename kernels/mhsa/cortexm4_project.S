/* SPDX-License-Identifier: Apache-2.0 */
/* Linear layers of a reduction of up to 16 values, one multiplier for all channels: all pairs of
 * rows in one call (ts_m4_projection of cortexm4_brief.h), channels by fours, or by twos of which
 * the panel has four.
 *
 * s0-s15 are a pair of rows, its last step at their end and its first one in s0 and s1; s16-s27 are
 * ts_m4_projection, s28 and s29 where a tile's results and biases are. r0 is the stream, eight sums
 * are in r6-r12 and lr, first those of row 0. */
#include "ts_m4_finish.S"

    .macro LOAD columns
    .if \columns > 2
    ldmia.w r0!, {r1-r4}
    .else
    ldrd r1, r2, [r0], #16
    .endif
    .endm

    .macro FIRST columns
    vmov r5, s29
    .if \columns > 2
    ldmia r5!, {r10, r11, r12, lr}
    .else
    ldrd r10, r11, [r5], #8
    .endif
    vmov s29, r5
    LOAD \columns
    vmov r5, s0
    smlad r6, r1, r5, r10
    smlad r7, r2, r5, r11
    .if \columns > 2
    smlad r8, r3, r5, r12
    smlad r9, r4, r5, lr
    .endif
    vmov r5, s1
    smlad r10, r1, r5, r10
    smlad r11, r2, r5, r11
    .if \columns > 2
    smlad r12, r3, r5, r12
    smlad lr, r4, r5, lr
    .endif
    .endm

    /* 44 or 28 bytes: entries into a row of them are computed. */
    .macro MORE columns, first, second
    LOAD \columns
    vmov r5, s\first
    smlad r6, r1, r5, r6
    smlad r7, r2, r5, r7
    .if \columns > 2
    smlad r8, r3, r5, r8
    smlad r9, r4, r5, r9
    .endif
    vmov r5, s\second
    smlad r10, r1, r5, r10
    smlad r11, r2, r5, r11
    .if \columns > 2
    smlad r12, r3, r5, r12
    smlad lr, r4, r5, lr
    .endif
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
    vmov r2, s21
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
    vmov r2, s21
    BYTES 0
    eor r6, r6, #0x80808080
    eor r10, r10, #0x80808080
    str r10, [r5, r2]
    str r6, [r5], #4
    .endm

    .macro PROJECT name, finish, columns, round
    FUNCTION ts_m4_project_\name
    push {r4-r11, lr}
    vldm r0, {s16-s27}
    adr r5, 3f
    vmov r1, s27
    add r5, r1
    vmov s27, r5
1:  vmov r5, s24
    vmov r1, s25
    vmov r0, s16
    add r2, r5, r1
    vmov r4, s18
    sub r3, r2, #64
    vmov s24, r2
    vldm r3, {s0-s15}
    vldr d0, [r5]
    vmov s29, r4
    vmov r5, s20
    vmov r1, s22
    vmov r2, s23
    vmov s28, r5
    add r5, r1
    vmov s22, r2
    vmov s23, r1
    vmov s20, r5
2:  FIRST \columns
    vmov r5, s27
    bx r5
    .p2align 2
3:  MORE \columns, 2, 3
    MORE \columns, 4, 5
    MORE \columns, 6, 7
    MORE \columns, 8, 9
    MORE \columns, 10, 11
    MORE \columns, 12, 13
    MORE \columns, 14, 15
    vmov r1, s19
    vmov r5, s28
    STORE_\finish \round, \columns
    vmov r1, s17
    vmov s28, r5
    cmp r0, r1
    bne 2b
    vmov r1, s24
    vmov r2, s26
    cmp r1, r2
    bne 1b
    pop {r4-r11, pc}
    .size ts_m4_project_\name, . - ts_m4_project_\name
    .endm

    .macro PROJECTS name, round
    PROJECT stationary_\name, STATIONARY, 4, \round
    PROJECT streamed_\name, STREAMED, 4, \round
    PROJECT across_\name, ACROSS, 4, \round
    PROJECT rows_\name, ROWS, 4, \round
    PROJECT two_stationary_\name, STATIONARY, 2, \round
    PROJECT two_streamed_\name, STREAMED, 2, \round
    PROJECT two_across_\name, ACROSS, 2, \round
    .endm

    PROJECTS floor,
    PROJECTS half_up, r
