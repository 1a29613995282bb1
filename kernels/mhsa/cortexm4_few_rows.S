/* SPDX-License-Identifier: Apache-2.0 */
/* Scores, softmax and context of two rows of queries, all heads in one call: with 2 to 4 keys
 * (few), 5 to 8 (some), whose map never leaves the registers, or 9 to 16 (more).
 * cortexm4_brief.h has the operands' layouts.
 *
 * What the general registers cannot hold is in s16-s28, in the order of ts_m4_maps, and in s29-s31;
 * s0-s15 are the map, [pair of keys][row]. Eight sums are in r6-r12 and lr, first those of row 0.
 * The frame starts with ts_m4_maps' address. */
#include "ts_m4_finish.S"

    /* Of ts_m4_maps. */
    .equ ADVANCE, 52
    .equ TOGGLE, 56
    .equ HEADS, 64
    .equ KEYS, 68
    .equ ROWS, 72

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

    /* r0 keys, r1 queries up to s29, an even number of steps. */
    .macro ALL_SCORES keys
    FIRST_SCORES \keys
    b 3f
2:  MORE_SCORES \keys
3:  MORE_SCORES \keys
    vmov r4, s29
    cmp r1, r4
    bne 2b
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

    /* A tile of the context, four channels of both rows, to halves of words: s25 is 4 where a head
     * starts in the middle of one. */
    .macro FINISH_CONTEXT round
    vmov r5, s22
    ldmia r5, {r1-r4}
    REQUANT_8 \round, , , r1, r2, r3, r4
    vmov r1, s23
    add r5, r1
    vmov s22, r5
    CLIP_EACH ssat
    vmov r5, s30
    vmov r1, s25
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
    vmov s30, r5
    .endm

    /* Where the next head's context starts; Z if there is none. */
    .macro NEXT_HEAD
    ldr r0, [sp]
    vmov r1, s24
    vmov r2, s25
    ldr r3, [r0, #ADVANCE]
    ldr r4, [r0, #TOGGLE]
    ldr r5, [r0, #HEADS]
    add r1, r2
    add r1, r3
    eor r2, r4
    subs r5, #1
    str r5, [r0, #HEADS]
    vmov s24, r1
    vmov s25, r2
    .endm

    .macro BEGIN_CONTEXT
    vmov r0, s20
    vmov r2, s21
    vmov r3, s24
    add r2, r0
    vmov s29, r2
    vmov s30, r3
    .endm

    /* A pair of keys of the context; 44 bytes: entries into a row of them are computed. */
    .macro FIRST_CONTEXT
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

    .macro MORE_CONTEXT first, second
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

    /* Back to `again` for another tile or head. */
    .macro END_CONTEXT round, tile, head
    FINISH_CONTEXT \round
    vmov r1, s29
    cmp r0, r1
    bne \tile
    vmov s20, r0
    NEXT_HEAD
    bne \head
    .endm

    .macro FEW_ROWS name, keys, round
    FUNCTION ts_m4_maps_\name
    push {r0, r4-r11, lr}
    vldm r0, {s16-s28}
1:  vmov r1, s16
    vmov r0, s17
    vmov r2, s18
    add r2, r1
    vmov s29, r2
    ALL_SCORES \keys
    vmov s16, r1
    vmov s17, r0
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
    BEGIN_CONTEXT
5:  FIRST_CONTEXT
    .if \keys > 2
    MORE_CONTEXT 2, 3
    .endif
    END_CONTEXT \round, 5b, 1b
    pop {r0, r4-r11, pc}
    .size ts_m4_maps_\name, . - ts_m4_maps_\name
    .endm

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
5:  FIRST_CONTEXT
    MORE_CONTEXT 2, 3
    MORE_CONTEXT 4, 5
    vmov r5, s31
    cmp r5, #0
    beq 7f
    MORE_CONTEXT 6, 7
7:  END_CONTEXT \round, 5b, 1b
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
5:  FIRST_CONTEXT
    vmov r5, s31
    bx r5
    MORE_CONTEXT 2, 3
    MORE_CONTEXT 4, 5
    MORE_CONTEXT 6, 7
    MORE_CONTEXT 8, 9
    MORE_CONTEXT 10, 11
    MORE_CONTEXT 12, 13
    MORE_CONTEXT 14, 15
    LABEL ts_m4_maps_\name\()_end
    END_CONTEXT \round, 5b, 1b
    END_FRAME
    .size ts_m4_maps_\name, . - ts_m4_maps_\name
    .endm

    FEW_ROWS two_floor, 2,
    FEW_ROWS two_half_up, 2, r
    FEW_ROWS three_floor, 3,
    FEW_ROWS three_half_up, 3, r
    FEW_ROWS four_floor, 4,
    FEW_ROWS four_half_up, 4, r
    SOME_ROWS some_floor,
    SOME_ROWS some_half_up, r
    MORE_ROWS more_floor,
    MORE_ROWS more_half_up, r
