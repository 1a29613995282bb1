/* SPDX-License-Identifier: Apache-2.0 */
/* Scores, softmax and context of two rows of queries with 2 to 4 keys, all heads in one call: the
 * map never leaves the registers. Registers: ts_m4_maps.S. */
#include "ts_m4_maps.S"

    /* The largest of row 0 in the low half of r0, of row 1 in the high one. */
    .macro LARGER a, b
    pkhbt r1, \a, \b, lsl #16
    usub16 r2, r1, r0
    sel r0, r1, r0
    .endm

    .macro SUM sum, a, b, c, d, keys
    add \sum, \a, \b
    .if \keys > 2
    add \sum, \sum, \c
    .endif
    .if \keys > 3
    add \sum, \sum, \d
    .endif
    .endm

    .macro SOFTMAX keys
    pkhbt r0, r6, r10, lsl #16
    LARGER r7, r11
    .if \keys > 2
    LARGER r8, r12
    .endif
    .if \keys > 3
    LARGER r9, lr
    .endif
    vmov r5, s26
    uxth r1, r0
    sub r1, r5, r1
    sub r2, r5, r0, lsr #16
    ldrb r6, [r1, r6]
    ldrb r7, [r1, r7]
    .if \keys > 2
    ldrb r8, [r1, r8]
    .endif
    .if \keys > 3
    ldrb r9, [r1, r9]
    .endif
    ldrb r10, [r2, r10]
    ldrb r11, [r2, r11]
    .if \keys > 2
    ldrb r12, [r2, r12]
    .endif
    .if \keys > 3
    ldrb lr, [r2, lr]
    .endif
    SUM r3, r6, r7, r8, r9, \keys
    SUM r4, r10, r11, r12, lr, \keys
    mov r5, #0xFF000000
    udiv r3, r5, r3
    udiv r4, r5, r4
    add r3, #1
    add r4, #1
    MAP r3, r6, r7, r8, r9, \keys
    MAP r4, r10, r11, r12, lr, \keys
    vmov s0, r6
    vmov s1, r10
    .if \keys > 2
    vmov s2, r8
    vmov s3, r12
    .endif
    .endm

    .macro BEGIN_FEW
    push {r0, r4-r11, lr}
    vldm r0, {s16-s31}
    .endm

    .macro END_FEW
    pop {r0, r4-r11, pc}
    .endm

    .macro SCORES_TO_MAP keys, round
    vmov r1, s19
    mov r2, #128
    SCORE \round, r6, r10
    SCORE \round, r7, r11
    .if \keys > 2
    SCORE \round, r8, r12
    .endif
    .if \keys > 3
    SCORE \round, r9, lr
    .endif
    SOFTMAX \keys
    .endm

    .macro FEW_ROWS name, keys, round
    FUNCTION ts_m4_maps_\name
    BEGIN_FEW
1:  vmov r1, s16
    vmov r0, s17
    vmov r2, s18
    add r2, r1
    vmov s29, r2
    ALL_SCORES \keys
    vmov s16, r1
    vmov s17, r0
    SCORES_TO_MAP \keys, \round
    BEGIN_CONTEXT
5:  FIRST_CONTEXT
    .if \keys > 2
    MORE_CONTEXT 2, 3
    .endif
    END_TILE \round, 5b
    vmov r1, s31
    cmp r1, #0
    beq 6f
    FIRST_HALF
    .if \keys > 2
    MORE_HALF 2, 3
    .endif
    FINISH_CONTEXT \round, 2
6:  END_HEAD 1b
    END_FEW
    .size ts_m4_maps_\name, . - ts_m4_maps_\name
    .endm

    /* Heads of one or two channels: a step of the scores, half a tile of the context. */
    .macro FEW_NARROW_ROWS name, keys, round
    FUNCTION ts_m4_maps_narrow_\name
    BEGIN_FEW
1:  vmov r1, s16
    vmov r0, s17
    FIRST_SCORES \keys
    vmov s16, r1
    vmov s17, r0
    SCORES_TO_MAP \keys, \round
    vmov r0, s20
    vmov r3, s24
    FIRST_HALF
    vmov s30, r3
    .if \keys > 2
    MORE_HALF 2, 3
    .endif
    FINISH_CONTEXT \round, 2
    END_HEAD 1b
    END_FEW
    .size ts_m4_maps_narrow_\name, . - ts_m4_maps_narrow_\name
    .endm

    FEW_ROWS two_floor, 2,
    FEW_ROWS two_half_up, 2, r
    FEW_ROWS three_floor, 3,
    FEW_ROWS three_half_up, 3, r
    FEW_ROWS four_floor, 4,
    FEW_ROWS four_half_up, 4, r
    FEW_NARROW_ROWS two_floor, 2,
    FEW_NARROW_ROWS three_floor, 3,
    FEW_NARROW_ROWS four_floor, 4,
    FEW_NARROW_ROWS two_half_up, 2, r
    FEW_NARROW_ROWS three_half_up, 3, r
    FEW_NARROW_ROWS four_half_up, 4, r
