// SPDX-License-Identifier: Apache-2.0
// The decoded operations. One operation serves several encodings: an absent register operand is
// x0 and an absent immediate is 0, so `add` and `addi`, or the register and immediate forms of a
// load, are the same operation with the same code.
#ifndef XPULP_OPS_H
#define XPULP_OPS_H

// clang-format would turn the lists into stairs.
// clang-format off

// RV32IM and control.
#define XPULP_BASE_OPS(X)                                                                          \
    X(LUI) X(AUIPC) X(JAL) X(JALR) X(BEQ) X(BNE) X(BLT) X(BGE) X(BLTU) X(BGEU) X(BEQIMM)           \
    X(BNEIMM) X(ADD) X(SUB) X(SLL) X(SLT) X(SLTU) X(XOR) X(SRL) X(SRA) X(OR) X(AND) X(FENCE)       \
    X(ECALL) X(EBREAK) X(MRET) X(WFI) X(CSRRW) X(CSRRS) X(CSRRC) X(CSRRWI) X(CSRRSI) X(CSRRCI)     \
    X(MUL) X(MULH) X(MULHSU) X(MULHU) X(DIV) X(DIVU) X(REM) X(REMU) X(STACK_ADD) X(STACK_SUB)

// Loads and stores: address rs1 + offset, or rs1 with rs1 += offset afterwards (POST).
#define XPULP_MEMORY_OPS(X)                                                                        \
    X(LB) X(LH) X(LW) X(LBU) X(LHU) X(LB_POST) X(LH_POST) X(LW_POST) X(LBU_POST) X(LHU_POST)       \
    X(SB) X(SH) X(SW) X(SB_POST) X(SH_POST) X(SW_POST) X(ELW)

// XpulpV2 scalar operations and hardware loops.
#define XPULP_SCALAR_OPS(X)                                                                        \
    X(ABS) X(AVGU) X(SLET) X(SLETU) X(MIN) X(MINU) X(MAX) X(MAXU) X(ROR) X(FF1) X(FL1) X(CLB)      \
    X(CNT) X(EXTHS) X(EXTHZ) X(EXTBS) X(EXTBZ) X(CLIP) X(CLIPU) X(CLIPR) X(CLIPUR) X(MAC) X(MSU)   \
    X(EXTRACT) X(EXTRACTU) X(INSERT) X(BCLR) X(BSET) X(MULS) X(MULSR) X(MACS) X(MACSR) X(MULHHS)   \
    X(MULHHSR) X(MACHHS) X(MACHHSR) X(MULU) X(MULUR) X(MACU) X(MACUR) X(MULHHU) X(MULHHUR)         \
    X(MACHHU) X(MACHHUR) X(ADDN) X(ADDUN) X(ADDRN) X(ADDURN) X(SUBN) X(SUBUN) X(SUBRN) X(SUBURN)   \
    X(ADDNR) X(ADDUNR) X(ADDRNR) X(ADDURNR) X(SUBNR) X(SUBUNR) X(SUBRNR) X(SUBURNR) X(LP_STARTI)   \
    X(LP_ENDI) X(LP_COUNT) X(LP_COUNTI) X(LP_SETUP) X(LP_SETUPI)

// SIMD operations lane by lane: name, op6, lane signedness, immediate signedness, lane expression
// (a, b promoted to int; T is the lane type, BITS its width). Each has a .h and a .b form.
#define XPULP_LANE_OPS(X)                                                                          \
    X(ADD, 0x00, S, S, a + b)                                                                      \
    X(SUB, 0x02, S, S, a - b)                                                                      \
    X(AVG, 0x04, S, S, (T)(a + b) >> 1)                                                            \
    X(AVGU, 0x06, U, U, (T)(a + b) >> 1)                                                           \
    X(MIN, 0x08, S, S, a < b ? a : b)                                                              \
    X(MINU, 0x0a, U, U, a < b ? a : b)                                                             \
    X(MAX, 0x0c, S, S, a > b ? a : b)                                                              \
    X(MAXU, 0x0e, U, U, a > b ? a : b)                                                             \
    X(SRL, 0x10, U, U, a >> (b & (BITS - 1)))                                                      \
    X(SRA, 0x12, S, S, a >> (b & (BITS - 1)))                                                      \
    X(SLL, 0x14, U, U, a << (b & (BITS - 1)))                                                      \
    X(OR, 0x16, U, S, a | b)                                                                       \
    X(XOR, 0x18, U, S, a ^ b)                                                                      \
    X(AND, 0x1a, U, S, a &b)                                                                       \
    X(CMPEQ, 0x01, S, S, -(a == b))                                                                \
    X(CMPNE, 0x03, S, S, -(a != b))                                                                \
    X(CMPGT, 0x05, S, S, -(a > b))                                                                 \
    X(CMPGE, 0x07, S, S, -(a >= b))                                                                \
    X(CMPLT, 0x09, S, S, -(a < b))                                                                 \
    X(CMPLE, 0x0b, S, S, -(a <= b))                                                                \
    X(CMPGTU, 0x0d, U, U, -(a > b))                                                                \
    X(CMPGEU, 0x0f, U, U, -(a >= b))                                                               \
    X(CMPLTU, 0x11, U, U, -(a < b))                                                                \
    X(CMPLEU, 0x13, U, U, -(a <= b))

// Dot products: name, op6, signedness of rs1, of rs2, of the immediate, 1 if rd accumulates.
#define XPULP_DOT_OPS(X)                                                                           \
    X(DOTUP, 0x20, U, U, U, 0)                                                                     \
    X(DOTUSP, 0x22, U, S, S, 0)                                                                    \
    X(DOTSP, 0x26, S, S, S, 0)                                                                     \
    X(SDOTUP, 0x28, U, U, U, 1)                                                                    \
    X(SDOTUSP, 0x2a, U, S, S, 1)                                                                   \
    X(SDOTSP, 0x2e, S, S, S, 1)

// One-operand SIMD, element moves, shuffles, packs.
#define XPULP_MOVE_OPS(X)                                                                          \
    X(PV_ABS_H) X(PV_ABS_B) X(PV_EXTRACT_H) X(PV_EXTRACT_B) X(PV_EXTRACTU_H) X(PV_EXTRACTU_B)      \
    X(PV_INSERT_H) X(PV_INSERT_B) X(PV_SHUFFLE_H) X(PV_SHUFFLE_B) X(PV_SHUFFLE2_H)                 \
    X(PV_SHUFFLE2_B) X(PV_PACK_H) X(PV_PACKHI_B) X(PV_PACKLO_B)

// clang-format on

#define XPULP_NAME(name) OP_##name,
#define XPULP_LANE_NAME(name, op6, lane, imm, expression) OP_PV_##name##_H, OP_PV_##name##_B,
#define XPULP_DOT_NAME(name, op6, a, b, imm, acc) OP_PV_##name##_H, OP_PV_##name##_B,
typedef enum {
    OP_UNDECODED = 0, // must be zero: a fresh cache holds only zeros
    OP_ILLEGAL,
    XPULP_BASE_OPS(XPULP_NAME) XPULP_MEMORY_OPS(XPULP_NAME) XPULP_SCALAR_OPS(XPULP_NAME)
        XPULP_LANE_OPS(XPULP_LANE_NAME) XPULP_DOT_OPS(XPULP_DOT_NAME) XPULP_MOVE_OPS(XPULP_NAME)
            OP_COUNT
} op_code;

#endif
