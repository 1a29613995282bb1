// SPDX-License-Identifier: Apache-2.0
/* The matrix product of the Cortex-M7: strips of tiles of 4 x 2 dot products on panels of int16.
 *
 * Panels. Both operands hold pairs of neighbouring values along the reduction, one pair a word (the
 * lower index in the lower half). A 4-panel holds four rows of an operand, pair by pair:
 * [pair][4 rows]; a 2-panel holds two: [pair][2 rows]. SMLAD takes a word of each. Whoever produces
 * an operand stores it as the panel that its consumer reads, so nothing is ever transposed.
 *
 * The loop. A pair of the reduction is 8 SMLADs on 8 sums; the M7 issues one a cycle, and in the
 * other slot 6 loads into only four registers, each reloaded right behind its last use, two or
 * three cycles ahead of the next. So the sums, the operands and two pointers just fill the 14
 * registers, a step takes 8 cycles for 16 MACs, which is the core's limit, and every step is the
 * same code: it is unrolled 64 times and entered in the middle, longer reductions take several
 * rounds. Everything else lives in a frame at SP.
 *
 * A strip is a row of tiles: `a` moves from 4-panel to 4-panel, which follow one another; `b` stays
 * with one 2-panel. A call does `outer` strips, of the kind (ts_m7_tiles.h) that was called. */
#ifndef TS_M7_LOOP_H
#define TS_M7_LOOP_H

#include <stddef.h>
#include <stdint.h>

/* One call. The assembly knows the offsets: the first 12 words are its frame's first 12. */
typedef struct {
    const int16_t *b;      /*  0 2-panel of the first strip */
    void *output;          /*  4 where the first tile's results go */
    const int32_t *bias;   /*  8 of the first four channels; kinds with bias */
    uint32_t mul;          /* 12 mul', or in kinds per channel the address of an array of them */
    const int16_t *a_last; /* 16 last pair of a strip's last 4-panel */
    uint32_t step;         /* 20 from a tile's output to the next, where the kind does not say */
    const int16_t *a;      /* 24 pair before the first 4-panel's first */
    uint32_t outer;        /* 28 strips */
    uint32_t b_step;       /* 32 from a strip's 2-panel to the next strip's, in bytes */
    uint32_t outer_step;   /* 36 from the output of a strip's last tile to the next strip's first */
    uint32_t other_step;   /* 40 the same for every second strip */
    uint32_t pitch;        /* 44 from row to row of the output; kinds with rows */
    uint32_t pairs;        /* 48 of the reduction; at least 1 */
} ts_m7_call;

_Static_assert(offsetof(ts_m7_call, a_last) == 16 && offsetof(ts_m7_call, outer) == 28 &&
                   offsetof(ts_m7_call, pairs) == 48,
               "the assembly below uses these offsets");

typedef void ts_m7_strip_fn(const ts_m7_call *call);

// clang-format off


/* Registers: r4-r11 the sums of (row of a, row of b) 00 01 10 11 20 21 30 31; r0 r1 two words of a,
 * r2 r3 the words of b; r12 a, lr b. Of b the address is that of its second word. */
__asm__(
    ".syntax unified\n"
    ".thumb\n"
    ".macro ts_m7_head name\n"
    "    .pushsection .text.\\name, \"ax\", %progbits\n"
    "    .p2align 2\n"
    "    .thumb_func\n"
    "    .type \\name, %function\n"
    "\\name:\n"
    ".endm\n"
    ".macro ts_m7_tail name\n"
    "    .size \\name, . - \\name\n"
    "    .popsection\n"
    ".endm\n"

    /* The rest of a call: r0 ts_m7_call, r1 and r2 a kind's start and its epilogue. */
    "ts_m7_head ts_m7_strips\n"
    "    sub sp, sp, #92\n"
    "    orr r1, r1, #1\n"
    "    orr r2, r2, #1\n"
    "    ldm r0, {r3-r12, lr}\n"
    "    stm sp, {r3-r12, lr}\n"
    "    ldr r3, [r0, #44]\n"
    "    ldr r4, [r0, #48]\n"
    "    str r3, [sp, #44]\n"
    "    str r2, [sp, #52]\n"
    "    str r2, [sp, #56]\n"
    "    str r1, [sp, #60]\n"
    "    str r5, [sp, #64]\n"
    "    str r6, [sp, #68]\n"
    "    movw r7, #:lower16:ts_m7_last\n"
    "    movt r7, #:upper16:ts_m7_last\n"
    "    orr r7, r7, #1\n"
    "    mov r8, #56\n"
    "    subs r4, r4, #1\n"
    "    lsrs r3, r4, #6\n"
    "    and r4, r4, #63\n"
    "    mls r7, r4, r8, r7\n"
    "    str r7, [sp, #48]\n"
    "    bne 1f\n"
    "    bx r1\n"
    /* several rounds */
    "1:  str r7, [sp, #72]\n"
    "    str r3, [sp, #76]\n"
    "    adr r4, 2f\n"
    "    adr r5, 3f\n"
    "    orr r4, r4, #1\n"
    "    orr r5, r5, #1\n"
    "    str r4, [sp, #48]\n"
    "    str r5, [sp, #84]\n"
    "    bx r1\n"
    "    .p2align 2\n"
    "2:  ldr r1, [sp, #76]\n"
    "    str r1, [sp, #80]\n"
    "    ldr r1, [sp, #84]\n"
    "    str r1, [sp, #52]\n"
    "    ldr r1, [sp, #72]\n"
    "    bx r1\n"
    "    .p2align 2\n"
    "3:  ldr r1, [sp, #80]\n"
    "    ldr r0, [r12, #16]!\n"
    "    ldr r2, [lr, #4]\n"
    "    ldr r3, [lr, #8]!\n"
    "    subs r1, r1, #1\n"
    "    str r1, [sp, #80]\n"
    "    itt eq\n"
    "    ldreq r1, [sp, #56]\n"
    "    streq r1, [sp, #52]\n"
    "    b.w ts_m7_loop\n"
    "ts_m7_tail ts_m7_strips\n"

    "ts_m7_head ts_m7_loop\n"
    "    .rept 63\n"
    "    smlad r4, r0, r2, r4\n"
    "    ldr.w r1, [r12, #4]\n"
    "    smlad r5, r0, r3, r5\n"
    "    ldr.w r0, [r12, #8]\n"
    "    smlad r6, r1, r2, r6\n"
    "    smlad r7, r1, r3, r7\n"
    "    ldr.w r1, [r12, #12]\n"
    "    smlad r8, r0, r2, r8\n"
    "    smlad r9, r0, r3, r9\n"
    "    ldr.w r0, [r12, #16]!\n"
    "    smlad r10, r1, r2, r10\n"
    "    ldr.w r2, [lr, #4]\n"
    "    smlad r11, r1, r3, r11\n"
    "    ldr.w r3, [lr, #8]!\n"
    "    .endr\n"
    "ts_m7_last:\n"
    "    smlad r4, r0, r2, r4\n"
    "    ldr r1, [r12, #4]\n"
    "    smlad r5, r0, r3, r5\n"
    "    ldr r0, [r12, #8]\n"
    "    smlad r6, r1, r2, r6\n"
    "    smlad r7, r1, r3, r7\n"
    "    ldr r1, [r12, #12]\n"
    "    smlad r8, r0, r2, r8\n"
    "    smlad r9, r0, r3, r9\n"
    "    ldr r0, [sp, #52]\n"
    "    smlad r10, r1, r2, r10\n"
    "    ldr r2, [sp, #12]\n" /* mul, for the epilogue */
    "    smlad r11, r1, r3, r11\n"
    "    bx r0\n"
    "ts_m7_tail ts_m7_loop\n"

    /* Behind a strip: the next one, or the end. */
    "ts_m7_head ts_m7_next\n"
    "    ldr r0, [sp, #28]\n"
    "    ldr r1, [sp]\n"
    "    ldr r2, [sp, #32]\n"
    "    subs r0, r0, #1\n"
    "    beq 1f\n"
    "    ldr r3, [sp, #4]\n"
    "    ldr r4, [sp, #36]\n"
    "    ldr r5, [sp, #40]\n"
    "    ldr r6, [sp, #64]\n"
    "    ldr r7, [sp, #68]\n"
    "    ldr r8, [sp, #60]\n"
    "    str r0, [sp, #28]\n"
    "    add r1, r1, r2\n"
    "    str r1, [sp]\n"
    "    add r3, r3, r4\n"
    "    str r3, [sp, #4]\n"
    "    str r5, [sp, #36]\n"
    "    str r4, [sp, #40]\n"
    "    str r6, [sp, #8]\n"
    "    str r7, [sp, #12]\n"
    "    bx r8\n"
    "1:  add sp, sp, #92\n"
    "    pop {r4-r11, pc}\n"
    "ts_m7_tail ts_m7_next\n");

// clang-format on

#endif
