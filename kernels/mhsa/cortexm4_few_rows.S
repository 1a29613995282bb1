/* SPDX-License-Identifier: Apache-2.0 */
/* Scores, softmax and context of two rows of queries with 2 to 4 keys, all heads in one call: the
 * map of two rows never leaves the registers. cortexm4_brief.h has the operands' layouts.
 *
 * What a register cannot hold is in s4-s17, in the order of ts_m4_maps, and in s18 and s19; s0-s3
 * are the map, pairs of keys, of both rows. Eight sums are in r6-r12 and lr, first those of row 0. */
#include "ts_m4_finish.S"

    .macro STREAM_LOW
    ldr r2, [r1], #8
    ldr r3, [r1, #-4]
    ldr r4, [r0], #16
    ldr r5, [r0, #-12]
    .endm

    .macro STREAM_HIGH keys
    ldr r4, [r0, #-8]
    .if \keys > 3
    ldr r5, [r0, #-4]
    .endif
    .endm

    /* A step of the scores: the first, or another one. */
    .macro FIRST_SCORES keys
    STREAM_LOW
    smuad r6, r4, r2
    smuad r7, r5, r2
    smuad r10, r4, r3
    smuad r11, r5, r3
    .if \keys > 2
    STREAM_HIGH \keys
    smuad r8, r4, r2
    smuad r12, r4, r3
    .endif
    .if \keys > 3
    smuad r9, r5, r2
    smuad lr, r5, r3
    .endif
    .endm

    .macro MORE_SCORES keys
    STREAM_LOW
    smlad r6, r4, r2, r6
    smlad r7, r5, r2, r7
    smlad r10, r4, r3, r10
    smlad r11, r5, r3, r11
    .if \keys > 2
    STREAM_HIGH \keys
    smlad r8, r4, r2, r8
    smlad r12, r4, r3, r12
    .endif
    .if \keys > 3
    smlad r9, r5, r2, r9
    smlad lr, r5, r3, lr
    .endif
    .endm

    /* Scores plus 128 as bytes, by the factor r1. */
    .macro SCORE round, a, b
    smmla\round \a, \a, r1, r2
    smmla\round \b, \b, r1, r2
    usat \a, #8, \a
    usat \b, #8, \b
    .endm

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

    /* A row's entries times the reciprocal `by`: its map, pairs of keys, in a and c. */
    .macro MAP by, a, b, c, d, keys
    mul \a, \a, \by
    mul \b, \b, \by
    pkhtb \a, \b, \a, asr #16
    uxtb16 \a, \a, ror #8
    .if \keys > 2
    mul \c, \c, \by
    .endif
    .if \keys > 3
    mul \d, \d, \by
    pkhtb \c, \d, \c, asr #16
    uxtb16 \c, \c, ror #8
    .elseif \keys > 2
    lsr \c, \c, #24
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
    vmov r5, s14
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

    /* A tile of the context, four channels of both rows, to halves of words: s13 is 4 where a head
     * starts in the middle of one. */
    .macro FINISH_CONTEXT round
    vmov r5, s10
    ldmia r5, {r1-r4}
    REQUANT_8 \round, , , r1, r2, r3, r4
    vmov r1, s11
    add r5, r1
    vmov s10, r5
    CLIP_EACH ssat
    vmov r5, s19
    vmov r1, s13
    add r4, r5, r1
    strh r6, [r5]
    strh r8, [r5, #8]
    strh r10, [r5, #4]
    strh r12, [r5, #12]
    strh r7, [r4, #2]
    strh r9, [r4, #10]
    strh r11, [r4, #6]
    strh lr, [r4, #14]
    add r5, #16
    vmov s19, r5
    .endm

    /* Where the next head's context starts; Z if there is none. */
    .macro NEXT_HEAD
    vmov r1, s12
    vmov r2, s13
    vmov r3, s15
    vmov r4, s16
    vmov r5, s17
    add r1, r2
    add r1, r3
    eor r2, r4
    subs r5, #1
    vmov s12, r1
    vmov s13, r2
    vmov s17, r5
    .endm

    /* The context of one head; then Z says whether it was the last one. */
    .macro CONTEXT keys, round
    vmov r0, s8
    vmov r2, s9
    vmov r3, s12
    add r2, r0
    vmov s18, r2
    vmov s19, r3
4:  ldmia r0!, {r1-r4}
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
    .if \keys > 2
    ldmia r0!, {r1-r4}
    vmov r5, s2
    smlad r6, r1, r5, r6
    smlad r7, r2, r5, r7
    smlad r8, r3, r5, r8
    smlad r9, r4, r5, r9
    vmov r5, s3
    smlad r10, r1, r5, r10
    smlad r11, r2, r5, r11
    smlad r12, r3, r5, r12
    smlad lr, r4, r5, lr
    .endif
    FINISH_CONTEXT \round
    vmov r1, s18
    cmp r0, r1
    bne 4b
    vmov s8, r0
    NEXT_HEAD
    .endm

    .macro FEW_ROWS name, keys, round
    FUNCTION ts_m4_maps_\name
    push {r4-r11, lr}
    vldm r0, {s4-s17}
1:  vmov r1, s4
    vmov r0, s5
    vmov r2, s6
    add r2, r1
    vmov s18, r2
    FIRST_SCORES \keys
    b 3f
2:  MORE_SCORES \keys
3:  MORE_SCORES \keys
    vmov r4, s18
    cmp r1, r4
    bne 2b
    vmov s4, r1
    vmov s5, r0
    vmov r1, s7
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
    CONTEXT \keys, \round
    bne 1b
    pop {r4-r11, pc}
    .size ts_m4_maps_\name, . - ts_m4_maps_\name
    .endm

    FEW_ROWS two_floor, 2,
    FEW_ROWS two_half_up, 2, r
    FEW_ROWS three_floor, 3,
    FEW_ROWS three_half_up, 3, r
    FEW_ROWS four_floor, 4,
    FEW_ROWS four_half_up, 4, r
