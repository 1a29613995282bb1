// SPDX-License-Identifier: Apache-2.0
// From instruction words to decoded operations, once per address.
#include "arithmetic.h"
#include "isa.h"
#include "xpulp.h"

#include <string.h>

#define ROW(name, mask, match, fields, kind, ...) [OP_##name] = {mask, match, fields, KIND_##kind},
const instruction instructions[OPERATIONS] = {XPULP_INSTRUCTIONS(ROW)};

static uint32_t bits(uint32_t word, unsigned high, unsigned low) {
    return (word >> low) & ((2u << (high - low)) - 1u);
}

// Where the bits of an immediate are: triples, so many from there on go to this place; and the
// width of a signed one, 0 if it is unsigned.
typedef struct {
    uint8_t parts[24], width;
} format;

// By the immediates of isa.h.
static const format words[] = {
    [I >> 4] = {{20, 12, 0}, 12},
    [U >> 4] = {{20, 12, 0}, 0},
    [S >> 4] = {{25, 7, 5, 7, 5, 0}, 12},
    [BR >> 4] = {{31, 1, 12, 7, 1, 11, 25, 6, 5, 8, 4, 1}, 13},
    [UP >> 4] = {{12, 20, 12}, 0},
    [J >> 4] = {{31, 1, 20, 12, 8, 12, 20, 1, 11, 21, 10, 1}, 21},
    [N >> 4] = {{25, 5, 0}, 0},
    [F >> 4] = {{20, 10, 0}, 0},
    [E >> 4] = {{20, 5, 1, 25, 1, 0}, 0},
    [SV >> 4] = {{20, 5, 1, 25, 1, 0}, 6},
    [UV >> 4] = {{20, 5, 1, 25, 1, 0}, 0},
};

// Of half-words: RISC-V unprivileged specification, chapter "C".
static const format none = {{0}, 0};
static const format ci = {{12, 1, 5, 2, 5, 0}, 6};
static const format lui = {{12, 1, 17, 2, 5, 12}, 18};
static const format addi16sp = {{12, 1, 9, 6, 1, 4, 5, 1, 6, 3, 2, 7, 2, 1, 5}, 10};
static const format ciw = {{11, 2, 4, 7, 4, 6, 6, 1, 2, 5, 1, 3}, 0};
static const format cl = {{10, 3, 3, 6, 1, 2, 5, 1, 6}, 0};
static const format lwsp = {{12, 1, 5, 4, 3, 2, 2, 2, 6}, 0};
static const format swsp = {{9, 4, 2, 7, 2, 6}, 0};
static const format cb = {{12, 1, 8, 10, 2, 3, 5, 2, 6, 3, 2, 1, 2, 1, 5}, 9};
static const format cj = {
    {12, 1, 11, 11, 1, 4, 9, 2, 8, 8, 1, 10, 7, 1, 6, 6, 1, 7, 3, 3, 1, 2, 1, 5}, 12};

static uint32_t immediate(uint32_t word, const format *f) {
    uint32_t value = 0;
    for (const uint8_t *part = f->parts; part < f->parts + 24 && part[1] != 0; part += 3) {
        value |= bits(word, part[0] + part[1] - 1u, part[0]) << part[2];
    }
    return f->width != 0 ? sign_extend(value, f->width) : value;
}

static bool decode_word(uint32_t w, insn *out) {
    for (uint32_t op = OP_UNDECODED + 1; op < OPERATIONS; op++) {
        if ((w & instructions[op].mask) == instructions[op].match) {
            out->op = (uint16_t)op;
            out->rd = out->rs3 = (uint8_t)bits(w, 11, 7);
            out->rs1 = (uint8_t)bits(w, 19, 15);
            out->rs2 = (uint8_t)bits(w, 24, 20);
            uint32_t form = instructions[op].fields & IMMEDIATES;
            out->imm = immediate(w, &words[form >> 4]);
            if (form >= SV) {
                out->imm = bits(w, 12, 12) != 0 ? every_byte(out->imm) : every_half(out->imm);
            }
            return true;
        }
    }
    return false;
}

// Where a register's number is: a constant, five bits, or three that count from x8.
typedef enum { X0, X1, X2, R11_7, R6_2, R9_7, R4_2 } place;

// What is no instruction although it matches.
typedef enum { ANY, IMM_ZERO, RD_ZERO, RS1_ZERO } refused;

// Half-words without floating point: each is one of the operations of isa.h. A more special row
// comes before others.
static const struct {
    uint16_t mask, match, op;
    uint8_t rd, rs1, rs2, refuses;
    const format *imm;
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

static bool decode_half(uint32_t half, insn *out) {
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

// Completes what decode_word or decode_half has found. A post-increment load into its own
// address register leaves different values on different implementations: it is refused.
static bool complete(insn *in, bool watch_stack) {
    const instruction *r = &instructions[in->op];
    bool loads = r->kind == KIND_LOAD_POST, stores = r->kind == KIND_STORE_POST;
    if ((loads && in->rd == in->rs1) || ((loads || stores) && in->rs1 == 0)) {
        return false;
    }
    in->uses = ((r->fields & A) != 0 ? 1u << in->rs1 : 0) |
               ((r->fields & B) != 0 ? 1u << in->rs2 : 0) |
               ((r->fields & C) != 0 ? 1u << in->rs3 : 0);
    in->uses &= ~1u;
    if (watch_stack && in->rd == STACK_POINTER && in->rs1 == STACK_POINTER) {
        in->op = in->op == OP_ADDI  ? OP_STACK_ADDI
                 : in->op == OP_ADD ? OP_STACK_ADD
                 : in->op == OP_SUB ? OP_STACK_SUB
                                    : in->op;
    }
    if ((r->fields & D) == 0 || in->rd == 0) {
        in->rd = SINK;
    }
    return true;
}

bool decode_at(sim *s, core *c, insn *at) {
    region *r = c->region;
    uint32_t pc = address_of(r, at), offset = pc - r->base;
    if (offset > r->size - 2) {
        return fault(s, c, "instruction-fetch", &pc, "no memory at this address");
    }
    uint32_t half = (r->bytes[offset] & 3) == 3 ? 2 : 1, word = 0;
    if (offset + 2 * half > r->size) {
        return fault(s, c, "instruction-fetch", &pc,
                     "the instruction crosses the end of the memory");
    }
    memcpy(&word, r->bytes + offset, 2 * half);
    insn decoded = {.half = (uint8_t)half, .loop_end = at->loop_end};
    if (!(half == 2 ? decode_word(word, &decoded) : decode_half(word, &decoded)) ||
        !complete(&decoded, s->stack_bytes != 0)) {
        return fault(s, c, "illegal-instruction", NULL,
                     half == 2 ? "word 0x%08x" : "half-word 0x%04x", (unsigned)word);
    }
    if ((decoded.op == OP_LP_SETUP && decoded.imm < 2) ||
        (decoded.op == OP_LP_SETUPI && decoded.rs1 < 2)) {
        return fault(s, c, "hardware-loop", NULL, "the loop ends before its body begins");
    }
    // An instruction at or before the end of a line is the first that needs the next one.
    bool new_line = pc % FETCH_LINE_BYTES == 0 || pc % FETCH_LINE_BYTES > FETCH_LAST_INDEX;
    decoded.op |= new_line ? NEW_LINE : 0;
    *at = decoded;
    r->has_code[offset >> CODE_BLOCK_BITS] = 1;
    r->has_code[(offset + 2 * half - 1) >> CODE_BLOCK_BITS] = 1;
    return true;
}

void mark_loop_end(sim *s, uint32_t address) {
    region *r = region_find(s, address);
    if (r != NULL) {
        insn_at(r, address)->loop_end = 1;
    }
}

bool jump_region(sim *s, const core *c, uint32_t target) {
    if ((target & 1) != 0) {
        return fault(s, c, "misaligned-jump", &target, "jump to an odd address");
    }
    bool exists = region_find(s, target) != NULL;
    if (!exists) {
        fault(s, c, "instruction-fetch", &target, "no memory at this address");
        s->fault.pc = target;
    }
    return exists;
}
