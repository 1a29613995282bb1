/* SPDX-License-Identifier: Apache-2.0 */
/* What mhsa/cortexm4_few_rows.S and cortexm4_some_rows.S share: scores, map and context of two rows
 * of queries, all heads in one call. mhsa/cortexm4_brief.h has the operands' layouts.
 *
 * What the general registers cannot hold is in s16-s31, in the order of ts_m4_maps, of which s29
 * and s30 are free; s0-s15 are the map, [pair of keys][row]. Eight sums are in r6-r12 and lr, first
 * those of row 0. The frame starts with ts_m4_maps' address. */
#include "ts_m4_step.S"

    /* Of ts_m4_maps. */
    .equ ADVANCE, 52
    .equ TOGGLE, 56
    .equ HEADS, 64
    .equ KEYS, 68
    .equ ROWS, 72
    .equ HALF, 76

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

    /* r0 keys, r1 queries up to s29, at least two steps. */
    .macro ALL_SCORES keys
    FIRST_SCORES \keys
    vmov r4, s29
    sub r5, r4, r1
    lsls r5, r5, #28            /* minus: an odd number is left */
    bmi 3f
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

    /* A tile of the context, four channels of both rows or two, to halves of words: s25 is 4 where a
     * head starts in the middle of one. */
    .macro FINISH_CONTEXT round, columns
    vmov r5, s22
    .if \columns > 2
    ldmia r5, {r1-r4}
    REQUANT_8 \round, , , r1, r2, r3, r4
    .else
    ldrd r1, r2, [r5]
    smmul\round r6, r6, r1
    smmul\round r7, r7, r2
    smmul\round r10, r10, r1
    smmul\round r11, r11, r2
    .endif
    vmov r1, s23
    .if \columns > 2
    add r5, r1
    .else
    add r5, r5, r1, lsr #1
    .endif
    vmov s22, r5
    ssat r6, #8, r6
    ssat r7, #8, r7
    ssat r10, #8, r10
    ssat r11, #8, r11
    .if \columns > 2
    ssat r8, #8, r8
    ssat r9, #8, r9
    ssat r12, #8, r12
    ssat lr, #8, lr
    .endif
    vmov r5, s30
    vmov r1, s25
    add r4, r5, r1
    strh r6, [r5]
    strh r10, [r5, #4]
    strh r7, [r4, #2]
    strh r11, [r4, #6]
    .if \columns > 2
    strh r8, [r5, #8]
    strh r12, [r5, #12]
    strh r9, [r4, #10]
    strh lr, [r4, #14]
    add r5, #16
    vmov s30, r5
    .endif
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

    /* A pair of keys of the context of half a tile; of a whole one it is STEP. */
    .macro FIRST_HALF
    ldrd r1, r2, [r0], #16
    vmov r4, s0
    vmov r5, s1
    smuad r6, r1, r4
    smuad r7, r2, r4
    smuad r10, r1, r5
    smuad r11, r2, r5
    .endm

    .macro MORE_HALF first, second
    ldrd r1, r2, [r0], #16
    vmov r4, s\first
    vmov r5, s\second
    smlad r6, r1, r4, r6
    smlad r7, r2, r4, r7
    smlad r10, r1, r5, r10
    smlad r11, r2, r5, r11
    .endm

    /* Back to `tile` for another one. */
    .macro END_TILE round, tile
    FINISH_CONTEXT \round, 4
    vmov r1, s29
    cmp r0, r1
    bne \tile
    .endm

    /* Back to `head` for another one. */
    .macro END_HEAD head
    vmov s20, r0
    NEXT_HEAD
    bne \head
    .endm
