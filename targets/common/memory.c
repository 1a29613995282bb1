/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four memory routines that compilers call behind one's back, the same for every toolchain and
 * target. Word by word where both sides allow it.
 */
#include "memory.h"

#include <stdint.h>

/* Words that may alias anything. */
typedef uint32_t __attribute__((may_alias)) word;

/* Without it, compilers recognise the loops below and replace them by calls of the functions. */
#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

static int misaligned(const void *pointer) { return ((uintptr_t)pointer & 3) != 0; }

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if ((((uintptr_t)out ^ (uintptr_t)in) & 3) == 0) {
        for (; count > 0 && misaligned(out); count--) {
            *out++ = *in++;
            KEEP_LOOP();
        }
        for (; count >= 16; count -= 16, out += 16, in += 16) {
            const word a = ((const word *)in)[0], b = ((const word *)in)[1];
            const word c = ((const word *)in)[2], d = ((const word *)in)[3];
            ((word *)out)[0] = a, ((word *)out)[1] = b;
            ((word *)out)[2] = c, ((word *)out)[3] = d;
            KEEP_LOOP();
        }
        for (; count >= 4; count -= 4, out += 4, in += 4) {
            *(word *)out = *(const word *)in;
            KEEP_LOOP();
        }
    }
    for (; count > 0; count--) {
        *out++ = *in++;
        KEEP_LOOP();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if ((uintptr_t)out - (uintptr_t)in >= count) {
        return memcpy(to, from, count);
    }
    while (count > 0) {
        count--;
        out[count] = in[count];
        KEEP_LOOP();
    }
    return to;
}

void *memset(void *to, int value, size_t count) {
    uint8_t *out = to;
    const uint8_t byte = (uint8_t)value;
    const word pattern = byte * 0x01010101u;
    for (; count > 0 && misaligned(out); count--) {
        *out++ = byte;
        KEEP_LOOP();
    }
    for (; count >= 16; count -= 16, out += 16) {
        ((word *)out)[0] = pattern, ((word *)out)[1] = pattern;
        ((word *)out)[2] = pattern, ((word *)out)[3] = pattern;
        KEEP_LOOP();
    }
    for (; count > 0; count--) {
        *out++ = byte;
        KEEP_LOOP();
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t count) {
    const uint8_t *a = left;
    const uint8_t *b = right;
    if (!misaligned(a) && !misaligned(b)) {
        for (; count >= 4 && *(const word *)a == *(const word *)b; count -= 4, a += 4, b += 4) {
            KEEP_LOOP();
        }
    }
    for (; count > 0; count--, a++, b++) {
        if (*a != *b) {
            return *a - *b;
        }
        KEEP_LOOP();
    }
    return 0;
}
