// SPDX-License-Identifier: Apache-2.0
// SIMD operations on two 16-bit or four 8-bit lanes; lane 0 is the least significant.
#ifndef XPULP_SIMD_H
#define XPULP_SIMD_H

#include "ops.h"

#include <stdint.h>

// Lane types, and the type in which a lane expression is evaluated.
typedef int16_t lane_S_16;
typedef uint16_t lane_U_16;
typedef int8_t lane_S_8;
typedef uint8_t lane_U_8;
typedef int32_t wide_S;
typedef uint32_t wide_U;

#define LANE_FUNCTION(name, op6, lane, expression, width)                                          \
    static inline uint32_t simd_##name##_##width(uint32_t va, uint32_t vb) {                       \
        typedef lane_##lane##_##width T;                                                           \
        enum { BITS = width };                                                                     \
        uint32_t result = 0;                                                                       \
        for (uint32_t i = 0; i < 32; i += BITS) {                                                  \
            wide_##lane a = (T)(va >> i), b = (T)(vb >> i);                                        \
            result |= (uint32_t)(lane_U_##width)(expression) << i;                                 \
        }                                                                                          \
        (void)sizeof(T);                                                                           \
        return result;                                                                             \
    }
#define LANE_FUNCTIONS(name, op6, lane, imm, expression)                                           \
    LANE_FUNCTION(name, op6, lane, expression, 16) LANE_FUNCTION(name, op6, lane, expression, 8)
XPULP_LANE_OPS(LANE_FUNCTIONS)

#define DOT_FUNCTION(name, sa, sb, width)                                                          \
    static inline uint32_t simd_##name##_##width(uint32_t va, uint32_t vb) {                       \
        uint32_t sum = 0;                                                                          \
        for (uint32_t i = 0; i < 32; i += width) {                                                 \
            sum += (uint32_t)(lane_##sa##_##width)(va >> i) *                                      \
                   (uint32_t)(lane_##sb##_##width)(vb >> i);                                       \
        }                                                                                          \
        return sum;                                                                                \
    }
#define DOT_FUNCTIONS(name, op6, sa, sb, imm, acc)                                                 \
    DOT_FUNCTION(name, sa, sb, 16) DOT_FUNCTION(name, sa, sb, 8)
XPULP_DOT_OPS(DOT_FUNCTIONS)

static inline uint32_t simd_abs_16(uint32_t v) {
    uint32_t low = (v & 0x8000u) != 0 ? 0u - v : v;
    uint32_t high = (v & 0x80000000u) != 0 ? 0u - (v >> 16) : v >> 16;
    return (low & 0xffffu) | high << 16;
}

static inline uint32_t simd_abs_8(uint32_t v) {
    uint32_t result = 0;
    for (uint32_t i = 0; i < 32; i += 8) {
        uint32_t lane = v >> i & 0xffu;
        result |= (((lane & 0x80u) != 0 ? 0u - lane : lane) & 0xffu) << i;
    }
    return result;
}

// Lane i comes from `other` where bit 1 (.h) or 2 (.b) of the selector lane is clear, else from
// `v`; the bits below choose the element. pv.shuffle passes the same word twice.
static inline uint32_t simd_shuffle_16(uint32_t v, uint32_t other, uint32_t selector) {
    uint32_t result = 0;
    for (uint32_t i = 0; i < 32; i += 16) {
        uint32_t source = (selector >> i & 2) != 0 ? v : other;
        result |= (source >> 16 * (selector >> i & 1) & 0xffffu) << i;
    }
    return result;
}

static inline uint32_t simd_shuffle_8(uint32_t v, uint32_t other, uint32_t selector) {
    uint32_t result = 0;
    for (uint32_t i = 0; i < 32; i += 8) {
        uint32_t source = (selector >> i & 4) != 0 ? v : other;
        result |= (source >> 8 * (selector >> i & 3) & 0xffu) << i;
    }
    return result;
}

#endif
