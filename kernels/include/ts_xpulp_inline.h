/* SPDX-License-Identifier: Apache-2.0 */
/* What inline assembly for XpulpV2 shares. */
#ifndef TS_XPULP_INLINE_H
#define TS_XPULP_INLINE_H

#include "ts_kernel.h"
#include "xpulpv2.h"

#define TS_XP_NOINLINE __attribute__((noinline))
#define TS_XP_INLINE inline __attribute__((always_inline))

/* A hardware loop over the next `instructions` instructions of four bytes, in assembly where
 * TS_XP_NORVC is ahead and ".option pop" behind. */
#define TS_XP_NORVC ".option push\n\t.option norvc\n\t"
#define TS_XP_LOOP(count, instructions) ".insn i 0x7b, 4, x0, %[" count "], 2*" instructions "\n\t"

/* Last 1..3 bytes of a row, zero-padded to a word; reads no byte beyond them. */
static TS_XP_INLINE uint32_t ts_xp_tail_word(const void *bytes, uint32_t count) {
    const uint8_t *p = bytes;
    uint32_t word = p[0];
    if (count > 1)
        word |= (uint32_t)p[1] << 8;
    if (count > 2)
        word |= (uint32_t)p[2] << 16;
    return word;
}

#endif
