/* SPDX-License-Identifier: Apache-2.0 */
/* What mhsa/cortexm4_few_rows.S and cortexm4_one_channel_heads.S share: the map of two rows of queries with 2
 * to 4 keys, in registers all the way. Registers: ts_m4_maps.S. */
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

    /* The map of both rows of scores as bytes: row 0 in r6 and r8, row 1 in r10 and r12. `table`: the
     * register with its last byte's address. */
    .macro SOFTMAX keys, table
    pkhbt r0, r6, r10, lsl #16
    LARGER r7, r11
    .if \keys > 2
    LARGER r8, r12
    .endif
    .if \keys > 3
    LARGER r9, lr
    .endif
    vmov r5, \table
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
    .endm

    /* The same of the scores' sums; s19 is their factor. */
    .macro SCORES_TO_MAP keys, round, table
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
    SOFTMAX \keys, \table
    .endm
