// SPDX-License-Identifier: Apache-2.0
// Scalar arithmetic of RV32M and XpulpV2. Sums and products wrap at 32 bits.
#ifndef XPULP_ARITHMETIC_H
#define XPULP_ARITHMETIC_H

#include <stdint.h>

static inline uint32_t shift_right_signed(uint32_t value, uint32_t shift) {
    return (uint32_t)((int32_t)value >> shift);
}

static inline uint32_t low_signed(uint32_t value) { return (uint32_t)(int16_t)value; }
static inline uint32_t high_signed(uint32_t value) { return shift_right_signed(value, 16); }
static inline uint32_t low_unsigned(uint32_t value) { return value & 0xffffu; }
static inline uint32_t high_unsigned(uint32_t value) { return value >> 16; }

static inline uint32_t shift_right(uint32_t value, uint32_t shift) { return value >> shift; }

// Plus one half of what a shift by `shift` leaves as one.
static inline uint32_t rounded(uint32_t value, uint32_t shift) {
    return shift != 0 ? value + (1u << (shift - 1)) : value;
}

static inline uint32_t sign_extend(uint32_t value, unsigned width) {
    uint32_t sign = 1u << (width - 1);
    return (value ^ sign) - sign;
}

static inline uint32_t every_half(uint32_t v) { return (v & 0xffffu) * 0x00010001u; }
static inline uint32_t every_byte(uint32_t v) { return (v & 0xffu) * 0x01010101u; }

static inline int64_t wide(uint32_t value) { return (int32_t)value; }
static inline uint32_t upper(uint64_t product) { return (uint32_t)(product >> 32); }

// In 64 bits nothing overflows: the quotient of the least number by -1 wraps as it should.
static inline uint32_t divide(uint32_t a, uint32_t b) {
    return b == 0 ? UINT32_MAX : (uint32_t)(wide(a) / wide(b));
}

static inline uint32_t remainder_signed(uint32_t a, uint32_t b) {
    return b == 0 ? a : (uint32_t)(wide(a) % wide(b));
}

static inline uint32_t clip(uint32_t value, int32_t low, int32_t high) {
    int32_t v = (int32_t)value;
    return (uint32_t)(v < low ? low : v > high ? high : v);
}

// 2^(width-1) - 1, the upper bound of p.clip and p.clipu; 0 for width 0.
static inline int32_t clip_bound(uint32_t width) {
    return width == 0 ? 0 : (int32_t)((1u << (width - 1)) - 1u);
}

static inline uint32_t rotate_right(uint32_t value, uint32_t shift) {
    return value >> (shift & 31) | value << (-shift & 31);
}

// Redundant sign bits; 0 for 0.
static inline uint32_t sign_bits(uint32_t value) {
    uint32_t folded = value ^ shift_right_signed(value, 31);
    return value == 0 ? 0 : folded == 0 ? 31 : (uint32_t)__builtin_clz(folded) - 1;
}

// Bit-field operand: bits 9:5 are the width - 1, bits 4:0 the lowest bit. Fields end at bit 31.
static inline uint32_t field_low(uint32_t spec) { return spec & 31; }
static inline uint32_t field_mask(uint32_t spec) {
    uint32_t ones = 0xffffffffu >> (31 - (spec >> 5 & 31));
    return ones << field_low(spec);
}

static inline uint32_t extract_unsigned(uint32_t value, uint32_t spec) {
    return (value & field_mask(spec)) >> field_low(spec);
}

static inline uint32_t extract_signed(uint32_t value, uint32_t spec) {
    uint32_t high = (spec >> 5 & 31) + field_low(spec);
    high = high > 31 ? 31 : high;
    return shift_right_signed(value << (31 - high), 31 - high + field_low(spec));
}

static inline uint32_t insert(uint32_t old, uint32_t value, uint32_t spec) {
    uint32_t mask = field_mask(spec);
    return (old & ~mask) | (value << field_low(spec) & mask);
}

#endif
