// SPDX-License-Identifier: Apache-2.0
/* The kinds of strips of ts_m7_loop.h: how a tile's sums start, how they are requantised and where
 * the results go. A kind's epilogue also starts the next tile's sums, two instructions a cycle.
 *
 * Requantisation. With mul' = mul << (32 - shift), floor(sum * mul / 2^shift) is the high word of
 * sum * mul', one SMMUL; SMMULR adds half a unit before, which is rounding half up. Both are exact
 * for every sum as long as mul' < 2^31 (ts_m7_fits). */
#ifndef TS_M7_TILES_H
#define TS_M7_TILES_H

#include "ts_m7_loop.h"

// clang-format off

__asm__(
    ".syntax unified\n"
    ".thumb\n"
    /* How a kind begins; \row is what its first strip and every other start with. */
    ".macro ts_m7_begin name\n"
    "    ts_m7_head \\name\n"
    "    push {r4-r11, lr}\n"
    "    adr r1, 1f\n"
    "    adr r2, 2f\n"
    "    b.w ts_m7_strips\n"
    "    .p2align 2\n"
    "1:  ldr r12, [sp, #24]\n"
    "    ldr lr, [sp]\n"
    ".endm\n"
    /* First words of the operands, and off. r1: entry of the loop. */
    ".macro ts_m7_go\n"
    "    ldr r2, [lr]\n"
    "    ldr r0, [r12, #16]!\n"
    "    ldr r3, [lr, #4]!\n"
    "    bx r1\n"
    ".endm\n"
    ".macro ts_m7_first_sums init\n"
    "    ldr r1, [sp, #48]\n"
    "    .if \\init\n"
    "    ldr r0, [sp, #8]\n"
    "    ldr r4, [r0], #16\n"
    "    ldr r5, [r0, #-16]\n"
    "    ldr r6, [r0, #-12]\n"
    "    ldr r7, [r0, #-12]\n"
    "    ldr r8, [r0, #-8]\n"
    "    ldr r9, [r0, #-8]\n"
    "    ldr r10, [r0, #-4]\n"
    "    ldr r11, [r0, #-4]\n"
    "    str r0, [sp, #8]\n"
    "    .else\n"
    "    mov r4, #0\n"
    "    mov r5, #0\n"
    "    mov r6, #0\n"
    "    mov r7, #0\n"
    "    mov r8, #0\n"
    "    mov r9, #0\n"
    "    mov r10, #0\n"
    "    mov r11, #0\n"
    "    .endif\n"
    "    ts_m7_go\n"
    ".endm\n"
    /* A sum's next start; `from` is where r0 finds its bias. */
    ".macro ts_m7_sum init, sum, from\n"
    "    .if \\init\n"
    "    ldr \\sum, [r0, #\\from]\n"
    "    .else\n"
    "    mov \\sum, #0\n"
    "    .endif\n"
    ".endm\n"
    /* Where results go. rows 1: b's first row at r3, its second at lr. rows 2: both at r3, which moves
     * on by lr with every row of a. */
    ".macro ts_m7_second_row rows\n"
    "    .if \\rows == 1\n"
    "    add lr, lr, r3\n"
    "    .endif\n"
    ".endm\n"
    ".macro ts_m7_store store, rows, sum, offset\n"
    "    .if \\rows == 1\n"
    "    \\store \\sum, [lr, #\\offset]\n"
    "    .else\n"
    "    \\store \\sum, [r3, #\\offset]\n"
    "    .endif\n"
    ".endm\n"
    ".macro ts_m7_next_column rows\n"
    "    .if \\rows == 2\n"
    "    add r3, r3, lr\n"
    "    .endif\n"
    ".endm\n"

    /* From a tile's first store on, while the next tile's sums are started; its multipliers but the
     * last two rows' are spent, which r2 has. */
    ".macro ts_m7_next_tile mul, store, init, rows, step, o0, o1, o2, o3, o4, o5, o6, o7\n"
    "    ts_m7_store \\store, \\rows, r5, \\o1\n"
    "    ts_m7_sum \\init, r5, 0\n"
    "    ssat r6, #8, r6\n"
    "    \\mul r11, r11, r2\n"
    "    \\store r4, [r3, #\\o0]\n"
    "    ts_m7_next_column \\rows\n"
    "    ts_m7_sum \\init, r4, 0\n"
    "    ssat r9, #8, r9\n"
    "    \\mul r10, r10, r2\n"
    "    ts_m7_store \\store, \\rows, r7, \\o3\n"
    "    ts_m7_sum \\init, r7, 4\n"
    "    ssat r8, #8, r8\n"
    "    ldr r1, [sp, #48]\n"
    "    \\store r6, [r3, #\\o2]\n"
    "    ts_m7_next_column \\rows\n"
    "    ts_m7_sum \\init, r6, 4\n"
    "    ssat r11, #8, r11\n"
    "    .if \\rows == 0\n"
    "    ldr lr, [sp]\n"
    "    .endif\n"
    "    ts_m7_store \\store, \\rows, r9, \\o5\n"
    "    ts_m7_sum \\init, r9, 8\n"
    "    ssat r10, #8, r10\n"
    "    \\store r8, [r3, #\\o4]\n"
    "    ts_m7_next_column \\rows\n"
    "    ts_m7_sum \\init, r8, 8\n"
    "    ts_m7_store \\store, \\rows, r11, \\o7\n"
    "    ts_m7_sum \\init, r11, 12\n"
    "    .if \\rows == 1\n"
    "    ldr lr, [sp]\n"
    "    .endif\n"
    "    .if \\step == 0\n"
    "    ldr r2, [sp, #20]\n"
    "    .endif\n"
    "    \\store r10, [r3, #\\o6]\n"
    "    ts_m7_sum \\init, r10, 12\n"
    "    .if \\init\n"
    "    add r0, r0, #16\n"
    "    str r0, [sp, #8]\n"
    "    .endif\n"
    "    .if \\rows == 2\n"
    "    add r3, r3, lr\n"
    "    ldr lr, [sp]\n"
    "    .elseif \\step\n"
    "    add r3, r3, #\\step\n"
    "    .else\n"
    "    add r3, r3, r2\n"
    "    .endif\n"
    "    ldr r0, [r12, #16]!\n"
    "    str r3, [sp, #4]\n"
    "    ldr r2, [lr]\n"
    "    ldr r3, [lr, #4]!\n"
    "    bx r1\n"
    ".endm\n"

    /* Per tensor. init: sums start with biases, else with 0. rows 1: b's second row goes `pitch`
     * behind the first, and is stored first, so that pitch 0 drops it; rows 2: each row of a goes
     * `pitch` behind the one before. step 0: variable. */
    ".macro ts_m7_kind name, mul, store, init, rows, step, o0, o1, o2, o3, o4, o5, o6, o7\n"
    "    ts_m7_begin \\name\n"
    "    ts_m7_first_sums \\init\n"
    "    .p2align 2\n"
    "2:  \\mul r5, r5, r2\n"
    "    ldr r3, [sp, #4]\n"
    "    \\mul r4, r4, r2\n"
    "    ldr r1, [sp, #16]\n"
    "    \\mul r7, r7, r2\n"
    "    .if \\rows\n"
    "    ldr lr, [sp, #44]\n"
    "    .else\n"
    "    ldr r0, [sp, #8]\n"
    "    .endif\n"
    "    ssat r5, #8, r5\n"
    "    \\mul r6, r6, r2\n"
    "    cmp r12, r1\n"
    "    ts_m7_second_row \\rows\n"
    "    ssat r4, #8, r4\n"
    "    \\mul r9, r9, r2\n"
    "    beq 3f\n"
    "    .if \\rows\n"
    "    ldr r0, [sp, #8]\n"
    "    .endif\n"
    "    ssat r7, #8, r7\n"
    "    \\mul r8, r8, r2\n"
    "    ts_m7_next_tile \\mul, \\store, \\init, \\rows, \\step, \\o0, \\o1, \\o2, \\o3, \\o4, \\o5, \\o6, \\o7\n"
    /* the strip's last tile */
    "3:  ssat r7, #8, r7\n"
    "    \\mul r8, r8, r2\n"
    "    ts_m7_last_stores \\mul, \\store, \\rows, r2, r2, \\o0, \\o1, \\o2, \\o3, \\o4, \\o5, \\o6, \\o7\n"
    "    ts_m7_tail \\name\n"
    ".endm\n"

    ".macro ts_m7_last_stores mul, store, rows, m2, m3, o0, o1, o2, o3, o4, o5, o6, o7\n"
    "    ts_m7_store \\store, \\rows, r5, \\o1\n"
    "    ssat r6, #8, r6\n"
    "    \\mul r11, r11, \\m3\n"
    "    \\store r4, [r3, #\\o0]\n"
    "    ts_m7_next_column \\rows\n"
    "    ssat r9, #8, r9\n"
    "    \\mul r10, r10, \\m3\n"
    "    ts_m7_store \\store, \\rows, r7, \\o3\n"
    "    ssat r8, #8, r8\n"
    "    \\store r6, [r3, #\\o2]\n"
    "    ts_m7_next_column \\rows\n"
    "    ssat r11, #8, r11\n"
    "    ts_m7_store \\store, \\rows, r9, \\o5\n"
    "    ssat r10, #8, r10\n"
    "    \\store r8, [r3, #\\o4]\n"
    "    ts_m7_next_column \\rows\n"
    "    ts_m7_store \\store, \\rows, r11, \\o7\n"
    "    \\store r10, [r3, #\\o6]\n"
    "    b.w ts_m7_next\n"
    ".endm\n"

    /* Per channel: `mul` is the address of the strip's multipliers, one for each row of a. */
    ".macro ts_m7_channel_kind name, mul, store, init, rows, step, o0, o1, o2, o3, o4, o5, o6, o7\n"
    "    ts_m7_begin \\name\n"
    "    ts_m7_first_sums \\init\n"
    "    .p2align 2\n"
    "2:  ldr r0, [r2], #16\n"
    "    ldr r3, [sp, #4]\n"
    "    ldr r1, [r2, #-12]\n"
    "    str r2, [sp, #12]\n"
    "    \\mul r5, r5, r0\n"
    "    .if \\rows\n"
    "    ldr lr, [sp, #44]\n"
    "    .endif\n"
    "    \\mul r4, r4, r0\n"
    "    ldr r0, [sp, #16]\n"
    "    \\mul r7, r7, r1\n"
    "    ts_m7_second_row \\rows\n"
    "    ssat r5, #8, r5\n"
    "    \\mul r6, r6, r1\n"
    "    ldr r1, [r2, #-8]\n"
    "    cmp r12, r0\n"
    "    ldr r2, [r2, #-4]\n"
    "    ssat r4, #8, r4\n"
    "    \\mul r9, r9, r1\n"
    "    beq 3f\n"
    "    ldr r0, [sp, #8]\n"
    "    ssat r7, #8, r7\n"
    "    \\mul r8, r8, r1\n"
    "    ts_m7_next_tile \\mul, \\store, \\init, \\rows, \\step, \\o0, \\o1, \\o2, \\o3, \\o4, \\o5, \\o6, \\o7\n"
    "3:  ssat r7, #8, r7\n"
    "    \\mul r8, r8, r1\n"
    "    ts_m7_last_stores \\mul, \\store, \\rows, r1, r2, \\o0, \\o1, \\o2, \\o3, \\o4, \\o5, \\o6, \\o7\n"
    "    ts_m7_tail \\name\n"
    ".endm\n"

    /* No requantisation: a tile's eight sums start with the eight words at `output`, [4][2], and
     * return there; the next tile's follow. `step` is what lies between a tile's part of a and the
     * next one's. */
    "    ts_m7_begin ts_m7_sums\n"
    "    ldr r1, [sp, #48]\n"
    "    ldr r3, [sp, #4]\n"
    "    ldm r3, {r4-r11}\n"
    "    ts_m7_go\n"
    "    .p2align 2\n"
    "2:  ldr r3, [sp, #4]\n"
    "    ldr r2, [sp, #16]\n"
    "    ldr lr, [sp]\n"
    "    ldr r1, [sp, #48]\n"
    "    cmp r12, r2\n"
    "    beq 3f\n"
    "    str r4, [r3], #32\n"
    "    ldr r4, [r3]\n"
    "    str r5, [r3, #-28]\n"
    "    ldr r5, [r3, #4]\n"
    "    ldr r0, [sp, #20]\n"
    "    str r6, [r3, #-24]\n"
    "    ldr r6, [r3, #8]\n"
    "    str r7, [r3, #-20]\n"
    "    ldr r7, [r3, #12]\n"
    "    str r8, [r3, #-16]\n"
    "    ldr r8, [r3, #16]\n"
    "    str r9, [r3, #-12]\n"
    "    ldr r9, [r3, #20]\n"
    "    str r10, [r3, #-8]\n"
    "    ldr r10, [r3, #24]\n"
    "    str r11, [r3, #-4]\n"
    "    ldr r11, [r3, #28]\n"
    "    add r12, r12, r0\n"
    "    str r3, [sp, #4]\n"
    "    ldr r2, [lr]\n"
    "    ldr r0, [r12, #16]!\n"
    "    ldr r3, [lr, #4]!\n"
    "    bx r1\n"
    "3:  stm r3, {r4-r11}\n"
    "    b.w ts_m7_next\n"
    "    ts_m7_tail ts_m7_sums\n");

/* A kind: its four codes, and what ts_m7_product.h needs to do the same without them. */
typedef struct {
    ts_m7_strip_fn *strips[4]; /* [per channel][half up] */
    uint8_t bytes;             /* of a result: 1, or 2 for int16 */
    uint8_t init, rows, step;
    uint8_t offsets[8]; /* of the results of sums 00 01 10 11 20 21 30 31 */
} ts_m7_kind;

enum { TS_M7_strb = 1, TS_M7_strh = 2 };

/* Kinds that a kernel does not use leave no code. */
#define TS_M7_KIND(name, store, init, rows, step, ...)                                      \
    extern ts_m7_strip_fn name##_floor, name##_half_up, name##_channel_floor,               \
        name##_channel_half_up;                                                             \
    static const ts_m7_kind name __attribute__((unused)) = {                                \
        {name##_floor, name##_half_up, name##_channel_floor, name##_channel_half_up},       \
        TS_M7_##store, init, rows, step, {__VA_ARGS__}};                                    \
    __asm__("ts_m7_kind " #name "_floor, smmul, " #store ", " #init ", " #rows ", " #step   \
            ", " #__VA_ARGS__ "\n"                                                          \
            "ts_m7_kind " #name "_half_up, smmulr, " #store ", " #init ", " #rows ", " #step \
            ", " #__VA_ARGS__ "\n"                                                          \
            "ts_m7_channel_kind " #name "_channel_floor, smmul, " #store ", " #init ", "    \
            #rows ", " #step ", " #__VA_ARGS__ "\n"                                         \
            "ts_m7_channel_kind " #name "_channel_half_up, smmulr, " #store ", " #init ", " \
            #rows ", " #step ", " #__VA_ARGS__ "\n")

/*                              store init rows step offsets */
/* rows of b to a 2-panel along a's axis: queries, context */
TS_M7_KIND(ts_m7_to_2_panel,     strh, 1, 0, 16, 0, 4, 2, 6, 8, 12, 10, 14);
TS_M7_KIND(ts_m7_context_even,   strh, 0, 0, 16, 0, 4, 2, 6, 8, 12, 10, 14);
/* the same from an odd index on */
TS_M7_KIND(ts_m7_context_odd,    strh, 0, 0, 16, 2, 6, 8, 12, 10, 14, 16, 20);
/* rows of b to half a 4-panel along a's axis: keys */
TS_M7_KIND(ts_m7_to_4_panel,     strh, 1, 0, 32, 0, 4, 2, 6, 16, 20, 18, 22);
/* rows of a to a 4-panel along b's axis: values */
TS_M7_KIND(ts_m7_to_transposed,  strh, 1, 0, 0,  0, 2, 4, 6, 8, 10, 12, 14);
/* bytes [2 rows of b][4 rows of a]: scores */
TS_M7_KIND(ts_m7_to_bytes,       strb, 0, 0, 8,  0, 4, 1, 5, 2, 6, 3, 7);
/* rows of bytes, `pitch` apart: what leaves a kernel */
TS_M7_KIND(ts_m7_to_rows,        strb, 1, 1, 4,  0, 0, 1, 1, 2, 2, 3, 3);
/* the same transposed: rows of a, `pitch` apart */
TS_M7_KIND(ts_m7_to_columns,     strb, 1, 2, 1,  0, 1, 0, 1, 0, 1, 0, 1);

extern ts_m7_strip_fn ts_m7_sums;

// clang-format on

#endif
