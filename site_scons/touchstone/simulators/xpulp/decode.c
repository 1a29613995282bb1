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

static uint32_t immediate(uint32_t w, uint32_t form) {
    uint32_t six = bits(w, 24, 20) << 1 | bits(w, 25, 25);
    switch (form) {
    case I:
        return sign_extend(w >> 20, 12);
    case U:
        return w >> 20;
    case S:
        return sign_extend(bits(w, 31, 25) << 5 | bits(w, 11, 7), 12);
    case BR:
        return sign_extend(bits(w, 31, 31) << 12 | bits(w, 7, 7) << 11 | bits(w, 30, 25) << 5 |
                               bits(w, 11, 8) << 1,
                           13);
    case UP:
        return w & 0xfffff000u;
    case J:
        return sign_extend(bits(w, 31, 31) << 20 | bits(w, 19, 12) << 12 | bits(w, 20, 20) << 11 |
                               bits(w, 30, 21) << 1,
                           21);
    case N:
        return bits(w, 29, 25);
    case F:
        return bits(w, 29, 20);
    case E:
        return six;
    case SV:
    case UV:
        six = form == SV ? sign_extend(six, 6) : six;
        return bits(w, 12, 12) != 0 ? every_byte(six) : every_half(six);
    default:
        return 0;
    }
}

static bool decode_word(uint32_t w, insn *out) {
    for (uint32_t op = OP_UNDECODED + 1; op < OPERATIONS; op++) {
        if ((w & instructions[op].mask) == instructions[op].match) {
            out->op = (uint16_t)op;
            out->rd = out->rs3 = (uint8_t)bits(w, 11, 7);
            out->rs1 = (uint8_t)bits(w, 19, 15);
            out->rs2 = (uint8_t)bits(w, 24, 20);
            out->imm = immediate(w, instructions[op].fields & IMMEDIATES);
            return true;
        }
    }
    return false;
}

// Completes what decode_word or decode_compressed has found. A post-increment load into its own
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
    if (!(half == 2 ? decode_word(word, &decoded) : decode_compressed(word, &decoded)) ||
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
    mark_executed(r, offset, half);
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
