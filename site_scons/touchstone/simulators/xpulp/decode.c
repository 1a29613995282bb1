// SPDX-License-Identifier: Apache-2.0
// From instruction words to decoded operations, once per address.
#include "decode_table.h"
#include "xpulp.h"

enum { SIMD_OPCODE = 0x57 };

// SIMD rows: op6 (bits 31:26), the .h operation (the .b one follows it), immediate signedness.
typedef struct {
    uint8_t op6, accumulates, signed_imm;
    op_code op_h;
} simd_row;

#define IMM_S 1
#define IMM_U 0
#define LANE_ROW(name, op6, lane, imm, expression) {op6, 0, IMM_##imm, OP_PV_##name##_H},
#define DOT_ROW(name, op6, a, b, imm, acc) {op6, acc, IMM_##imm, OP_PV_##name##_H},
static const simd_row simd_rows[] = {XPULP_LANE_OPS(LANE_ROW) XPULP_DOT_OPS(DOT_ROW)};

static uint32_t bits(uint32_t word, unsigned high, unsigned low) {
    return (word >> low) & ((2u << (high - low)) - 1u);
}

static uint32_t sign_extend(uint32_t value, unsigned width) {
    uint32_t sign = 1u << (width - 1);
    return (value ^ sign) - sign;
}

static uint32_t branch_offset(uint32_t w) {
    uint32_t raw =
        bits(w, 31, 31) << 12 | bits(w, 7, 7) << 11 | bits(w, 30, 25) << 5 | bits(w, 11, 8) << 1;
    return sign_extend(raw, 13);
}

static uint32_t jump_offset(uint32_t w) {
    uint32_t raw = bits(w, 31, 31) << 20 | bits(w, 19, 12) << 12 | bits(w, 20, 20) << 11 |
                   bits(w, 30, 21) << 1;
    return sign_extend(raw, 21);
}

static void set_rd(insn *out, uint32_t w) {
    uint32_t rd = bits(w, 11, 7);
    out->rd = (uint8_t)(rd == 0 ? SINK : rd);
}

// Fills the operand fields named by `fields`; `out` is zero apart from the operation.
static void operands(insn *out, uint32_t w, format fields) {
    uint8_t rd = (uint8_t)bits(w, 11, 7);
    uint8_t rs1 = (uint8_t)bits(w, 19, 15);
    uint8_t rs2 = (uint8_t)bits(w, 24, 20);
    uint32_t uses_rs1 = 1u << rs1;
    uint32_t uses_rs2 = 1u << rs2;
    out->rs1 = rs1;
    out->uses = uses_rs1;
    set_rd(out, w);
    switch (fields) {
    case F_NONE:
        out->rs1 = 0;
        out->uses = 0;
        break;
    case F_R_RD:
    case F_R:
        out->rs2 = rs2;
        out->uses |= uses_rs2 | (fields == F_R_RD ? 1u << rd : 0);
        break;
    case F_R1:
        break;
    case F_I:
        out->imm = sign_extend(w >> 20, 12);
        break;
    case F_UIMM5:
        out->imm = rs2;
        break;
    case F_S:
        out->rd = SINK;
        out->rs2 = rs2;
        out->uses |= uses_rs2;
        out->imm = sign_extend(bits(w, 31, 25) << 5 | rd, 12);
        break;
    case F_S_REG:
        out->rd = SINK;
        out->rs2 = rs2;
        out->rs3 = rd;
        out->uses |= uses_rs2 | 1u << rd;
        break;
    case F_B:
        out->rs2 = rs2;
        out->uses |= uses_rs2;
        out->imm = branch_offset(w);
        break;
    case F_B_IMM:
        out->rs2 = (uint8_t)sign_extend(rs2, 5);
        out->imm = branch_offset(w);
        break;
    case F_U:
        out->rs1 = 0;
        out->uses = 0;
        out->imm = w & 0xfffff000u;
        break;
    case F_J:
        out->rs1 = 0;
        out->uses = 0;
        out->imm = jump_offset(w);
        break;
    case F_NORM_RD:
    case F_NORM:
        out->rs2 = rs2;
        out->uses |= uses_rs2 | (fields == F_NORM_RD ? 1u << rd : 0);
        out->imm = bits(w, 29, 25);
        break;
    case F_BITS_RD:
    case F_BITS:
        out->uses |= fields == F_BITS_RD ? 1u << rd : 0;
        out->imm = bits(w, 29, 25) << 5 | rs2;
        break;
    case F_CSR:
        out->imm = w >> 20;
        break;
    case F_CSR_IMM:
        out->uses = 0;
        out->imm = w >> 20;
        break;
    case F_LOOP:
        out->rs3 = rd;
        out->imm = w >> 20;
        break;
    case F_LOOP_COUNT: // setupi: bits 19:15 are the body length, not a register
        out->rs3 = rd;
        out->rs2 = rs1;
        out->rs1 = 0;
        out->uses = 0;
        out->imm = w >> 20;
        break;
    }
    out->uses &= ~1u;
}

static uint32_t replicate(uint32_t value, bool byte) {
    return byte ? (value & 0xffu) * 0x01010101u : (value & 0xffffu) * 0x00010001u;
}

// Operand form of a two-operand SIMD instruction: register, replicated scalar (rs3 = 1: the lane
// is replicated when executed), or replicated immediate.
static bool simd_operands(insn *out, uint32_t w, const simd_row *r) {
    uint32_t form = bits(w, 14, 12);
    bool byte = (form & 1) != 0;
    out->op = (uint16_t)(r->op_h + (byte ? 1 : 0));
    out->rs1 = (uint8_t)bits(w, 19, 15);
    set_rd(out, w);
    out->uses = 1u << out->rs1 | (r->accumulates ? 1u << bits(w, 11, 7) : 0);
    if (form >= 6) {
        uint32_t imm6 = bits(w, 24, 20) << 1 | bits(w, 25, 25);
        out->imm = replicate(r->signed_imm ? sign_extend(imm6, 6) : imm6, byte);
    } else if (bits(w, 25, 25) != 0 || form == 2 || form == 3) {
        return false;
    } else {
        out->rs2 = (uint8_t)bits(w, 24, 20);
        out->rs3 = form >= 4;
        out->uses |= 1u << out->rs2;
    }
    out->uses &= ~1u;
    return true;
}

static bool reads_rd(op_code op) {
    return op == OP_PV_INSERT_H || op == OP_PV_INSERT_B || op == OP_PV_SHUFFLE2_H ||
           op == OP_PV_SHUFFLE2_B || op == OP_PV_PACKHI_B || op == OP_PV_PACKLO_B;
}

// Selector of pv.shuffleIn.sci.b as the register that pv.shuffle.b would take: lane 3 is byte n.
static uint32_t shuffle_selector(uint32_t imm6, uint32_t lane3) {
    return (imm6 & 3) | (imm6 >> 2 & 3) << 8 | (imm6 >> 4 & 3) << 16 | lane3 << 24;
}

// One-operand SIMD, element moves, shuffles and packs.
static bool decode_simd_move(uint32_t w, insn *out) {
    uint32_t funct7 = w >> 25, op6 = w >> 26, form = bits(w, 14, 12);
    uint32_t imm6 = bits(w, 24, 20) << 1 | bits(w, 25, 25);
    bool byte = (form & 1) != 0;
    op_code op = OP_ILLEGAL;
    bool two_registers = false;
    uint32_t imm = 0;
    if (form < 2) {
        two_registers = true;
        switch (funct7) {
        case 0x38:
            op = byte ? OP_PV_ABS_B : OP_PV_ABS_H;
            if (bits(w, 24, 20) != 0) {
                return false;
            }
            break;
        case 0x60:
            op = byte ? OP_PV_SHUFFLE_B : OP_PV_SHUFFLE_H;
            break;
        case 0x64:
            op = byte ? OP_PV_SHUFFLE2_B : OP_PV_SHUFFLE2_H;
            break;
        case 0x68:
            op = byte ? OP_ILLEGAL : OP_PV_PACK_H;
            break;
        case 0x6c:
            op = byte ? OP_PV_PACKHI_B : OP_ILLEGAL;
            break;
        case 0x70:
            op = byte ? OP_PV_PACKLO_B : OP_ILLEGAL;
            break;
        default:
            break;
        }
    } else if (form >= 6) {
        bool in_range = imm6 < (byte ? 4u : 2u); // an element that does not exist is no encoding
        imm = imm6;
        switch (op6) {
        case 0x1e:
            op = byte ? OP_PV_EXTRACT_B : OP_PV_EXTRACT_H;
            break;
        case 0x24:
            op = byte ? OP_PV_EXTRACTU_B : OP_PV_EXTRACTU_H;
            break;
        case 0x2c:
            op = byte ? OP_PV_INSERT_B : OP_PV_INSERT_H;
            break;
        case 0x30:
            op = byte ? OP_PV_SHUFFLE_B : OP_PV_SHUFFLE_H;
            in_range = byte || imm6 < 4;
            imm = byte ? shuffle_selector(imm6, 0) : (imm6 & 1) | (imm6 >> 1 & 1) << 16;
            break;
        case 0x3a:
        case 0x3c:
        case 0x3e:
            op = byte ? OP_PV_SHUFFLE_B : OP_ILLEGAL;
            in_range = true;
            imm = shuffle_selector(imm6, op6 == 0x3a ? 1 : op6 == 0x3c ? 2 : 3);
            break;
        default:
            break;
        }
        if (!in_range) {
            return false;
        }
    }
    if (op == OP_ILLEGAL) {
        return false;
    }
    out->op = (uint16_t)op;
    operands(out, w, two_registers ? F_R : F_R1);
    out->uses |= reads_rd(op) && out->rd != SINK ? 1u << out->rd : 0;
    out->imm = imm;
    return true;
}

static bool decode_simd(uint32_t w, insn *out) {
    for (size_t i = 0; i < sizeof simd_rows / sizeof simd_rows[0]; i++) {
        if (simd_rows[i].op6 == w >> 26) {
            return simd_operands(out, w, &simd_rows[i]);
        }
    }
    return decode_simd_move(w, out);
}

// A post-increment load into its own address register leaves different values on different
// implementations; it is refused.
static bool ambiguous(const insn *in) {
    return in->op >= OP_LB_POST && in->op <= OP_LHU_POST && in->rd == in->rs1;
}

bool decode_word(uint32_t w, insn *out) {
    insn decoded = {.op = OP_ILLEGAL, .half = 2, .loop_end = out->loop_end};
    bool ok = false;
    if ((w & OPCODE) == SIMD_OPCODE) {
        ok = decode_simd(w, &decoded);
    } else {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !ok; i++) {
            if ((w & rows[i].mask) == rows[i].match) {
                decoded.op = (uint16_t)rows[i].op;
                operands(&decoded, w, rows[i].fields);
                ok = !ambiguous(&decoded);
            }
        }
    }
    if (ok) {
        *out = decoded;
    }
    return ok;
}

// Decodes the instruction at `at`; on failure the fault is recorded.
bool decode_at(sim *s, core *c, region *r, insn *at) {
    uint32_t offset = (uint32_t)(at - r->code) * 2;
    uint32_t pc = r->base + offset;
    if (offset > r->size - 2) {
        fault(s, c, "instruction-fetch", &pc, "no memory at this address");
        return false;
    }
    uint32_t low = r->bytes[offset] | (uint32_t)r->bytes[offset + 1] << 8;
    uint32_t half = (low & 3) == 3 ? 2 : 1;
    uint32_t word = low;
    if (half == 2) {
        if (offset > r->size - 4) {
            fault(s, c, "instruction-fetch", &pc, "the instruction crosses the end of the memory");
            return false;
        }
        word |= ((uint32_t)r->bytes[offset + 2] | (uint32_t)r->bytes[offset + 3] << 8) << 16;
    }
    uint32_t full = half == 2 ? word : expand_compressed(word);
    if (full == 0 || !decode_word(full, at)) {
        fault(s, c, "illegal-instruction", NULL, half == 2 ? "word 0x%08x" : "half-word 0x%04x",
              (unsigned)word);
        return false;
    }
    if (s->stack_bytes != 0 && at->rd == STACK_POINTER && at->rs1 == STACK_POINTER) {
        at->op = at->op == OP_ADD ? OP_STACK_ADD : at->op == OP_SUB ? OP_STACK_SUB : at->op;
    }
    at->half = (uint8_t)half;
    mark_executed(r, offset, half);
    return true;
}

void mark_loop_end(sim *s, uint32_t address) {
    region *r = region_find(s, address);
    if (r != NULL) {
        r->code[(address - r->base) / 2].loop_end = 1;
    }
}
