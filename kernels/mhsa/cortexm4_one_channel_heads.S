/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of one channel with 2 to 4 rows: queries, keys, values, map and context of a head without
 * leaving the registers, all heads in one call (ts_m4_one_channel of cortexm4_brief.h). No reduction
 * has a second channel to share a word with, so a word holds two rows of queries, keys or values.
 *
 * s0-s5 are the head's queries, keys and values, a pair of rows each; s15-s31 are ts_m4_one_channel. */
#include "ts_m4_few_keys.S"

    /* A head's vector of queries, keys or values to s\first and s\second; lr is the input's end. */
    .macro PROJECT keys, round, weight, bias, factor, first, second
    vmov r11, \bias
    vmov r0, \weight
    vmov r6, s15
    ldr r7, [r11], #4
    mov r8, r7
    .if \keys > 2
    mov r9, r7
    mov r10, r7
    .endif
2:  ldr r5, [r0], #16
    .if \keys > 2
    ldmia r6!, {r1-r4}
    .else
    ldrd r1, r2, [r6], #8
    .endif
    smlad r7, r1, r5, r7
    smlad r8, r2, r5, r8
    .if \keys > 2
    smlad r9, r3, r5, r9
    smlad r10, r4, r5, r10
    .endif
    cmp r6, lr
    bne 2b
    vmov r12, \factor
    vmov \bias, r11
    vmov \weight, r0
    smmul\round r7, r7, r12
    smmul\round r8, r8, r12
    ssat r7, #8, r7
    ssat r8, #8, r8
    pkhbt r7, r7, r8, lsl #16
    vmov \first, r7
    .if \keys > 2
    smmul\round r9, r9, r12
    smmul\round r10, r10, r12
    ssat r9, #8, r9
    ssat r10, #8, r10
    pkhbt r9, r9, r10, lsl #16
    vmov \second, r9
    .endif
    .endm

    /* Two rows of `query` from their scores on, contexts to halves of words from r5 on. */
    .macro ATTEND keys, round, query
    vmov r0, \query
    vmov r1, s2
    smulbb r6, r0, r1
    smulbt r7, r0, r1
    smultb r10, r0, r1
    smultt r11, r0, r1
    .if \keys > 2
    vmov r1, s3
    smulbb r8, r0, r1
    smultb r12, r0, r1
    .endif
    .if \keys > 3
    smulbt r9, r0, r1
    smultt lr, r0, r1
    .endif
    SCORES_TO_MAP \keys, \round, s22
    vmov r0, s4
    vmov r1, s20
    vmov r5, s17
    smuad r6, r6, r0
    smuad r10, r10, r0
    .if \keys > 2
    vmov r0, s5
    smlad r6, r8, r0, r6
    smlad r10, r12, r0, r10
    .endif
    smmul\round r6, r6, r1
    smmul\round r10, r10, r1
    .endm

    .macro STORE_CONTEXT
    ssat r6, #8, r6
    ssat r10, #8, r10
    strh r6, [r5]
    strh r10, [r5, #4]
    .endm

    .macro ONE_CHANNEL name, keys, round
    FUNCTION ts_m4_one_channel_\name
    push {r4-r11, lr}
    vldm r0, {s15-s31}
1:  vmov lr, s16
    PROJECT \keys, \round, s23, s24, s25, s0, s1
    PROJECT \keys, \round, s26, s27, s28, s2, s3
    PROJECT \keys, \round, s29, s30, s31, s4, s5
    ATTEND \keys, \round, s0
    STORE_CONTEXT
    .if \keys > 2
    ATTEND \keys, \round, s1
    vmov r2, s21
    add r5, r2
    STORE_CONTEXT
    vmov r5, s17
    .endif
    /* Of the two halves of a word one head has the first, the next one the second. */
    vmov r1, s18
    add r5, #2
    tst r5, #2
    it eq
    addeq r5, #4
    vmov s17, r5
    cmp r5, r1
    bne 1b
    pop {r4-r11, pc}
    .size ts_m4_one_channel_\name, . - ts_m4_one_channel_\name
    .endm

    ONE_CHANNEL two_floor, 2,
    ONE_CHANNEL two_half_up, 2, r
    ONE_CHANNEL three_floor, 3,
    ONE_CHANNEL three_half_up, 3, r
    ONE_CHANNEL four_floor, 4,
    ONE_CHANNEL four_half_up, 4, r
