// SPDX-License-Identifier: Apache-2.0
/* Softmax of many pairs of short rows at once for the Cortex-M7: of two to four keys, or of five to
 * eight. The same as ts_m7_softmax.h does for one pair of rows of any length; tables of bytes only.
 *
 *   scores  bytes [tiles][ceil(S/4)][2 rows][4 keys]; missing keys are overwritten; of more than
 *           four keys 4 more bytes are read
 *   map     words [tiles][ceil(S/2) pairs][2 rows]; up to 16 bytes behind the last are overwritten
 */
#ifndef TS_M7_SOFTMAX_TILES_H
#define TS_M7_SOFTMAX_TILES_H

#include "ts_m7_softmax.h"

typedef struct {
    uint16_t *map;      /*  0 */
    uint32_t keep;      /*  4 those bytes of the last four keys that are scores */
    uint32_t pad;       /*  8 -128 in the others */
    const uint8_t *top; /* 12 where T[0] lies among the table's bytes */
    uint32_t tiles;     /* 16 */
    uint32_t pitch;     /* 20 bytes of the map from tile to tile */
    uint32_t third;     /* 24 all ones if the third key exists, of up to four */
    uint32_t fourth;    /* 28 all ones if the fourth key exists, of up to four */
    uint32_t padding;   /* 32 keys missing, of up to eight */
    uint32_t zero;      /* 36 from the end of a tile's eight keys to the half that must be 0 */
} ts_m7_softmax_tiles;

_Static_assert(offsetof(ts_m7_softmax_tiles, tiles) == 16 &&
                   offsetof(ts_m7_softmax_tiles, zero) == 36,
               "the assembly below uses these offsets");

void ts_m7_softmax_four(int8_t *scores, const ts_m7_softmax_tiles *tiles);
void ts_m7_softmax_eight(int8_t *scores, const ts_m7_softmax_tiles *tiles);

// clang-format off

__asm__(
    ".syntax unified\n"
    ".thumb\n"
    ".macro ts_m7_tiles_begin name\n"
    "    .pushsection .text.\\name, \"ax\", %progbits\n"
    "    .p2align 2\n"
    "    .thumb_func\n"
    "    .type \\name, %function\n"
    "\\name:\n"
    "    push {r4-r11, lr}\n"
    "    sub sp, sp, #44\n"
    "    ldm r1, {r2-r11}\n"
    "    stm sp, {r2-r11}\n"
    ".endm\n"
    /* r1 the next tile's map */
    ".macro ts_m7_tiles_end name\n"
    "    ldr r4, [sp, #16]\n"
    "    str r1, [sp]\n"
    "    subs r4, r4, #1\n"
    "    str r4, [sp, #16]\n"
    "    bne 1b\n"
    "    add sp, sp, #44\n"
    "    pop {r4-r11, pc}\n"
    "    .size \\name, . - \\name\n"
    "    .popsection\n"
    ".endm\n"
    /* The last four keys of both rows, at `from`, in r7 and r8, without what is missing. */
    ".macro ts_m7_tiles_last from\n"
    "    ldr r4, [sp, #4]\n"
    "    ldr r7, [r0, #\\from]\n"
    "    ldr r8, [r0, #\\from + 4]\n"
    "    ldr r5, [sp, #8]\n"
    "    and r7, r7, r4\n"
    "    and r8, r8, r4\n"
    "    orr r7, r7, r5\n"
    "    orr r8, r8, r5\n"
    "    str r7, [r0, #\\from]\n"
    "    str r8, [r0, #\\from + 4]\n"
    ".endm\n"
    /* From the largest of each place, r7 and r8, to the tables, r2 and r3: both rows in one word. */
    ".macro ts_m7_tiles_tables\n"
    "    pkhbt r4, r7, r8, lsl #16\n"
    "    pkhtb r5, r8, r7, asr #16\n"
    "    ldr r1, [sp, #12]\n"
    "    ts_m7_larger r4, r5\n"
    "    ror r5, r4, #8\n"
    "    ts_m7_larger r4, r5\n"
    "    sxtb r7, r4\n"
    "    sxtb r8, r4, ror #16\n"
    "    sub r2, r1, r7\n"
    "    sub r3, r1, r8\n"
    ".endm\n"
    "    ts_m7_tiles_begin ts_m7_softmax_four\n"
    "1:  ts_m7_tiles_last 0\n"
    "    ts_m7_tiles_tables\n"
    "    ts_m7_load_quad\n"
    "    ldrb r6, [r2, r6]\n"
    "    ldrb r7, [r2, r7]\n"
    "    ldrb r10, [r3, r10]\n"
    "    ldrb r11, [r3, r11]\n"
    "    ldrb r4, [r2, r4]\n"
    "    ldrb r5, [r2, r5]\n"
    "    ldr r1, [sp, #24]\n"
    "    ldr r2, [sp, #28]\n"
    "    ldrb r8, [r3, r8]\n"
    "    ldrb r9, [r3, r9]\n"
    "    and r6, r6, r1\n"
    "    and r7, r7, r2\n"
    "    and r10, r10, r1\n"
    "    and r11, r11, r2\n"
    "    add r12, r4, r5\n"
    "    add lr, r8, r9\n"
    "    add r12, r12, r6\n"
    "    add lr, lr, r10\n"
    "    add r12, r12, r7\n"
    "    add lr, lr, r11\n"
    "    mov r2, #0xFF000000\n"
    "    ldr r1, [sp]\n"
    "    udiv r12, r2, r12\n"
    "    udiv lr, r2, lr\n"
    "    add r12, r12, #1\n"
    "    ldr r3, [sp, #20]\n"
    "    mul r4, r4, r12\n"
    "    add lr, lr, #1\n"
    "    mul r5, r5, r12\n"
    "    mul r6, r6, r12\n"
    "    mul r7, r7, r12\n"
    "    pkhtb r5, r5, r4, asr #16\n"
    "    mul r8, r8, lr\n"
    "    mul r9, r9, lr\n"
    "    uxtb16 r5, r5, ror #8\n"
    "    mul r10, r10, lr\n"
    "    pkhtb r7, r7, r6, asr #16\n"
    "    mul r11, r11, lr\n"
    "    pkhtb r9, r9, r8, asr #16\n"
    "    str r5, [r1]\n"
    "    uxtb16 r7, r7, ror #8\n"
    "    pkhtb r11, r11, r10, asr #16\n"
    "    uxtb16 r9, r9, ror #8\n"
    "    str r7, [r1, #8]\n"
    "    uxtb16 r11, r11, ror #8\n"
    "    str r9, [r1, #4]\n"
    "    str r11, [r1, #12]\n"
    "    add r1, r1, r3\n"
    "    ts_m7_tiles_end ts_m7_softmax_four\n"

    "    ts_m7_tiles_begin ts_m7_softmax_eight\n"
    "1:  ts_m7_tiles_last 8\n"
    "    ldr r4, [r0]\n"
    "    ldr r5, [r0, #4]\n"
    "    ts_m7_larger r7, r4\n"
    "    ts_m7_larger r8, r5\n"
    "    ts_m7_tiles_tables\n"
    "    mov r12, #0\n"
    "    mov lr, #0\n"
    "    ts_m7_sum_quad\n"
    "    ts_m7_sum_quad\n"
    "    ldrb r4, [r2, #-128]\n"
    "    ldrb r5, [r3, #-128]\n"
    "    ldr r6, [sp, #32]\n"
    "    mov r9, #0xFF000000\n"
    "    sub r0, r0, #16\n"
    "    mls r12, r4, r6, r12\n"
    "    mls lr, r5, r6, lr\n"
    "    ldr r1, [sp]\n"
    "    ldrsb r4, [r0]\n"
    "    udiv r12, r9, r12\n"
    "    udiv lr, r9, lr\n"
    "    ldrsb r5, [r0, #1]\n"
    "    ldrsb r6, [r0, #2]\n"
    "    add r12, r12, #1\n"
    "    add lr, lr, #1\n"
    "    ldrsb r7, [r0, #3]\n"
    "    ts_m7_scale_quad\n"
    "    ts_m7_scale_quad\n"
    "    ldr r9, [sp, #36]\n"
    "    ldr r3, [sp, #20]\n"
    "    mov r8, #0\n"
    "    add r9, r9, r1\n"
    "    sub r1, r1, #32\n"
    "    strh r8, [r9]\n"
    "    add r1, r1, r3\n"
    "    strh r8, [r9, #4]\n"
    "    ts_m7_tiles_end ts_m7_softmax_eight\n");

// clang-format on

/* Of rows of S scores, at most 8. */
static inline void ts_m7_softmax_of_tiles(const ts_softmax_table *table, uint32_t S, uint32_t count,
                                          int8_t *scores, uint16_t *map) {
    const uint32_t padding = -S & 3u, keep = 0xFFFFFFFFu >> 8 * padding;
    const ts_m7_softmax_tiles tiles = {
        .map = map,
        .keep = keep,
        .pad = 0x80808080u & ~keep,
        .top = (const uint8_t *)table->entries + TS_M7_TABLE_BYTES + 255,
        .tiles = count,
        .pitch = 8 * ((S + 1) / 2),
        .third = S > 2 ? 0xFFFFFFFFu : 0,
        .fourth = S > 3 ? 0xFFFFFFFFu : 0,
        .padding = padding,
        .zero = 8 * (S / 2) - 30, /* behind an even last key: of what is written later */
    };
    if (S <= 4)
        ts_m7_softmax_four(scores, &tiles);
    else
        ts_m7_softmax_eight(scores, &tiles);
}

#endif
