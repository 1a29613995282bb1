// SPDX-License-Identifier: Apache-2.0
// RV32IM and the XpulpV2 scalar, memory and loop instructions: a word w is the instruction of the
// row with (w & mask) == match. No two rows overlap. SIMD (opcode 0x57) is decoded in decode.c.
#ifndef XPULP_DECODE_TABLE_H
#define XPULP_DECODE_TABLE_H

#include "ops.h"

#include <stdint.h>

// Where the operands are; see operands() in decode.c.
typedef enum {
    F_NONE,
    F_R,         // rd, rs1, rs2
    F_R_RD,      // the same, rd is also read
    F_R1,        // rd, rs1
    F_I,         // rd, rs1, imm12
    F_UIMM5,     // rd, rs1, bits 24:20 as immediate
    F_S,         // rs1, rs2 = data, imm12
    F_S_REG,     // rs1, rs2 = data, rs3 = offset in bits 11:7
    F_B,         // rs1, rs2, offset
    F_B_IMM,     // rs1, bits 24:20 as signed constant in rs2, offset
    F_U,         // rd, imm20
    F_J,         // rd, offset
    F_NORM,      // rd, rs1, rs2, bits 29:25 as shift
    F_NORM_RD,   // the same, rd is also read
    F_BITS,      // rd, rs1, (width - 1, lowest bit) as rs2 would hold them
    F_BITS_RD,   // the same, rd is also read
    F_CSR,       // rd, rs1, csr number
    F_CSR_IMM,   // rd, bits 19:15 as constant in rs1, csr number
    F_LOOP,      // loop number in rs3, rs1, uimm12
    F_LOOP_COUNT // the same with the five-bit body length in rs2
} format;

typedef struct {
    uint32_t mask, match;
    op_code op;
    format fields;
} row;

#define OPCODE 0x7fu
#define FUNCT3 0x707fu
#define FUNCT7 0xfe00707fu
#define UNARY 0xfff0707fu // funct7 and rs2
#define NORM 0xc000707fu  // bits 31:30 and funct3
#define LOOP_NO_RS1 (0xf8000u | 0xf00u)
#define LOOP_RS1 0xf00u
#define R(f7, f3, opcode) ((uint32_t)(f7) << 25 | (uint32_t)(f3) << 12 | (opcode))

static const row rows[] = {
    {OPCODE, 0x37, OP_LUI, F_U},
    {OPCODE, 0x17, OP_AUIPC, F_U},
    {OPCODE, 0x6f, OP_JAL, F_J},
    {FUNCT3, R(0, 0, 0x67), OP_JALR, F_I},
    {FUNCT3, R(0, 0, 0x63), OP_BEQ, F_B},
    {FUNCT3, R(0, 1, 0x63), OP_BNE, F_B},
    {FUNCT3, R(0, 2, 0x63), OP_BEQIMM, F_B_IMM},
    {FUNCT3, R(0, 3, 0x63), OP_BNEIMM, F_B_IMM},
    {FUNCT3, R(0, 4, 0x63), OP_BLT, F_B},
    {FUNCT3, R(0, 5, 0x63), OP_BGE, F_B},
    {FUNCT3, R(0, 6, 0x63), OP_BLTU, F_B},
    {FUNCT3, R(0, 7, 0x63), OP_BGEU, F_B},
    {FUNCT3, R(0, 0, 0x13), OP_ADD, F_I},
    {FUNCT3, R(0, 2, 0x13), OP_SLT, F_I},
    {FUNCT3, R(0, 3, 0x13), OP_SLTU, F_I},
    {FUNCT3, R(0, 4, 0x13), OP_XOR, F_I},
    {FUNCT3, R(0, 6, 0x13), OP_OR, F_I},
    {FUNCT3, R(0, 7, 0x13), OP_AND, F_I},
    {FUNCT7, R(0, 1, 0x13), OP_SLL, F_UIMM5},
    {FUNCT7, R(0, 5, 0x13), OP_SRL, F_UIMM5},
    {FUNCT7, R(0x20, 5, 0x13), OP_SRA, F_UIMM5},
    {FUNCT7, R(0, 0, 0x33), OP_ADD, F_R},
    {FUNCT7, R(0x20, 0, 0x33), OP_SUB, F_R},
    {FUNCT7, R(0, 1, 0x33), OP_SLL, F_R},
    {FUNCT7, R(0, 2, 0x33), OP_SLT, F_R},
    {FUNCT7, R(0, 3, 0x33), OP_SLTU, F_R},
    {FUNCT7, R(0, 4, 0x33), OP_XOR, F_R},
    {FUNCT7, R(0, 5, 0x33), OP_SRL, F_R},
    {FUNCT7, R(0x20, 5, 0x33), OP_SRA, F_R},
    {FUNCT7, R(0, 6, 0x33), OP_OR, F_R},
    {FUNCT7, R(0, 7, 0x33), OP_AND, F_R},
    {FUNCT7, R(1, 0, 0x33), OP_MUL, F_R},
    {FUNCT7, R(1, 1, 0x33), OP_MULH, F_R},
    {FUNCT7, R(1, 2, 0x33), OP_MULHSU, F_R},
    {FUNCT7, R(1, 3, 0x33), OP_MULHU, F_R},
    {FUNCT7, R(1, 4, 0x33), OP_DIV, F_R},
    {FUNCT7, R(1, 5, 0x33), OP_DIVU, F_R},
    {FUNCT7, R(1, 6, 0x33), OP_REM, F_R},
    {FUNCT7, R(1, 7, 0x33), OP_REMU, F_R},
    {FUNCT3, R(0, 0, 0x0f), OP_FENCE, F_NONE},
    {0xffffffffu, 0x0000100fu, OP_FENCE, F_NONE}, // fence.i
    {0xffffffffu, 0x00000073u, OP_ECALL, F_NONE},
    {0xffffffffu, 0x00100073u, OP_EBREAK, F_NONE},
    {0xffffffffu, 0x30200073u, OP_MRET, F_NONE},
    {0xffffffffu, 0x10500073u, OP_WFI, F_NONE},
    {FUNCT3, R(0, 1, 0x73), OP_CSRRW, F_CSR},
    {FUNCT3, R(0, 2, 0x73), OP_CSRRS, F_CSR},
    {FUNCT3, R(0, 3, 0x73), OP_CSRRC, F_CSR},
    {FUNCT3, R(0, 5, 0x73), OP_CSRRWI, F_CSR_IMM},
    {FUNCT3, R(0, 6, 0x73), OP_CSRRSI, F_CSR_IMM},
    {FUNCT3, R(0, 7, 0x73), OP_CSRRCI, F_CSR_IMM},
    // Loads and stores.
    {FUNCT3, R(0, 0, 0x03), OP_LB, F_I},
    {FUNCT3, R(0, 1, 0x03), OP_LH, F_I},
    {FUNCT3, R(0, 2, 0x03), OP_LW, F_I},
    {FUNCT3, R(0, 4, 0x03), OP_LBU, F_I},
    {FUNCT3, R(0, 5, 0x03), OP_LHU, F_I},
    {FUNCT3, R(0, 6, 0x03), OP_ELW, F_I},
    {FUNCT7, R(0x00, 7, 0x03), OP_LB, F_R},
    {FUNCT7, R(0x08, 7, 0x03), OP_LH, F_R},
    {FUNCT7, R(0x10, 7, 0x03), OP_LW, F_R},
    {FUNCT7, R(0x20, 7, 0x03), OP_LBU, F_R},
    {FUNCT7, R(0x28, 7, 0x03), OP_LHU, F_R},
    {FUNCT3, R(0, 0, 0x0b), OP_LB_POST, F_I},
    {FUNCT3, R(0, 1, 0x0b), OP_LH_POST, F_I},
    {FUNCT3, R(0, 2, 0x0b), OP_LW_POST, F_I},
    {FUNCT3, R(0, 4, 0x0b), OP_LBU_POST, F_I},
    {FUNCT3, R(0, 5, 0x0b), OP_LHU_POST, F_I},
    {FUNCT7, R(0x00, 7, 0x0b), OP_LB_POST, F_R},
    {FUNCT7, R(0x08, 7, 0x0b), OP_LH_POST, F_R},
    {FUNCT7, R(0x10, 7, 0x0b), OP_LW_POST, F_R},
    {FUNCT7, R(0x20, 7, 0x0b), OP_LBU_POST, F_R},
    {FUNCT7, R(0x28, 7, 0x0b), OP_LHU_POST, F_R},
    {FUNCT3, R(0, 0, 0x23), OP_SB, F_S},
    {FUNCT3, R(0, 1, 0x23), OP_SH, F_S},
    {FUNCT3, R(0, 2, 0x23), OP_SW, F_S},
    {FUNCT7, R(0, 4, 0x23), OP_SB, F_S_REG},
    {FUNCT7, R(0, 5, 0x23), OP_SH, F_S_REG},
    {FUNCT7, R(0, 6, 0x23), OP_SW, F_S_REG},
    {FUNCT3, R(0, 0, 0x2b), OP_SB_POST, F_S},
    {FUNCT3, R(0, 1, 0x2b), OP_SH_POST, F_S},
    {FUNCT3, R(0, 2, 0x2b), OP_SW_POST, F_S},
    {FUNCT7, R(0, 4, 0x2b), OP_SB_POST, F_S_REG},
    {FUNCT7, R(0, 5, 0x2b), OP_SH_POST, F_S_REG},
    {FUNCT7, R(0, 6, 0x2b), OP_SW_POST, F_S_REG},
    // Hardware loops.
    {FUNCT3 | LOOP_NO_RS1, R(0, 0, 0x7b), OP_LP_STARTI, F_LOOP},
    {FUNCT3 | LOOP_NO_RS1, R(0, 1, 0x7b), OP_LP_ENDI, F_LOOP},
    {0xfff07f7fu, R(0, 2, 0x7b), OP_LP_COUNT, F_LOOP},
    {FUNCT3 | LOOP_NO_RS1, R(0, 3, 0x7b), OP_LP_COUNTI, F_LOOP},
    {FUNCT3 | LOOP_RS1, R(0, 4, 0x7b), OP_LP_SETUP, F_LOOP},
    {FUNCT3 | LOOP_RS1, R(0, 5, 0x7b), OP_LP_SETUPI, F_LOOP_COUNT},
    // Scalar ALU.
    {UNARY, R(0x02, 0, 0x33), OP_ABS, F_R1},
    {FUNCT7, R(0x02, 1, 0x33), OP_AVGU, F_R},
    {FUNCT7, R(0x02, 2, 0x33), OP_SLET, F_R},
    {FUNCT7, R(0x02, 3, 0x33), OP_SLETU, F_R},
    {FUNCT7, R(0x02, 4, 0x33), OP_MIN, F_R},
    {FUNCT7, R(0x02, 5, 0x33), OP_MINU, F_R},
    {FUNCT7, R(0x02, 6, 0x33), OP_MAX, F_R},
    {FUNCT7, R(0x02, 7, 0x33), OP_MAXU, F_R},
    {FUNCT7, R(0x04, 5, 0x33), OP_ROR, F_R},
    {UNARY, R(0x08, 0, 0x33), OP_FF1, F_R1},
    {UNARY, R(0x08, 1, 0x33), OP_FL1, F_R1},
    {UNARY, R(0x08, 2, 0x33), OP_CLB, F_R1},
    {UNARY, R(0x08, 3, 0x33), OP_CNT, F_R1},
    {UNARY, R(0x08, 4, 0x33), OP_EXTHS, F_R1},
    {UNARY, R(0x08, 5, 0x33), OP_EXTHZ, F_R1},
    {UNARY, R(0x08, 6, 0x33), OP_EXTBS, F_R1},
    {UNARY, R(0x08, 7, 0x33), OP_EXTBZ, F_R1},
    {FUNCT7, R(0x0a, 1, 0x33), OP_CLIP, F_UIMM5},
    {FUNCT7, R(0x0a, 2, 0x33), OP_CLIPU, F_UIMM5},
    {FUNCT7, R(0x0a, 5, 0x33), OP_CLIPR, F_R},
    {FUNCT7, R(0x0a, 6, 0x33), OP_CLIPUR, F_R},
    {FUNCT7, R(0x21, 0, 0x33), OP_MAC, F_R_RD},
    {FUNCT7, R(0x21, 1, 0x33), OP_MSU, F_R_RD},
    // Bit fields: immediate forms (bits 31:30 = 11), register forms (funct7 0x40).
    {NORM, R(0x60, 0, 0x33), OP_EXTRACT, F_BITS},
    {NORM, R(0x60, 1, 0x33), OP_EXTRACTU, F_BITS},
    {NORM, R(0x60, 2, 0x33), OP_INSERT, F_BITS_RD},
    {NORM, R(0x60, 3, 0x33), OP_BCLR, F_BITS},
    {NORM, R(0x60, 4, 0x33), OP_BSET, F_BITS},
    {FUNCT7, R(0x40, 0, 0x33), OP_EXTRACT, F_R},
    {FUNCT7, R(0x40, 1, 0x33), OP_EXTRACTU, F_R},
    {FUNCT7, R(0x40, 2, 0x33), OP_INSERT, F_R_RD},
    {FUNCT7, R(0x40, 3, 0x33), OP_BCLR, F_R},
    {FUNCT7, R(0x40, 4, 0x33), OP_BSET, F_R},
    // 16 x 16 multiply: bits 31:30 = 10 low signed, 11 high signed, 00 low unsigned, 01 high.
    {NORM, R(0x40, 0, 0x5b), OP_MULS, F_NORM},
    {NORM, R(0x40, 4, 0x5b), OP_MULSR, F_NORM},
    {NORM, R(0x40, 1, 0x5b), OP_MACS, F_NORM_RD},
    {NORM, R(0x40, 5, 0x5b), OP_MACSR, F_NORM_RD},
    {NORM, R(0x60, 0, 0x5b), OP_MULHHS, F_NORM},
    {NORM, R(0x60, 4, 0x5b), OP_MULHHSR, F_NORM},
    {NORM, R(0x60, 1, 0x5b), OP_MACHHS, F_NORM_RD},
    {NORM, R(0x60, 5, 0x5b), OP_MACHHSR, F_NORM_RD},
    {NORM, R(0x00, 0, 0x5b), OP_MULU, F_NORM},
    {NORM, R(0x00, 4, 0x5b), OP_MULUR, F_NORM},
    {NORM, R(0x00, 1, 0x5b), OP_MACU, F_NORM_RD},
    {NORM, R(0x00, 5, 0x5b), OP_MACUR, F_NORM_RD},
    {NORM, R(0x20, 0, 0x5b), OP_MULHHU, F_NORM},
    {NORM, R(0x20, 4, 0x5b), OP_MULHHUR, F_NORM},
    {NORM, R(0x20, 1, 0x5b), OP_MACHHU, F_NORM_RD},
    {NORM, R(0x20, 5, 0x5b), OP_MACHHUR, F_NORM_RD},
    // Add and subtract with normalisation.
    {NORM, R(0x00, 2, 0x5b), OP_ADDN, F_NORM},
    {NORM, R(0x40, 2, 0x5b), OP_ADDUN, F_NORM},
    {NORM, R(0x00, 6, 0x5b), OP_ADDRN, F_NORM},
    {NORM, R(0x40, 6, 0x5b), OP_ADDURN, F_NORM},
    {NORM, R(0x00, 3, 0x5b), OP_SUBN, F_NORM},
    {NORM, R(0x40, 3, 0x5b), OP_SUBUN, F_NORM},
    {NORM, R(0x00, 7, 0x5b), OP_SUBRN, F_NORM},
    {NORM, R(0x40, 7, 0x5b), OP_SUBURN, F_NORM},
    {FUNCT7, R(0x20, 2, 0x5b), OP_ADDNR, F_R_RD},
    {FUNCT7, R(0x60, 2, 0x5b), OP_ADDUNR, F_R_RD},
    {FUNCT7, R(0x20, 6, 0x5b), OP_ADDRNR, F_R_RD},
    {FUNCT7, R(0x60, 6, 0x5b), OP_ADDURNR, F_R_RD},
    {FUNCT7, R(0x20, 3, 0x5b), OP_SUBNR, F_R_RD},
    {FUNCT7, R(0x60, 3, 0x5b), OP_SUBUNR, F_R_RD},
    {FUNCT7, R(0x20, 7, 0x5b), OP_SUBRNR, F_R_RD},
    {FUNCT7, R(0x60, 7, 0x5b), OP_SUBURNR, F_R_RD},
};

#endif
