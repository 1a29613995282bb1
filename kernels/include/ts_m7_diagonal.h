// SPDX-License-Identifier: Apache-2.0
/* Kinds of strips (ts_m7_tiles.h) along a row of heads: every tile has a part of b of its own,
 * which follows the last tile's, where the tiles of other kinds share one. So all heads' scores or
 * contexts are one call. Sums start with 0; `step` lies between the results of neighbouring tiles.
 * Not for requantisations that are steep (ts_m7_scale). */
#ifndef TS_M7_DIAGONAL_H
#define TS_M7_DIAGONAL_H

#include "ts_m7_tiles.h"

/* Bytes from where a tile ends in a, and in b, to where the next one begins. They lie where kinds
 * with rows have their pitch and those with biases their address. */
static inline void ts_m7_set_skips(ts_m7_call *call, uint32_t a, uint32_t b) {
    call->pitch = a;
    call->bias = (const int32_t *)(uintptr_t)b;
}

// clang-format off

__asm__(
    ".syntax unified\n"
    ".thumb\n"
    /* From a tile's first store on to the next tile; r2 has the last multiplier. */
    ".macro ts_m7_diagonal_next mul, store, o0, o1, o2, o3, o4, o5, o6, o7\n"
    "    \\store r5, [r3, #\\o1]\n"
    "    mov r5, #0\n"
    "    ssat r6, #8, r6\n"
    "    \\mul r11, r11, r2\n"
    "    \\store r4, [r3, #\\o0]\n"
    "    mov r4, #0\n"
    "    ssat r9, #8, r9\n"
    "    \\mul r10, r10, r2\n"
    "    \\store r7, [r3, #\\o3]\n"
    "    mov r7, #0\n"
    "    ssat r8, #8, r8\n"
    "    ldr r1, [sp, #44]\n"
    "    \\store r6, [r3, #\\o2]\n"
    "    mov r6, #0\n"
    "    ssat r11, #8, r11\n"
    "    ldr r0, [sp, #8]\n"
    "    \\store r9, [r3, #\\o5]\n"
    "    add r12, r12, r1\n"
    "    ssat r10, #8, r10\n"
    "    ldr r1, [sp, #48]\n"
    "    \\store r8, [r3, #\\o4]\n"
    "    add lr, lr, r0\n"
    "    ldr r2, [sp, #20]\n"
    "    mov r9, #0\n"
    "    \\store r11, [r3, #\\o7]\n"
    "    mov r8, #0\n"
    "    \\store r10, [r3, #\\o6]\n"
    "    add r3, r3, r2\n"
    "    ldr r0, [r12, #16]!\n"
    "    mov r11, #0\n"
    "    str r3, [sp, #4]\n"
    "    ldr r2, [lr, #4]!\n"
    "    mov r10, #0\n"
    "    ldr r3, [lr, #4]!\n"
    "    bx r1\n"
    ".endm\n"

    ".macro ts_m7_diagonal name, mul, store, o0, o1, o2, o3, o4, o5, o6, o7\n"
    "    ts_m7_begin \\name\n"
    "    ts_m7_first_sums 0\n"
    "    .p2align 2\n"
    "2:  \\mul r5, r5, r2\n"
    "    ldr r1, [sp, #16]\n"
    "    \\mul r4, r4, r2\n"
    "    ldr r3, [sp, #4]\n"
    "    \\mul r7, r7, r2\n"
    "    cmp r12, r1\n"
    "    ssat r5, #8, r5\n"
    "    \\mul r6, r6, r2\n"
    "    ssat r4, #8, r4\n"
    "    \\mul r9, r9, r2\n"
    "    ssat r7, #8, r7\n"
    "    beq 3f\n"
    "    \\mul r8, r8, r2\n"
    "    ts_m7_diagonal_next \\mul, \\store, \\o0, \\o1, \\o2, \\o3, \\o4, \\o5, \\o6, \\o7\n"
    "3:  \\mul r8, r8, r2\n"
    "    ts_m7_last_stores \\mul, \\store, 0, r2, r2, \\o0, \\o1, \\o2, \\o3, \\o4, \\o5, \\o6, \\o7\n"
    "    ts_m7_tail \\name\n"
    ".endm\n"

    ".macro ts_m7_channel_diagonal name, mul, store, o0, o1, o2, o3, o4, o5, o6, o7\n"
    "    ts_m7_begin \\name\n"
    "    ts_m7_first_sums 0\n"
    "    .p2align 2\n"
    "2:  ldr r0, [r2], #16\n"
    "    ldr r1, [r2, #-12]\n"
    "    ldr r3, [sp, #4]\n"
    "    str r2, [sp, #12]\n"
    "    \\mul r5, r5, r0\n"
    "    \\mul r4, r4, r0\n"
    "    ldr r0, [sp, #16]\n"
    "    \\mul r7, r7, r1\n"
    "    ssat r5, #8, r5\n"
    "    \\mul r6, r6, r1\n"
    "    ldr r1, [r2, #-8]\n"
    "    cmp r12, r0\n"
    "    ssat r4, #8, r4\n"
    "    ldr r2, [r2, #-4]\n"
    "    \\mul r9, r9, r1\n"
    "    ssat r7, #8, r7\n"
    "    beq 3f\n"
    "    \\mul r8, r8, r1\n"
    "    ts_m7_diagonal_next \\mul, \\store, \\o0, \\o1, \\o2, \\o3, \\o4, \\o5, \\o6, \\o7\n"
    "3:  \\mul r8, r8, r1\n"
    "    ts_m7_last_stores \\mul, \\store, 0, r1, r2, \\o0, \\o1, \\o2, \\o3, \\o4, \\o5, \\o6, \\o7\n"
    "    ts_m7_tail \\name\n"
    ".endm\n"

    /* bytes [2 rows of b][4 rows of a] */
    "ts_m7_diagonal ts_m7_scores_floor, smmul, strb, 0, 4, 1, 5, 2, 6, 3, 7\n"
    "ts_m7_diagonal ts_m7_scores_half_up, smmulr, strb, 0, 4, 1, 5, 2, 6, 3, 7\n"
    /* rows of b to a 2-panel along a's axis, from an even or an odd index on */
    "ts_m7_diagonal ts_m7_even_floor, smmul, strh, 0, 4, 2, 6, 8, 12, 10, 14\n"
    "ts_m7_diagonal ts_m7_even_half_up, smmulr, strh, 0, 4, 2, 6, 8, 12, 10, 14\n"
    "ts_m7_channel_diagonal ts_m7_even_channel_floor, smmul, strh, 0, 4, 2, 6, 8, 12, 10, 14\n"
    "ts_m7_channel_diagonal ts_m7_even_channel_half_up, smmulr, strh, 0, 4, 2, 6, 8, 12, 10, 14\n"
    "ts_m7_diagonal ts_m7_odd_floor, smmul, strh, 2, 6, 8, 12, 10, 14, 16, 20\n"
    "ts_m7_diagonal ts_m7_odd_half_up, smmulr, strh, 2, 6, 8, 12, 10, 14, 16, 20\n"
    "ts_m7_channel_diagonal ts_m7_odd_channel_floor, smmul, strh, 2, 6, 8, 12, 10, 14, 16, 20\n"
    "ts_m7_channel_diagonal ts_m7_odd_channel_half_up, smmulr, strh, 2, 6, 8, 12, 10, 14, 16, 20\n");

// clang-format on

ts_m7_strip_fn ts_m7_scores_floor, ts_m7_scores_half_up, ts_m7_even_floor, ts_m7_even_half_up,
    ts_m7_even_channel_floor, ts_m7_even_channel_half_up, ts_m7_odd_floor, ts_m7_odd_half_up,
    ts_m7_odd_channel_floor, ts_m7_odd_channel_half_up;

#endif
