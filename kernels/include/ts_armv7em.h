// SPDX-License-Identifier: Apache-2.0
/* Small pieces that the Armv7E-M kernels (Cortex-M4, Cortex-M7) share. */
#ifndef TS_ARMV7EM_H
#define TS_ARMV7EM_H

#include <arm_acle.h>
#include <stdint.h>

#include "ts_types.h"

typedef struct __attribute__((packed, may_alias)) {
    uint32_t word;
} ts_unaligned_word;

typedef struct __attribute__((packed, may_alias)) {
    uint16_t half;
} ts_unaligned_half;

/* Four bytes at any address. LDR allows that, LDRD and LDM do not: the packed type keeps the
 * compiler from merging neighbours, and unlike memcpy it is never a call. */
static inline uint32_t ts_load4(const void *p) { return ((const ts_unaligned_word *)p)->word; }

static inline void ts_store4(void *p, uint32_t word) { ((ts_unaligned_word *)p)->word = word; }

/* Two neighbouring int8 (or uint8) at any address as a pair of 16 bits for the dual multiply. */
static inline uint32_t ts_pair_s8(const int8_t *p) {
    const uint32_t bytes = ((const ts_unaligned_half *)p)->half;
    return (uint32_t)__sxtb16((int8x4_t)(bytes | bytes << 8));
}

static inline uint32_t ts_pair_u8(const int8_t *p) {
    const uint32_t bytes = ((const ts_unaligned_half *)p)->half;
    return (uint32_t)__uxtb16((uint8x4_t)(bytes | bytes << 8));
}

/* Upper half of a 64-bit product: floor, and rounded half up. */
static inline int32_t ts_multiply_high(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b) >> 32);
}

static inline int32_t ts_multiply_high_rounded(int32_t a, int32_t b) {
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
}

/* Requantisation of one channel (definition: ts_requant.h) by 32-bit instructions, exact for
 * every accumulator. Two cases, told apart once per channel:
 *
 * - narrow, mul < 2^(shift-1): mul << (32 - shift) fits int32, and the wanted floor is the upper
 *   half of acc * (mul << (32 - shift)), plus 2^31 before when rounding half up.
 * - wide: the factor is at least 1/2 (so shift <= 16), and any accumulator outside 16 bits
 *   clips the result just as the nearest 16-bit value does; saturated to those, the product
 *   and the rounding term fit int32. */
typedef struct {
    int32_t mul;
    uint32_t wide_shift; /* 0 in the narrow case */
} ts_requant_channel;

static inline ts_requant_channel ts_requant_prepare(const ts_requant *requant, uint32_t channel) {
    const uint32_t mul = requant->mul[requant->per_channel ? channel : 0];
    const uint32_t shift = requant->shift;
    if (mul >> (shift - 1) == 0)
        return (ts_requant_channel){(int32_t)(mul << (32 - shift)), 0};
    return (ts_requant_channel){(int32_t)mul, shift};
}

static inline int8_t ts_requant_apply(ts_requant_channel channel, uint32_t half_up, int32_t acc) {
    if (channel.wide_shift == 0)
        return (int8_t)__ssat(half_up ? ts_multiply_high_rounded(acc, channel.mul)
                                      : ts_multiply_high(acc, channel.mul),
                              8);
    const int32_t rounding = (int32_t)(half_up << (channel.wide_shift - 1));
    const int32_t product = __ssat(acc, 16) * channel.mul + rounding;
    return (int8_t)__ssat(product >> channel.wide_shift, 8);
}

#endif
