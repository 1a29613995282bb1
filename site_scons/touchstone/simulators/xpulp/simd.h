// SPDX-License-Identifier: Apache-2.0
// SIMD operations on two 16-bit or four 8-bit lanes; lane 0 is the least significant.
#ifndef XPULP_SIMD_H
#define XPULP_SIMD_H

#include "isa.h"

#include <stdint.h>

// Lane types, and the type in which a lane expression is evaluated.
typedef int16_t lane_S_16;
typedef uint16_t lane_U_16;
typedef int8_t lane_S_8;
typedef uint8_t lane_U_8;
typedef int32_t wide_S;
typedef uint32_t wide_U;

#define LANE_FUNCTION(name, type, value, width)                                                    \
    static inline uint32_t simd_##name##_##width(uint32_t va, uint32_t vb) {                       \
        typedef lane_##type##_##width T;                                                           \
        enum { BITS = width };                                                                     \
        uint32_t result = 0;                                                                       \
        for (uint32_t i = 0; i < 32; i += BITS) {                                                  \
            wide_##type a = (T)(va >> i), b = (T)(vb >> i);                                        \
            result |= (uint32_t)(lane_U_##width)(value) << i;                                      \
        }                                                                                          \
        return result;                                                                             \
    }
#define LANE_FUNCTIONS(X, name, op6, type, imm, value)                                             \
    LANE_FUNCTION(name, type, value, 16) LANE_FUNCTION(name, type, value, 8)
XPULP_LANES(LANE_FUNCTIONS, )
LANE_FUNCTIONS(, DISTANCE, , S, , a < b ? b - a : a - b)

#define DOT_FUNCTION(name, type_a, type_b, width)                                                  \
    static inline uint32_t simd_##name##_##width(uint32_t va, uint32_t vb) {                       \
        uint32_t sum = 0;                                                                          \
        for (uint32_t i = 0; i < 32; i += width) {                                                 \
            sum += (uint32_t)(lane_##type_a##_##width)(va >> i) *                                  \
                   (uint32_t)(lane_##type_b##_##width)(vb >> i);                                   \
        }                                                                                          \
        return sum;                                                                                \
    }
#define DOT_FUNCTIONS(X, name, op6, a, b, imm)                                                     \
    DOT_FUNCTION(name, a, b, 16) DOT_FUNCTION(name, a, b, 8)
XPULP_DOTS(DOT_FUNCTIONS, )

// Selectors of pv.shuffle*.sci as the register of pv.shuffle would hold them; lane 3 is told.
static inline uint32_t two_lanes(uint32_t imm) { return (imm & 1) | (imm >> 1 & 1) << 16; }
static inline uint32_t four_lanes(uint32_t imm, uint32_t lane3) {
    return (imm & 3) | (imm >> 2 & 3) << 8 | (imm >> 4 & 3) << 16 | lane3 << 24;
}

// Lane i comes from `other` where bit 1 (.h) or 2 (.b) of the selector lane is clear, else from
// `v`; the bits below choose the element. pv.shuffle passes the same word twice.
static inline uint32_t simd_shuffle(uint32_t v, uint32_t other, uint32_t selector, uint32_t width) {
    uint32_t result = 0, lanes = 32 / width;
    for (uint32_t i = 0; i < 32; i += width) {
        uint32_t source = (selector >> i & lanes) != 0 ? v : other;
        uint32_t lane = source >> width * (selector >> i & (lanes - 1));
        result |= (lane & ((1u << width) - 1)) << i;
    }
    return result;
}

#endif
