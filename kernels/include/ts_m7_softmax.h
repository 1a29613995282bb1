// SPDX-License-Identifier: Apache-2.0
/* Softmax of two rows at once for the Cortex-M7, from the tiles of scores that ts_m7_to_bytes
 * leaves to the 2-panel that attention_context multiplies; definition in softmax/softmax.h.
 *
 *   scores: bytes [quad][2 rows][4 keys], of ceil(n / 4) quads; 4 more bytes are read
 *   map:    words [quad][2 pairs][2 rows], a pair of neighbouring keys in each
 *
 * The table comes as bytes, in reverse: `bytes[255 - d]` is T[d]. So the address of T[max - x] is
 * &bytes[255] - max + x and a look-up is one load at a register's offset. It takes a cycle and a
 * half to sum an entry and two and a quarter to look it up again, multiply and pack it, with two
 * instructions in almost every cycle. */
#ifndef TS_M7_SOFTMAX_H
#define TS_M7_SOFTMAX_H

#include <stddef.h>

#include "ts_softmax.h"

/* Layout reversed_bytes of the table: the 256 entries, then as bytes from the last to the first. */
enum { TS_M7_TABLE_BYTES = 256 * 4 };

typedef struct {
    uint32_t quads;     /*  0 */
    const uint8_t *top; /*  4 where T[0] lies among the bytes */
    uint32_t padding;   /*  8 keys missing in the last quad */
    uint32_t keep;      /* 12 those bytes of the last quad that are scores */
    uint32_t pad;       /* 16 -128 in the others */
    uint32_t n;
    const ts_softmax_table *table;
} ts_m7_softmax;

_Static_assert(offsetof(ts_m7_softmax, top) == 4 && offsetof(ts_m7_softmax, padding) == 8 &&
                   offsetof(ts_m7_softmax, pad) == 16,
               "the assembly below uses these offsets");

/* Tables of bytes only. The scores of missing keys are overwritten. */
void ts_m7_softmax_bytes(int8_t *scores, uint16_t *map, const ts_m7_softmax *softmax);

// clang-format off

__asm__(
    ".syntax unified\n"
    ".thumb\n"
    /* Scores of four keys: r0 scores, of which the first row's go to r4-r7, the second's to r8-r11. */
    ".macro ts_m7_load_quad\n"
    "    ldrsb r4, [r0], #8\n"
    "    ldrsb r5, [r0, #-7]\n"
    "    ldrsb r6, [r0, #-6]\n"
    "    ldrsb r7, [r0, #-5]\n"
    "    ldrsb r8, [r0, #-4]\n"
    "    ldrsb r9, [r0, #-3]\n"
    "    ldrsb r10, [r0, #-2]\n"
    "    ldrsb r11, [r0, #-1]\n"
    ".endm\n"
    /* Sums of four keys: r0 scores, r2 r3 tables, r12 lr sums. */
    ".macro ts_m7_sum_quad\n"
    "    ts_m7_load_quad\n"
    "    ldrb r4, [r2, r4]\n"
    "    ldrb r5, [r2, r5]\n"
    "    ldrb r6, [r2, r6]\n"
    "    ldrb r7, [r2, r7]\n"
    "    ldrb r8, [r3, r8]\n"
    "    ldrb r9, [r3, r9]\n"
    "    ldrb r10, [r3, r10]\n"
    "    ldrb r11, [r3, r11]\n"
    "    add r12, r12, r4\n"
    "    add lr, lr, r8\n"
    "    add r12, r12, r5\n"
    "    add lr, lr, r9\n"
    "    add r12, r12, r6\n"
    "    add lr, lr, r10\n"
    "    add r12, r12, r7\n"
    "    add lr, lr, r11\n"
    ".endm\n"
    /* Results of four keys: r12 lr reciprocals, r1 map. r4-r7 hold the first row's scores and are
     * loaded with the next quad's. */
    ".macro ts_m7_scale_quad\n"
    "    ldrb r4, [r2, r4]\n"
    "    ldrb r5, [r2, r5]\n"
    "    ldrsb r8, [r0, #4]\n"
    "    ldrsb r9, [r0, #5]\n"
    "    ldrb r6, [r2, r6]\n"
    "    ldrb r7, [r2, r7]\n"
    "    mul r4, r4, r12\n"
    "    ldrsb r10, [r0, #6]\n"
    "    mul r5, r5, r12\n"
    "    ldrsb r11, [r0, #7]\n"
    "    mul r6, r6, r12\n"
    "    ldrb r8, [r3, r8]\n"
    "    pkhtb r5, r5, r4, asr #16\n"
    "    mul r7, r7, r12\n"
    "    ldrb r9, [r3, r9]\n"
    "    ldrsb r4, [r0, #8]!\n"
    "    uxtb16 r5, r5, ror #8\n"
    "    mul r8, r8, lr\n"
    "    pkhtb r7, r7, r6, asr #16\n"
    "    ldrb r10, [r3, r10]\n"
    "    mul r9, r9, lr\n"
    "    ldrb r11, [r3, r11]\n"
    "    uxtb16 r7, r7, ror #8\n"
    "    str r5, [r1], #16\n"
    "    mul r10, r10, lr\n"
    "    ldrsb r5, [r0, #1]\n"
    "    pkhtb r9, r9, r8, asr #16\n"
    "    mul r11, r11, lr\n"
    "    str r7, [r1, #-8]\n"
    "    ldrsb r6, [r0, #2]\n"
    "    uxtb16 r9, r9, ror #8\n"
    "    ldrsb r7, [r0, #3]\n"
    "    pkhtb r11, r11, r10, asr #16\n"
    "    str r9, [r1, #-12]\n"
    "    uxtb16 r11, r11, ror #8\n"
    "    str r11, [r1, #-4]\n"
    ".endm\n"
    /* The largest byte of each word against another word. */
    ".macro ts_m7_larger best, word\n"
    "    ssub8 r11, \\word, \\best\n"
    "    sel \\best, \\word, \\best\n"
    ".endm\n"

    "    .pushsection .text.ts_m7_softmax_bytes, \"ax\", %progbits\n"
    "    .p2align 2\n"
    "    .thumb_func\n"
    "    .type ts_m7_softmax_bytes, %function\n"
    "ts_m7_softmax_bytes:\n"
    "    push {r0-r2, r4-r11, lr}\n"
    /* the largest of each row: the last quad, then pairs of quads; an even last one counts twice */
    "    ldr r3, [r2]\n"
    "    ldr r4, [r2, #12]\n"
    "    ldr r5, [r2, #16]\n"
    "    ldr r1, [r2, #4]\n"
    "    add r6, r0, r3, lsl #3\n"
    "    lsrs r3, r3, #1\n"
    "    ldr r7, [r6, #-8]\n"
    "    ldr r8, [r6, #-4]\n"
    "    and r7, r7, r4\n"
    "    and r8, r8, r4\n"
    "    orr r7, r7, r5\n"
    "    orr r8, r8, r5\n"
    "    str r7, [r6, #-8]\n"
    "    str r8, [r6, #-4]\n"
    "    beq 2f\n"
    "1:  ldr r4, [r0], #16\n"
    "    ldr r5, [r0, #-12]\n"
    "    ldr r9, [r0, #-8]\n"
    "    ldr r10, [r0, #-4]\n"
    "    ts_m7_larger r7, r4\n"
    "    ts_m7_larger r8, r5\n"
    "    ts_m7_larger r7, r9\n"
    "    subs r3, r3, #1\n"
    "    ts_m7_larger r8, r10\n"
    "    bne 1b\n"
    "2:  ror r4, r7, #16\n"
    "    ror r5, r8, #16\n"
    "    ts_m7_larger r7, r4\n"
    "    ts_m7_larger r8, r5\n"
    "    ror r4, r7, #8\n"
    "    ror r5, r8, #8\n"
    "    ts_m7_larger r7, r4\n"
    "    ts_m7_larger r8, r5\n"
    "    ldr r0, [sp]\n"
    "    ldr r10, [r2]\n"
    "    sxtb r7, r7\n"
    "    sxtb r8, r8\n"
    "    mov r12, #0\n"
    "    mov lr, #0\n"
    "    sub r2, r1, r7\n"
    "    sub r3, r1, r8\n"
    /* the sums */
    "    lsrs r1, r10, #1\n"
    "    bcc 3f\n"
    "    ts_m7_sum_quad\n"
    "    beq 5f\n"
    "3:  subs r1, r1, #1\n"
    "    ts_m7_sum_quad\n"
    "    ts_m7_sum_quad\n"
    "    bne 3b\n"
    /* without the missing keys; 255 * 2^24 / sum + 1 */
    "5:  ldr r1, [sp, #8]\n"
    "    ldrb r4, [r2, #-128]\n"
    "    ldrb r5, [r3, #-128]\n"
    "    ldr r6, [r1, #8]\n"
    "    ldr r10, [r1]\n"
    "    ldr r0, [sp]\n"
    "    mov r9, #0xFF000000\n"
    "    mls r12, r4, r6, r12\n"
    "    mls lr, r5, r6, lr\n"
    "    ldr r1, [sp, #4]\n"
    "    ldrsb r4, [r0]\n"
    "    udiv r12, r9, r12\n"
    "    udiv lr, r9, lr\n"
    "    ldrsb r5, [r0, #1]\n"
    "    ldrsb r6, [r0, #2]\n"
    "    add r12, r12, #1\n"
    "    add lr, lr, #1\n"
    "    ldrsb r7, [r0, #3]\n"
    /* the results */
    "    add r11, r0, r10, lsl #3\n"
    "    str r11, [sp]\n"
    "    lsrs r10, r10, #1\n"
    "    bcc 6f\n"
    "    ts_m7_scale_quad\n"
    "    beq 7f\n"
    "6:  ts_m7_scale_quad\n"
    "    ts_m7_scale_quad\n"
    "    ldr r11, [sp]\n"
    "    cmp r0, r11\n"
    "    bne 6b\n"
    "7:  pop {r0-r2, r4-r11, pc}\n"
    "    .size ts_m7_softmax_bytes, . - ts_m7_softmax_bytes\n"
    "    .popsection\n");

// clang-format on

/* One row with entries beyond bytes; `row` points to its first score and its first word. */
static __attribute__((noinline)) void ts_m7_softmax_words(const int8_t *scores, uint16_t *map,
                                                          const ts_m7_softmax *softmax) {
    const uint32_t *entries = softmax->table->entries;
    const uint32_t n = softmax->n;
    int32_t max = -128;
    for (uint32_t i = 0; i < n; i++) {
        const int32_t x = scores[(i & ~3u) * 2 + (i & 3u)];
        max = x > max ? x : max;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += entries[max - scores[(i & ~3u) * 2 + (i & 3u)]];
    const int exact = ts_softmax_reciprocal_is_exact(softmax->table, sum);
    const uint32_t reciprocal = ts_softmax_reciprocal(sum);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t t = entries[max - scores[(i & ~3u) * 2 + (i & 3u)]];
        map[(i & ~1u) * 2 + (i & 1u)] = (uint16_t)(exact ? t * reciprocal >> 24 : 255u * t / sum);
    }
}

/* For rows of n scores. `table` in layout reversed_bytes. */
static inline ts_m7_softmax ts_m7_softmax_of(const ts_softmax_table *table, uint32_t n) {
    const uint32_t padding = -n & 3u;
    const uint32_t keep = 0xFFFFFFFFu >> 8 * padding;
    return (ts_m7_softmax){
        .quads = (n + 3) / 4,
        .top = (const uint8_t *)table->entries + TS_M7_TABLE_BYTES + 255,
        .padding = padding,
        .keep = keep,
        .pad = 0x80808080u & ~keep,
        .n = n,
        .table = table,
    };
}

/* Both rows; the odd last pair's missing key gets 0. */
static inline void ts_m7_softmax_rows(const ts_m7_softmax *softmax, int8_t *scores, uint16_t *map) {
    if (softmax->table->max <= 255u) {
        ts_m7_softmax_bytes(scores, map, softmax);
    } else {
        ts_m7_softmax_words(scores, map, softmax);
        ts_m7_softmax_words(scores + 4, map + 2, softmax);
    }
    if (softmax->n & 1u) {
        uint16_t *last = map + 2 * (softmax->n - 1);
        last[1] = 0;
        last[3] = 0;
    }
}

#endif
