// SPDX-License-Identifier: Apache-2.0
// Every 32-bit instruction, one row each: name, the bits that tell it (word & mask == match), its
// operand fields, its kind, and what it does in the words of execute.c. No two rows overlap.
#ifndef XPULP_ISA_H
#define XPULP_ISA_H

#include <stdint.h>

// Operand fields. The numbers of rs1, rs2 and rs3 (in the place of rd) are there in any case:
// some instructions have a constant in their place.
enum {
    D = 1,    // writes rd
    A = 2,    // reads rs1
    B = 4,    // reads rs2
    C = 8,    // reads rd or rs3
    I = 16,   // immediate: bits 31:20, signed
    U = 32,   // bits 31:20, unsigned
    S = 48,   // of stores
    BR = 64,  // of branches
    UP = 80,  // bits 31:12 in place
    J = 96,   // of jal
    N = 112,  // bits 29:25
    F = 128,  // bits 29:20: width - 1 and lowest bit of a field, as a register would hold them
    E = 144,  // bits 24:20 and 25
    SV = 160, // the same, signed, in every lane
    UV = 176, // the same, unsigned, in every lane
    IMMEDIATES = 240
};

#define WORD 0xffffffffu
#define OPCODE 0x7fu
#define FUNCT3 0x707fu
#define FUNCT7 0xfe00707fu
#define UNARY 0xfff0707fu      // funct7 and rs2
#define NORM 0xc000707fu       // bits 31:30 and funct3
#define SIX 0xfc00707fu        // bits 31:26 and funct3
#define HALF 0xfdf0707fu       // the same, and an element below 2
#define BYTE 0xfde0707fu       // the same, and an element below 4
#define NUMBER 0x00007f7fu     // funct3, and a loop's number in bit 7
#define NUMBER_IMM 0x000fff7fu // the same without rs1
#define NUMBER_REG 0xfff07f7fu // the same without an immediate
#define R(f7, f3, opcode) ((uint32_t)(f7) << 25 | (uint32_t)(f3) << 12 | (opcode))

// clang-format would turn the rows into stairs.
// clang-format off

#define ALU(X, name, f7, f3, value) X(name, FUNCT7, R(f7, f3, 0x33), D | A | B, VALUE, value)
#define BIT(X, name, f7, f3, value) X(name, UNARY, R(f7, f3, 0x33), D | A, VALUE, value)

#define XPULP_BASE(X)                                                                              \
    X(LUI, OPCODE, 0x37, D | UP, VALUE, IMM)                                                       \
    X(AUIPC, OPCODE, 0x17, D | UP, VALUE, PC + IMM)                                                \
    X(JAL, OPCODE, 0x6f, D | J, CALL, PC + IMM)                                                    \
    X(JALR, FUNCT3, R(0, 0, 0x67), D | A | I, CALL, (RS1 + IMM) & ~1u)                             \
    X(BEQ, FUNCT3, R(0, 0, 0x63), A | B | BR, BRANCH, RS1 == RS2)                                  \
    X(BNE, FUNCT3, R(0, 1, 0x63), A | B | BR, BRANCH, RS1 != RS2)                                  \
    X(BEQIMM, FUNCT3, R(0, 2, 0x63), A | BR, BRANCH, RS1 == sign_extend(in->rs2, 5))               \
    X(BNEIMM, FUNCT3, R(0, 3, 0x63), A | BR, BRANCH, RS1 != sign_extend(in->rs2, 5))               \
    X(BLT, FUNCT3, R(0, 4, 0x63), A | B | BR, BRANCH, (int32_t)RS1 < (int32_t)RS2)                 \
    X(BGE, FUNCT3, R(0, 5, 0x63), A | B | BR, BRANCH, (int32_t)RS1 >= (int32_t)RS2)                \
    X(BLTU, FUNCT3, R(0, 6, 0x63), A | B | BR, BRANCH, RS1 < RS2)                                  \
    X(BGEU, FUNCT3, R(0, 7, 0x63), A | B | BR, BRANCH, RS1 >= RS2)                                 \
    X(ADDI, FUNCT3, R(0, 0, 0x13), D | A | I, VALUE, RS1 + IMM)                                    \
    X(SLTI, FUNCT3, R(0, 2, 0x13), D | A | I, VALUE, (int32_t)RS1 < (int32_t)IMM)                  \
    X(SLTIU, FUNCT3, R(0, 3, 0x13), D | A | I, VALUE, RS1 < IMM)                                   \
    X(XORI, FUNCT3, R(0, 4, 0x13), D | A | I, VALUE, RS1 ^ IMM)                                    \
    X(ORI, FUNCT3, R(0, 6, 0x13), D | A | I, VALUE, RS1 | IMM)                                     \
    X(ANDI, FUNCT3, R(0, 7, 0x13), D | A | I, VALUE, RS1 & IMM)                                    \
    X(SLLI, FUNCT7, R(0, 1, 0x13), D | A, VALUE, RS1 << in->rs2)                                   \
    X(SRLI, FUNCT7, R(0, 5, 0x13), D | A, VALUE, RS1 >> in->rs2)                                   \
    X(SRAI, FUNCT7, R(0x20, 5, 0x13), D | A, VALUE, shift_right_signed(RS1, in->rs2))              \
    ALU(X, ADD, 0, 0, RS1 + RS2)                                                                   \
    ALU(X, SUB, 0x20, 0, RS1 - RS2)                                                                \
    ALU(X, SLL, 0, 1, RS1 << (RS2 & 31))                                                           \
    ALU(X, SLT, 0, 2, (int32_t)RS1 < (int32_t)RS2)                                                 \
    ALU(X, SLTU, 0, 3, RS1 < RS2)                                                                  \
    ALU(X, XOR, 0, 4, RS1 ^ RS2)                                                                   \
    ALU(X, SRL, 0, 5, RS1 >> (RS2 & 31))                                                           \
    ALU(X, SRA, 0x20, 5, shift_right_signed(RS1, RS2 & 31))                                        \
    ALU(X, OR, 0, 6, RS1 | RS2)                                                                    \
    ALU(X, AND, 0, 7, RS1 & RS2)                                                                   \
    X(MUL, FUNCT7, R(1, 0, 0x33), D | A | B, MULTIPLY, mul, RS1 * RS2)                             \
    X(MULH, FUNCT7, R(1, 1, 0x33), D | A | B, MULTIPLY, mulh, upper(wide(RS1) * wide(RS2)))        \
    X(MULHSU, FUNCT7, R(1, 2, 0x33), D | A | B, MULTIPLY, mulh, upper(wide(RS1) * RS2))            \
    X(MULHU, FUNCT7, R(1, 3, 0x33), D | A | B, MULTIPLY, mulh, upper((uint64_t)RS1 * RS2))         \
    X(DIV, FUNCT7, R(1, 4, 0x33), D | A | B, DIVIDE, true, divide(RS1, RS2))                       \
    X(DIVU, FUNCT7, R(1, 5, 0x33), D | A | B, DIVIDE, false, RS2 == 0 ? WORD : RS1 / RS2)          \
    X(REM, FUNCT7, R(1, 6, 0x33), D | A | B, DIVIDE, true, remainder_signed(RS1, RS2))             \
    X(REMU, FUNCT7, R(1, 7, 0x33), D | A | B, DIVIDE, false, RS2 == 0 ? RS1 : RS1 % RS2)           \
    X(FENCE, FUNCT3, R(0, 0, 0x0f), 0, VALUE, 0)                                                   \
    X(FENCE_I, WORD, 0x0000100f, 0, VALUE, 0)                                                      \
    X(ECALL, WORD, 0x00000073, 0, SYSTEM, fault(s, c, "environment-call", NULL, NO_TRAPS))         \
    X(EBREAK, WORD, 0x00100073, 0, SYSTEM, semihost_call(s, c))                                    \
    X(MRET, WORD, 0x30200073, 0, CALL, c->mepc)                                                    \
    X(WFI, WORD, 0x10500073, 0, SLEEP, core_sleep(s, c, CORE_WFI))                                 \
    X(CSRRW, FUNCT3, R(0, 1, 0x73), D | A | U, SYSTEM, csr_access(s, c, in))                       \
    X(CSRRS, FUNCT3, R(0, 2, 0x73), D | A | U, SYSTEM, csr_access(s, c, in))                       \
    X(CSRRC, FUNCT3, R(0, 3, 0x73), D | A | U, SYSTEM, csr_access(s, c, in))                       \
    X(CSRRWI, FUNCT3, R(0, 5, 0x73), D | U, SYSTEM, csr_access(s, c, in))                          \
    X(CSRRSI, FUNCT3, R(0, 6, 0x73), D | U, SYSTEM, csr_access(s, c, in))                          \
    X(CSRRCI, FUNCT3, R(0, 7, 0x73), D | U, SYSTEM, csr_access(s, c, in))                          \
    /* What these become where they move a stack pointer that has to stay in its stack. */         \
    X(STACK_ADDI, 0, 1, D | A | I, SYSTEM, move_stack(s, c, RS1 + IMM))                            \
    X(STACK_ADD, 0, 1, D | A | B, SYSTEM, move_stack(s, c, RS1 + RS2))                             \
    X(STACK_SUB, 0, 1, D | A | B, SYSTEM, move_stack(s, c, RS1 - RS2))

// The four forms of a load and of a store: type, index and what is added to rs1 afterwards.
#define LOADS(X, name, f3, f7, type)                                                               \
    X(name, FUNCT3, R(0, f3, 0x03), D | A | I, LOAD, type, IMM, 0)                                 \
    X(name##_R, FUNCT7, R(f7, 7, 0x03), D | A | B, LOAD, type, RS2, 0)                             \
    X(name##_POST, FUNCT3, R(0, f3, 0x0b), D | A | I, LOAD_POST, type, 0, IMM)                     \
    X(name##_POST_R, FUNCT7, R(f7, 7, 0x0b), D | A | B, LOAD_POST, type, 0, RS2)
#define STORES(X, name, f3, type)                                                                  \
    X(name, FUNCT3, R(0, f3, 0x23), A | B | S, STORE, type, IMM, 0)                                \
    X(name##_R, FUNCT7, R(0, 4 + f3, 0x23), A | B | C, STORE, type, RS3, 0)                        \
    X(name##_POST, FUNCT3, R(0, f3, 0x2b), A | B | S, STORE_POST, type, 0, IMM)                    \
    X(name##_POST_R, FUNCT7, R(0, 4 + f3, 0x2b), A | B | C, STORE_POST, type, 0, RS3)
#define XPULP_MEMORY(X)                                                                            \
    LOADS(X, LB, 0, 0x00, int8_t)                                                                  \
    LOADS(X, LH, 1, 0x08, int16_t)                                                                 \
    LOADS(X, LW, 2, 0x10, uint32_t)                                                                \
    LOADS(X, LBU, 4, 0x20, uint8_t)                                                                \
    LOADS(X, LHU, 5, 0x28, uint16_t)                                                               \
    STORES(X, SB, 0, uint8_t)                                                                      \
    STORES(X, SH, 1, uint16_t)                                                                     \
    STORES(X, SW, 2, uint32_t)                                                                     \
    X(ELW, FUNCT3, R(0, 6, 0x03), D | A | I, EVENT_WAIT, peripheral_wait(s, c, RS1 + IMM, in->rd))

#define LOOP(X, name, mask, f3, fields, value) X(name, mask, R(0, f3, 0x7b), fields, VALUE, value)
#define XPULP_LOOPS(X)                                                                             \
    LOOP(X, LP_STARTI, NUMBER_IMM, 0, U, c->lpstart[NUMBERED] = PC + 2 * IMM)                      \
    LOOP(X, LP_ENDI, NUMBER_IMM, 1, U, set_loop_end(s, c, NUMBERED, PC + 2 * IMM))                 \
    LOOP(X, LP_COUNT, NUMBER_REG, 2, A | U, c->lpcount[NUMBERED] = RS1)                            \
    LOOP(X, LP_COUNTI, NUMBER_IMM, 3, U, c->lpcount[NUMBERED] = IMM)                               \
    LOOP(X, LP_SETUP, NUMBER, 4, A | U, set_loop(s, c, NUMBERED, PC, 2 * IMM, RS1))                \
    LOOP(X, LP_SETUPI, NUMBER, 5, U, set_loop(s, c, NUMBERED, PC, 2u * in->rs1, IMM))

#define XPULP_SCALAR(X)                                                                            \
    BIT(X, ABS, 0x02, 0, (int32_t)RS1 < 0 ? 0u - RS1 : RS1)                                        \
    ALU(X, AVGU, 0x02, 1, (RS1 + RS2) >> 1)                                                        \
    ALU(X, SLET, 0x02, 2, (int32_t)RS1 <= (int32_t)RS2)                                            \
    ALU(X, SLETU, 0x02, 3, RS1 <= RS2)                                                             \
    ALU(X, MIN, 0x02, 4, (int32_t)RS1 < (int32_t)RS2 ? RS1 : RS2)                                  \
    ALU(X, MINU, 0x02, 5, RS1 < RS2 ? RS1 : RS2)                                                   \
    ALU(X, MAX, 0x02, 6, (int32_t)RS1 > (int32_t)RS2 ? RS1 : RS2)                                  \
    ALU(X, MAXU, 0x02, 7, RS1 > RS2 ? RS1 : RS2)                                                   \
    ALU(X, ROR, 0x04, 5, rotate_right(RS1, RS2))                                                   \
    BIT(X, FF1, 0x08, 0, RS1 != 0 ? __builtin_ctz(RS1) : 32)                                       \
    BIT(X, FL1, 0x08, 1, RS1 != 0 ? 31 - __builtin_clz(RS1) : 32)                                  \
    BIT(X, CLB, 0x08, 2, sign_bits(RS1))                                                           \
    BIT(X, CNT, 0x08, 3, (uint32_t)__builtin_popcount(RS1))                                        \
    BIT(X, EXTHS, 0x08, 4, low_signed(RS1))                                                        \
    BIT(X, EXTHZ, 0x08, 5, low_unsigned(RS1))                                                      \
    BIT(X, EXTBS, 0x08, 6, (uint32_t)(int8_t)RS1)                                                  \
    BIT(X, EXTBZ, 0x08, 7, RS1 & 0xffu)                                                            \
    ALU(X, CLIPR, 0x0a, 5, clip(RS1, (int32_t)~RS2, (int32_t)RS2))                                 \
    ALU(X, CLIPUR, 0x0a, 6, clip(RS1, 0, (int32_t)RS2))                                            \
    X(CLIP, FUNCT7, R(0x0a, 1, 0x33), D | A, VALUE, clip(RS1, ~CLIP_BOUND, CLIP_BOUND))            \
    X(CLIPU, FUNCT7, R(0x0a, 2, 0x33), D | A, VALUE, clip(RS1, 0, CLIP_BOUND))                     \
    X(MAC, FUNCT7, R(0x21, 0, 0x33), D | A | B | C, VALUE, RD + RS1 * RS2)                         \
    X(MSU, FUNCT7, R(0x21, 1, 0x33), D | A | B | C, VALUE, RD - RS1 * RS2)                         \
    X(EXTRACT, NORM, R(0x60, 0, 0x33), D | A | F, VALUE, extract_signed(RS1, IMM))                 \
    X(EXTRACTU, NORM, R(0x60, 1, 0x33), D | A | F, VALUE, extract_unsigned(RS1, IMM))              \
    X(INSERT, NORM, R(0x60, 2, 0x33), D | A | C | F, VALUE, insert(RD, RS1, IMM))                  \
    X(BCLR, NORM, R(0x60, 3, 0x33), D | A | F, VALUE, RS1 & ~field_mask(IMM))                      \
    X(BSET, NORM, R(0x60, 4, 0x33), D | A | F, VALUE, RS1 | field_mask(IMM))                       \
    ALU(X, EXTRACTR, 0x40, 0, extract_signed(RS1, RS2))                                            \
    ALU(X, EXTRACTUR, 0x40, 1, extract_unsigned(RS1, RS2))                                         \
    X(INSERTR, FUNCT7, R(0x40, 2, 0x33), D | A | B | C, VALUE, insert(RD, RS1, RS2))               \
    ALU(X, BCLRR, 0x40, 3, RS1 & ~field_mask(RS2))                                                 \
    ALU(X, BSETR, 0x40, 4, RS1 | field_mask(RS2))

// 16 x 16 products of halves, plain or added to rd, then shifted; R rounds.
#define PRODUCTS(X, name, top, half, shift)                                                        \
    X(MUL##name, NORM, R(top, 0, 0x5b), D | A | B | N, VALUE, shift(half(RS1) * half(RS2), IMM))   \
    X(MUL##name##R, NORM, R(top, 4, 0x5b), D | A | B | N, VALUE,                                   \
      shift(rounded(half(RS1) * half(RS2), IMM), IMM))                                             \
    X(MAC##name, NORM, R(top, 1, 0x5b), D | A | B | C | N, VALUE,                                  \
      shift(RD + half(RS1) * half(RS2), IMM))                                                      \
    X(MAC##name##R, NORM, R(top, 5, 0x5b), D | A | B | C | N, VALUE,                               \
      shift(rounded(RD + half(RS1) * half(RS2), IMM), IMM))
// A sum or difference, then shifted: of rs1 and rs2 by an immediate, of rd and rs1 by rs2 (R).
#define SUMS(X, name, sign, top, f3, shift)                                                        \
    X(name##N, NORM, R(top, f3, 0x5b), D | A | B | N, VALUE, shift(RS1 sign RS2, IMM))             \
    X(name##RN, NORM, R(top, 4 + f3, 0x5b), D | A | B | N, VALUE,                                  \
      shift(rounded(RS1 sign RS2, IMM), IMM))                                                      \
    X(name##NR, FUNCT7, R(0x20 + top, f3, 0x5b), D | A | B | C, VALUE,                             \
      shift(RD sign RS1, RS2 & 31))                                                                \
    X(name##RNR, FUNCT7, R(0x20 + top, 4 + f3, 0x5b), D | A | B | C, VALUE,                        \
      shift(rounded(RD sign RS1, RS2 & 31), RS2 & 31))
#define XPULP_NORMALISED(X)                                                                        \
    PRODUCTS(X, S, 0x40, low_signed, shift_right_signed)                                           \
    PRODUCTS(X, HHS, 0x60, high_signed, shift_right_signed)                                        \
    PRODUCTS(X, U, 0x00, low_unsigned, shift_right)                                                \
    PRODUCTS(X, HHU, 0x20, high_unsigned, shift_right)                                             \
    SUMS(X, ADD, +, 0x00, 2, shift_right_signed)                                                   \
    SUMS(X, ADDU, +, 0x40, 2, shift_right)                                                         \
    SUMS(X, SUB, -, 0x00, 3, shift_right_signed)                                                   \
    SUMS(X, SUBU, -, 0x40, 3, shift_right)

// SIMD, opcode 0x57: two lanes of 16 bits (H) or four of 8 (B); the second operand is rs2, its
// lowest lane in every lane (SC) or an immediate in every lane (SCI). `old` is added to it all.
#define VECTOR(X, name, op6, fields, imm, function, old)                                           \
    X(name##_H, FUNCT7, R(2 * op6, 0, 0x57), D | A | B | fields, VALUE, old function##_16(RS1, RS2)) \
    X(name##_B, FUNCT7, R(2 * op6, 1, 0x57), D | A | B | fields, VALUE, old function##_8(RS1, RS2)) \
    X(name##_SC_H, FUNCT7, R(2 * op6, 4, 0x57), D | A | B | fields, VALUE,                         \
      old function##_16(RS1, every_half(RS2)))                                                     \
    X(name##_SC_B, FUNCT7, R(2 * op6, 5, 0x57), D | A | B | fields, VALUE,                         \
      old function##_8(RS1, every_byte(RS2)))                                                      \
    X(name##_SCI_H, SIX, R(2 * op6, 6, 0x57), D | A | fields | imm, VALUE,                         \
      old function##_16(RS1, IMM))                                                                 \
    X(name##_SCI_B, SIX, R(2 * op6, 7, 0x57), D | A | fields | imm, VALUE,                         \
      old function##_8(RS1, IMM))

// Lane by lane: name, op6, type of a lane (S, U), kind of immediate, and the value of a lane: a and
// b are promoted to int, T is their type, BITS its width.
#define XPULP_LANES(Y, X)                                                                          \
    Y(X, ADD, 0x00, S, SV, a + b)                                                                  \
    Y(X, SUB, 0x02, S, SV, a - b)                                                                  \
    Y(X, AVG, 0x04, S, SV, (T)(a + b) >> 1)                                                        \
    Y(X, AVGU, 0x06, U, UV, (T)(a + b) >> 1)                                                       \
    Y(X, MIN, 0x08, S, SV, a < b ? a : b)                                                          \
    Y(X, MINU, 0x0a, U, UV, a < b ? a : b)                                                         \
    Y(X, MAX, 0x0c, S, SV, a > b ? a : b)                                                          \
    Y(X, MAXU, 0x0e, U, UV, a > b ? a : b)                                                         \
    Y(X, SRL, 0x10, U, UV, a >> (b & (BITS - 1)))                                                  \
    Y(X, SRA, 0x12, S, SV, a >> (b & (BITS - 1)))                                                  \
    Y(X, SLL, 0x14, U, UV, a << (b & (BITS - 1)))                                                  \
    Y(X, OR, 0x16, U, SV, a | b)                                                                   \
    Y(X, XOR, 0x18, U, SV, a ^ b)                                                                  \
    Y(X, AND, 0x1a, U, SV, a & b)                                                                  \
    Y(X, CMPEQ, 0x01, S, SV, -(a == b))                                                            \
    Y(X, CMPNE, 0x03, S, SV, -(a != b))                                                            \
    Y(X, CMPGT, 0x05, S, SV, -(a > b))                                                             \
    Y(X, CMPGE, 0x07, S, SV, -(a >= b))                                                            \
    Y(X, CMPLT, 0x09, S, SV, -(a < b))                                                             \
    Y(X, CMPLE, 0x0b, S, SV, -(a <= b))                                                            \
    Y(X, CMPGTU, 0x0d, U, UV, -(a > b))                                                            \
    Y(X, CMPGEU, 0x0f, U, UV, -(a >= b))                                                           \
    Y(X, CMPLTU, 0x11, U, UV, -(a < b))                                                            \
    Y(X, CMPLEU, 0x13, U, UV, -(a <= b))
// Dot products: name, op6, types of a and b. With an S before the name rd is added.
#define XPULP_DOTS(Y, X)                                                                           \
    Y(X, DOTUP, 0x20, U, U, UV)                                                                    \
    Y(X, DOTUSP, 0x22, U, S, SV)                                                                   \
    Y(X, DOTSP, 0x26, S, S, SV)

#define LANE_ROWS(X, name, op6, type, imm, value) VECTOR(X, PV_##name, op6, 0, imm, simd_##name, )
#define DOT_ROWS(X, name, op6, a, b, imm)                                                          \
    VECTOR(X, PV_##name, op6, 0, imm, simd_##name, )                                               \
    VECTOR(X, PV_S##name, (op6 + 8), C, imm, simd_##name, RD +)

// One operand, elements, shuffles and packs. Elements that do not exist have no row.
#define MOVE(X, name, mask, op6, f3, fields, value)                                                \
    X(PV_##name, mask, R(2 * op6, f3, 0x57), D | A | fields, VALUE, value)
#define XPULP_MOVES(X)                                                                             \
    MOVE(X, ABS_H, UNARY, 0x1c, 0, 0, simd_DISTANCE_16(RS1, 0))                                    \
    MOVE(X, ABS_B, UNARY, 0x1c, 1, 0, simd_DISTANCE_8(RS1, 0))                                     \
    MOVE(X, EXTRACT_H, HALF, 0x1e, 6, E, low_signed(RS1 >> 16 * IMM))                              \
    MOVE(X, EXTRACT_B, BYTE, 0x1e, 7, E, (uint32_t)(int8_t)(RS1 >> 8 * IMM))                       \
    MOVE(X, EXTRACTU_H, HALF, 0x24, 6, E, RS1 >> 16 * IMM & 0xffffu)                               \
    MOVE(X, EXTRACTU_B, BYTE, 0x24, 7, E, RS1 >> 8 * IMM & 0xffu)                                  \
    MOVE(X, INSERT_H, HALF, 0x2c, 6, C | E, insert(RD, RS1, 15 << 5 | 16 * IMM))                   \
    MOVE(X, INSERT_B, BYTE, 0x2c, 7, C | E, insert(RD, RS1, 7 << 5 | 8 * IMM))                     \
    MOVE(X, SHUFFLE_H, FUNCT7, 0x30, 0, B, simd_shuffle(RS1, RS1, RS2, 16))                        \
    MOVE(X, SHUFFLE_B, FUNCT7, 0x30, 1, B, simd_shuffle(RS1, RS1, RS2, 8))                         \
    MOVE(X, SHUFFLE2_H, FUNCT7, 0x32, 0, B | C, simd_shuffle(RS1, RD, RS2, 16))                    \
    MOVE(X, SHUFFLE2_B, FUNCT7, 0x32, 1, B | C, simd_shuffle(RS1, RD, RS2, 8))                     \
    MOVE(X, SHUFFLE_SCI_H, BYTE, 0x30, 6, E, simd_shuffle(RS1, RS1, two_lanes(IMM), 16))           \
    MOVE(X, SHUFFLEI0_SCI_B, SIX, 0x30, 7, E, simd_shuffle(RS1, RS1, four_lanes(IMM, 0), 8))       \
    MOVE(X, SHUFFLEI1_SCI_B, SIX, 0x3a, 7, E, simd_shuffle(RS1, RS1, four_lanes(IMM, 1), 8))       \
    MOVE(X, SHUFFLEI2_SCI_B, SIX, 0x3c, 7, E, simd_shuffle(RS1, RS1, four_lanes(IMM, 2), 8))       \
    MOVE(X, SHUFFLEI3_SCI_B, SIX, 0x3e, 7, E, simd_shuffle(RS1, RS1, four_lanes(IMM, 3), 8))       \
    MOVE(X, PACK_H, FUNCT7, 0x34, 0, B, RS1 << 16 | low_unsigned(RS2))                             \
    MOVE(X, PACKHI_B, FUNCT7, 0x36, 1, B | C,                                                      \
         (RS1 & 0xffu) << 24 | (RS2 & 0xffu) << 16 | low_unsigned(RD))                             \
    MOVE(X, PACKLO_B, FUNCT7, 0x38, 1, B | C,                                                      \
         (RD & 0xffff0000u) | (RS1 & 0xffu) << 8 | (RS2 & 0xffu))

#define XPULP_INSTRUCTIONS(X)                                                                      \
    XPULP_BASE(X) XPULP_MEMORY(X) XPULP_LOOPS(X) XPULP_SCALAR(X)                                   \
    XPULP_NORMALISED(X) XPULP_LANES(LANE_ROWS, X) XPULP_DOTS(DOT_ROWS, X) XPULP_MOVES(X)

// clang-format on

typedef enum {
    KIND_VALUE,
    KIND_MULTIPLY,
    KIND_DIVIDE,
    KIND_CALL,
    KIND_BRANCH,
    KIND_LOAD,
    KIND_LOAD_POST,
    KIND_STORE,
    KIND_STORE_POST,
    KIND_EVENT_WAIT,
    KIND_SLEEP,
    KIND_SYSTEM
} kind;

typedef struct {
    uint32_t mask, match;
    uint8_t fields, kind;
} instruction;

#define OPERATION(name, ...) OP_##name,
typedef enum { OP_UNDECODED, XPULP_INSTRUCTIONS(OPERATION) OPERATIONS } operation;
enum {
    NEW_LINE = 512, // beside an operation: whether it is in the prefetch buffer is not known
    OPERATION_MASK = NEW_LINE - 1
};

extern const instruction instructions[OPERATIONS]; // decode.c

#endif
