/* SPDX-License-Identifier: Apache-2.0 */
/* Block products for XpulpV2 whose operands are both in panels, [tile][depth / 4][4 rows][4 bytes]:
 * assembly of kernels/generators/xpulp_panels.py, which says what they compute; and the softmax of
 * such a panel, of xpulp_softmax_panels.py. All strides in bytes. */
#ifndef TS_XPULP_PANELS_H
#define TS_XPULP_PANELS_H

#include <stdint.h>

/* Its words are numbered by FIELDS of the generator. A call leaves all but `own` as they are. While
 * it runs, sp points here: interrupts need a stack of their own. */
typedef struct {
    const int8_t *left;   /* a tile; down: tiles that follow each other */
    const int8_t *right;  /* first block */
    const int32_t *bias;  /* down: of the block's 4 columns */
    int8_t *output;       /* first word; across: the words of all blocks follow each other */
    uint32_t output_word; /* down_rows: from row to row */
    uint32_t output_turn; /* down_panels, down_rows: from a tile's last word to the next first */
    uint32_t steps;       /* words of depth; across: at least 2 */
    uint32_t blocks;      /* across: at least 1 */
    uint32_t tiles;       /* down: at least 1 */
    int32_t factor;       /* the multiplier, scaled up to a shift of 16, less 1 */
    uint32_t own[4];
} ts_xp_panel_call;

_Static_assert(sizeof(ts_xp_panel_call) == 4 * 14, "as the generator has it");

/* The functions keep no registers: whoever calls several saves them once. */
#define TS_XP_BARE_CALL(name, ...)                                                                 \
    __asm__ volatile("call " name                                                                  \
                     : __VA_ARGS__                                                                 \
                     :                                                                             \
                     : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a4", "a5", "a6", "a7",     \
                       "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",   \
                       "memory")

#define TS_XP_PANEL_FN(name)                                                                       \
    static inline void name(ts_xp_panel_call *call) {                                              \
        register ts_xp_panel_call *a0 __asm__("a0") = call;                                        \
        register uint32_t a1 __asm__("a1"), a2 __asm__("a2"), a3 __asm__("a3");                    \
        TS_XP_BARE_CALL(#name, "+r"(a0), "=r"(a1), "=r"(a2), "=r"(a3));                            \
    }

TS_XP_PANEL_FN(ts_xp_across_s)
TS_XP_PANEL_FN(ts_xp_across_u)
TS_XP_PANEL_FN(ts_xp_down_panels)
TS_XP_PANEL_FN(ts_xp_down_columns)
TS_XP_PANEL_FN(ts_xp_down_rows)

/* Softmax of four rows of `words` words, in place; `pairs`: layout softmax_pairs; `buffer` of 8 *
 * words bytes. */
static inline void ts_xp_softmax_panel(int8_t *panel, uint32_t words, const uint32_t *pairs,
                                       uint32_t *buffer) {
    register int8_t *a0 __asm__("a0") = panel;
    register uint32_t a1 __asm__("a1") = words;
    register const uint32_t *a2 __asm__("a2") = pairs;
    register uint32_t *a3 __asm__("a3") = buffer;
    TS_XP_BARE_CALL("ts_xp_softmax_panel", "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3));
}

#endif
