// SPDX-License-Identifier: Apache-2.0
/* Projections of up to four rows to heads of few channels on the Cortex-M7: one channel of four
 * rows at a time, where the tiles of ts_m7_tiles.h, four channels of two rows, would mostly be
 * padding.
 *
 *   output[h][c][r] = requant(bias[h * channels + c] + sum over k of x[r, k] * weight[h][c, k])
 *
 *   x       4-panel of the rows, [pairs][4]
 *   weight  4-panels of each head's channels, one for every head: at most 4 channels
 *   output  int16 [heads][channels][4 rows]
 *
 * A channel of one pair of the reduction takes 24 cycles, every further pair 6. The reduction is
 * unrolled and entered where its length says, as in ts_m7_loop.h. */
#ifndef TS_M7_SHORT_H
#define TS_M7_SHORT_H

#include <stddef.h>
#include <stdint.h>

enum { TS_M7_SHORT_PAIRS = 16 }; /* of the longest reduction */

typedef struct {
    const int16_t *x;      /*  0 */
    const int16_t *weight; /*  4 */
    int16_t *output;       /*  8 */
    uint32_t pairs;        /* 12 1 .. TS_M7_SHORT_PAIRS */
    const int32_t *bias;   /* 16 */
    uint32_t mul;          /* 20 mul' of ts_m7_tiles.h, or the address of one for each channel */
    uint32_t channels;     /* 24 of a head */
    uint32_t skip;         /* 28 bytes from a head's last channel to the next one's first */
    const int16_t *end;    /* 32 of output */
} ts_m7_short_call;

_Static_assert(offsetof(ts_m7_short_call, bias) == 16 && offsetof(ts_m7_short_call, end) == 32,
               "the assembly below uses these offsets");

typedef void ts_m7_short_fn(const ts_m7_short_call *call);

/* Indexed by ts_m7_scale.code. */
ts_m7_short_fn ts_m7_short_floor, ts_m7_short_half_up, ts_m7_short_channel_floor,
    ts_m7_short_channel_half_up;

// clang-format off

/* Registers: r0 x and r1 weight, both so far before their first pair that the last step's offset is
 * the same for every length; r2 output, r3 entry of the steps, r4-r7 sums, r8-r11 operands,
 * r12 bias, lr channels left in this head. Frame: mul, channels, skip, end, epilogue. */
__asm__(
    ".syntax unified\n"
    ".thumb\n"
    ".macro ts_m7_short_head name\n"
    "    .pushsection .text.\\name, \"ax\", %progbits\n"
    "    .p2align 2\n"
    "    .thumb_func\n"
    "    .type \\name, %function\n"
    "\\name:\n"
    ".endm\n"
    ".macro ts_m7_short_tail name\n"
    "    .size \\name, . - \\name\n"
    "    .popsection\n"
    ".endm\n"

    "ts_m7_short_head ts_m7_short_steps\n"
    "    .set ts_m7_short_at, 0\n"
    "    .rept 15\n"
    "    ldr.w r10, [r1, #ts_m7_short_at]\n"
    "    ldr.w r8, [r0, #ts_m7_short_at]\n"
    "    ldr.w r9, [r0, #ts_m7_short_at + 4]\n"
    "    ldr.w r11, [r0, #ts_m7_short_at + 8]\n"
    "    smlad r4, r8, r10, r4\n"
    "    ldr.w r8, [r0, #ts_m7_short_at + 12]\n"
    "    smlad r5, r9, r10, r5\n"
    "    smlad r6, r11, r10, r6\n"
    "    smlad r7, r8, r10, r7\n"
    "    .set ts_m7_short_at, ts_m7_short_at + 16\n"
    "    .endr\n"
    "ts_m7_short_last:\n"
    "    ldr.w r10, [r1, #240]\n"
    "    ldr.w r8, [r0, #240]\n"
    "    ldr.w r9, [r0, #244]\n"
    "    ldr.w r11, [r0, #248]\n"
    "    smlad r4, r8, r10, r4\n"
    "    ldr.w r8, [r0, #252]\n"
    "    smlad r5, r9, r10, r5\n"
    "    ldr r9, [sp, #16]\n"
    "    smlad r6, r11, r10, r6\n"
    "    ldr r11, [sp]\n"
    "    smlad r7, r8, r10, r7\n"
    "    bx r9\n"
    "ts_m7_short_tail ts_m7_short_steps\n"

    /* r0 ts_m7_short_call, r8 the epilogue */
    "ts_m7_short_head ts_m7_short_start\n"
    "    ldr r12, [r0, #16]\n"
    "    ldr lr, [r0, #24]\n"
    "    ldr r4, [r0, #20]\n"
    "    ldr r6, [r0, #28]\n"
    "    ldr r7, [r0, #32]\n"
    "    orr r8, r8, #1\n"
    "    str r4, [sp]\n"
    "    str lr, [sp, #4]\n"
    "    str r6, [sp, #8]\n"
    "    str r7, [sp, #12]\n"
    "    str r8, [sp, #16]\n"
    "    ldm r0, {r0-r3}\n"
    "    movw r9, #:lower16:ts_m7_short_last\n"
    "    movt r9, #:upper16:ts_m7_short_last\n"
    "    mov r8, #36\n"
    "    sub r10, r3, #1\n"
    "    orr r9, r9, #1\n"
    "    mls r3, r10, r8, r9\n"
    "    sub r10, r10, #15\n"
    "    add r0, r0, r10, lsl #4\n"
    "    add r1, r1, r10, lsl #4\n"
    "    b.w ts_m7_short_sums\n"
    "ts_m7_short_tail ts_m7_short_start\n"
    "ts_m7_short_head ts_m7_short_sums\n"
    "    ldr r4, [r12], #4\n"
    "    ldr r5, [r12, #-4]\n"
    "    ldr r6, [r12, #-4]\n"
    "    ldr r7, [r12, #-4]\n"
    "    bx r3\n"
    "ts_m7_short_tail ts_m7_short_sums\n"

    ".macro ts_m7_short_kind name, mul, per_channel\n"
    "    ts_m7_short_head \\name\n"
    "    push {r4-r11, lr}\n"
    "    sub sp, sp, #20\n"
    "    adr r8, 2f\n"
    "    b.w ts_m7_short_start\n"
    "    .p2align 2\n"
    "2:  .if \\per_channel\n"
    "    ldr r10, [r11], #4\n"
    "    subs lr, lr, #1\n"
    "    str r11, [sp]\n"
    "    ldr r9, [sp, #8]\n"
    "    \\mul r4, r4, r10\n"
    "    \\mul r5, r5, r10\n"
    "    \\mul r6, r6, r10\n"
    "    ssat r4, #8, r4\n"
    "    \\mul r7, r7, r10\n"
    "    .else\n"
    "    \\mul r4, r4, r11\n"
    "    ldr r9, [sp, #8]\n"
    "    \\mul r5, r5, r11\n"
    "    subs lr, lr, #1\n"
    "    \\mul r6, r6, r11\n"
    "    ssat r4, #8, r4\n"
    "    \\mul r7, r7, r11\n"
    "    .endif\n"
    "    ssat r5, #8, r5\n"
    "    add r1, r1, #4\n"
    "    ssat r6, #8, r6\n"
    "    itt eq\n"
    "    ldreq lr, [sp, #4]\n"
    "    addeq r1, r1, r9\n"
    "    ssat r7, #8, r7\n"
    "    ldr r8, [sp, #12]\n"
    "    pkhbt r4, r4, r5, lsl #16\n"
    "    str r4, [r2], #8\n"
    "    pkhbt r6, r6, r7, lsl #16\n"
    "    cmp r2, r8\n"
    "    str r6, [r2, #-4]\n"
    "    bne.w ts_m7_short_sums\n"
    "    add sp, sp, #20\n"
    "    pop {r4-r11, pc}\n"
    "    ts_m7_short_tail \\name\n"
    ".endm\n"
    "ts_m7_short_kind ts_m7_short_floor, smmul, 0\n"
    "ts_m7_short_kind ts_m7_short_half_up, smmulr, 0\n"
    "ts_m7_short_kind ts_m7_short_channel_floor, smmul, 1\n"
    "ts_m7_short_kind ts_m7_short_channel_half_up, smmulr, 1\n");

// clang-format on

#endif
