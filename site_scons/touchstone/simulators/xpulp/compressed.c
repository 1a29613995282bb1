// SPDX-License-Identifier: Apache-2.0
// RV32C without floating point: each half-word is rewritten as the 32-bit instruction it stands
// for. Field positions: RISC-V unprivileged specification, chapter "C".
#include "xpulp.h"

static uint32_t field(uint32_t half, unsigned high, unsigned low) {
    return (half >> low) & ((2u << (high - low)) - 1u);
}

// Bit `from` of the half-word, moved to bit `to`.
static uint32_t bit(uint32_t half, unsigned from, unsigned to) {
    return ((half >> from) & 1u) << to;
}

static uint32_t sign6(uint32_t half) {
    uint32_t value = bit(half, 12, 5) | field(half, 6, 2);
    return (value ^ 0x20u) - 0x20u;
}

static uint32_t i_type(uint32_t imm, uint32_t rs1, uint32_t f3, uint32_t rd, uint32_t opcode) {
    return (imm & 0xfffu) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | opcode;
}

static uint32_t r_type(uint32_t f7, uint32_t rs2, uint32_t rs1, uint32_t f3, uint32_t rd) {
    return f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x33u;
}

static uint32_t store_word(uint32_t imm, uint32_t rs2, uint32_t rs1) {
    return (imm >> 5 & 0x7fu) << 25 | rs2 << 20 | rs1 << 15 | 2u << 12 | (imm & 0x1fu) << 7 | 0x23u;
}

static uint32_t jump(uint32_t half, uint32_t rd) {
    uint32_t raw = bit(half, 12, 11) | bit(half, 11, 4) | field(half, 10, 9) << 8 |
                   bit(half, 8, 10) | bit(half, 7, 6) | bit(half, 6, 7) | field(half, 5, 3) << 1 |
                   bit(half, 2, 5);
    uint32_t offset = (raw ^ 0x800u) - 0x800u;
    return (offset >> 20 & 1u) << 31 | (offset >> 1 & 0x3ffu) << 21 | (offset >> 11 & 1u) << 20 |
           (offset >> 12 & 0xffu) << 12 | rd << 7 | 0x6fu;
}

static uint32_t branch(uint32_t half, uint32_t f3) {
    uint32_t raw = bit(half, 12, 8) | field(half, 11, 10) << 3 | field(half, 6, 5) << 6 |
                   field(half, 4, 3) << 1 | bit(half, 2, 5);
    uint32_t offset = (raw ^ 0x100u) - 0x100u;
    return (offset >> 12 & 1u) << 31 | (offset >> 5 & 0x3fu) << 25 |
           (8u + field(half, 9, 7)) << 15 | f3 << 12 | (offset >> 1 & 0xfu) << 8 |
           (offset >> 11 & 1u) << 7 | 0x63u;
}

static uint32_t quadrant0(uint32_t half) {
    uint32_t rs1 = 8 + field(half, 9, 7), rd = 8 + field(half, 4, 2);
    uint32_t offset = field(half, 12, 10) << 3 | bit(half, 6, 2) | bit(half, 5, 6);
    switch (half >> 13) {
    case 0: { // c.addi4spn
        uint32_t imm =
            field(half, 12, 11) << 4 | field(half, 10, 7) << 6 | bit(half, 6, 2) | bit(half, 5, 3);
        return imm == 0 ? 0 : i_type(imm, 2, 0, rd, 0x13);
    }
    case 2:
        return i_type(offset, rs1, 2, rd, 0x03);
    case 6:
        return store_word(offset, rd, rs1);
    default:
        return 0;
    }
}

static uint32_t arithmetic(uint32_t half) {
    static const uint8_t funct7[4] = {0x20, 0, 0, 0}, funct3[4] = {0, 4, 6, 7};
    uint32_t rd = 8 + field(half, 9, 7), rs2 = 8 + field(half, 4, 2);
    uint32_t kind = field(half, 11, 10), which = field(half, 6, 5);
    if (kind == 2) {
        return i_type(sign6(half), rd, 7, rd, 0x13);
    }
    if (bit(half, 12, 0) != 0) {
        return 0; // shift amounts of 32 and more, RV64 operations
    }
    if (kind < 2) {
        return i_type(field(half, 6, 2) | kind << 10, rd, 5, rd, 0x13);
    }
    return r_type(funct7[which], rs2, rd, funct3[which], rd);
}

static uint32_t quadrant1(uint32_t half) {
    uint32_t rd = field(half, 11, 7), imm = sign6(half);
    switch (half >> 13) {
    case 0:
        return i_type(imm, rd, 0, rd, 0x13);
    case 1:
        return jump(half, 1);
    case 2:
        return i_type(imm, 0, 0, rd, 0x13);
    case 3:
        if (rd == 2) { // c.addi16sp
            uint32_t raw = bit(half, 12, 9) | bit(half, 6, 4) | bit(half, 5, 6) |
                           field(half, 4, 3) << 7 | bit(half, 2, 5);
            return raw == 0 ? 0 : i_type((raw ^ 0x200u) - 0x200u, 2, 0, 2, 0x13);
        }
        return imm == 0 ? 0 : (imm & 0xfffffu) << 12 | rd << 7 | 0x37u;
    case 4:
        return arithmetic(half);
    case 5:
        return jump(half, 0);
    case 6:
        return branch(half, 0);
    default:
        return branch(half, 1);
    }
}

static uint32_t quadrant2(uint32_t half) {
    uint32_t rd = field(half, 11, 7), rs2 = field(half, 6, 2);
    bool high = bit(half, 12, 0) != 0;
    switch (half >> 13) {
    case 0:
        return high ? 0 : i_type(rs2, rd, 1, rd, 0x13);
    case 2: {
        uint32_t imm = bit(half, 12, 5) | field(half, 6, 4) << 2 | field(half, 3, 2) << 6;
        return rd == 0 ? 0 : i_type(imm, 2, 2, rd, 0x03);
    }
    case 4:
        if (rs2 != 0) {
            return r_type(0, rs2, high ? rd : 0, 0, rd); // c.add, c.mv
        }
        if (rd == 0) {
            return high ? 0x00100073u : 0; // c.ebreak
        }
        return i_type(0, rd, 0, high ? 1 : 0, 0x67); // c.jalr, c.jr
    case 6: {
        uint32_t imm = field(half, 12, 9) << 2 | field(half, 8, 7) << 6;
        return store_word(imm, rs2, 2);
    }
    default:
        return 0;
    }
}

uint32_t expand_compressed(uint32_t half) {
    switch (half & 3u) {
    case 0:
        return quadrant0(half);
    case 1:
        return quadrant1(half);
    case 2:
        return quadrant2(half);
    default:
        return 0;
    }
}
