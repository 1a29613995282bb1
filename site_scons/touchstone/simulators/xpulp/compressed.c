// SPDX-License-Identifier: Apache-2.0
// RV32C without floating point: each half-word is one of the operations of isa.h. The rows follow
// the RISC-V unprivileged specification, chapter "C"; a more special row comes before others.
#include "isa.h"
#include "xpulp.h"

// Where a register's number is: a constant, five bits, or three that count from x8.
typedef enum { X0, X1, X2, R11_7, R6_2, R9_7, R4_2 } place;

// Bits 12 to 2 of the half-word, as bits of the immediate; NO for those of something else.
enum { NO = 31, LAYOUT_BITS = 11 };
typedef struct {
    uint8_t to[LAYOUT_BITS];
    uint8_t width; // of a signed one, 0 if it is unsigned
} layout;

static const layout none = {{NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO}, 0},
                    ci = {{5, NO, NO, NO, NO, NO, 4, 3, 2, 1, 0}, 6},
                    lui = {{17, NO, NO, NO, NO, NO, 16, 15, 14, 13, 12}, 18},
                    addi16sp = {{9, NO, NO, NO, NO, NO, 4, 6, 8, 7, 5}, 10},
                    ciw = {{5, 4, 9, 8, 7, 6, 2, 3, NO, NO, NO}, 0},
                    cl = {{5, 4, 3, NO, NO, NO, 2, 6, NO, NO, NO}, 0},
                    lwsp = {{5, NO, NO, NO, NO, NO, 4, 3, 2, 7, 6}, 0},
                    swsp = {{5, 4, 3, 2, 7, 6, NO, NO, NO, NO, NO}, 0},
                    cb = {{8, 4, 3, NO, NO, NO, 7, 6, 2, 1, 5}, 9},
                    cj = {{11, 4, 9, 8, 10, 6, 7, 3, 2, 1, 5}, 12};

// What is no instruction although it matches.
typedef enum { ANY, IMM_ZERO, RD_ZERO, RS1_ZERO } refused;

static const struct {
    uint16_t mask, match, op;
    uint8_t rd, rs1, rs2, refuses;
    const layout *imm;
} rows[] = {
    {0xe003, 0x0000, OP_ADDI, R4_2, X2, X0, IMM_ZERO, &ciw}, // c.addi4spn
    {0xe003, 0x4000, OP_LW, R4_2, R9_7, X0, ANY, &cl},
    {0xe003, 0xc000, OP_SW, X0, R9_7, R4_2, ANY, &cl},
    {0xe003, 0x0001, OP_ADDI, R11_7, R11_7, X0, ANY, &ci},
    {0xe003, 0x2001, OP_JAL, X1, X0, X0, ANY, &cj},
    {0xe003, 0x4001, OP_ADDI, R11_7, X0, X0, ANY, &ci}, // c.li
    {0xef83, 0x6101, OP_ADDI, X2, X2, X0, IMM_ZERO, &addi16sp},
    {0xe003, 0x6001, OP_LUI, R11_7, X0, X0, IMM_ZERO, &lui},
    {0xfc03, 0x8001, OP_SRLI, R9_7, R9_7, R6_2, ANY, &none},
    {0xfc03, 0x8401, OP_SRAI, R9_7, R9_7, R6_2, ANY, &none},
    {0xec03, 0x8801, OP_ANDI, R9_7, R9_7, X0, ANY, &ci},
    {0xfc63, 0x8c01, OP_SUB, R9_7, R9_7, R4_2, ANY, &none},
    {0xfc63, 0x8c21, OP_XOR, R9_7, R9_7, R4_2, ANY, &none},
    {0xfc63, 0x8c41, OP_OR, R9_7, R9_7, R4_2, ANY, &none},
    {0xfc63, 0x8c61, OP_AND, R9_7, R9_7, R4_2, ANY, &none},
    {0xe003, 0xa001, OP_JAL, X0, X0, X0, ANY, &cj},
    {0xe003, 0xc001, OP_BEQ, X0, R9_7, X0, ANY, &cb},
    {0xe003, 0xe001, OP_BNE, X0, R9_7, X0, ANY, &cb},
    {0xf003, 0x0002, OP_SLLI, R11_7, R11_7, R6_2, ANY, &none},
    {0xe003, 0x4002, OP_LW, R11_7, X2, X0, RD_ZERO, &lwsp},
    {0xf07f, 0x8002, OP_JALR, X0, R11_7, X0, RS1_ZERO, &none},
    {0xf003, 0x8002, OP_ADD, R11_7, X0, R6_2, ANY, &none}, // c.mv
    {0xffff, 0x9002, OP_EBREAK, X0, X0, X0, ANY, &none},
    {0xf07f, 0x9002, OP_JALR, X1, R11_7, X0, ANY, &none},
    {0xf003, 0x9002, OP_ADD, R11_7, R11_7, R6_2, ANY, &none},
    {0xe003, 0xc002, OP_SW, X0, X2, R6_2, ANY, &swsp},
};

static uint8_t number(uint32_t half, uint8_t where) {
    static const uint8_t lowest[] = {0, 0, 0, 7, 2, 7, 2};
    uint32_t field = half >> lowest[where];
    return (uint8_t)(where <= X2 ? where : where <= R6_2 ? field & 31 : 8 + (field & 7));
}

static uint32_t immediate(uint32_t half, const layout *l) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < LAYOUT_BITS; i++) {
        value |= l->to[i] != NO ? (half >> (12 - i) & 1) << l->to[i] : 0;
    }
    uint32_t sign = l->width != 0 ? 1u << (l->width - 1) : 0;
    return (value ^ sign) - sign;
}

bool decode_compressed(uint32_t half, insn *out) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((half & rows[i].mask) == rows[i].match) {
            out->op = rows[i].op;
            out->rd = out->rs3 = number(half, rows[i].rd);
            out->rs1 = number(half, rows[i].rs1);
            out->rs2 = number(half, rows[i].rs2);
            out->imm = immediate(half, rows[i].imm);
            return !(rows[i].refuses == IMM_ZERO && out->imm == 0) &&
                   !(rows[i].refuses == RD_ZERO && out->rd == 0) &&
                   !(rows[i].refuses == RS1_ZERO && out->rs1 == 0);
        }
    }
    return false;
}
