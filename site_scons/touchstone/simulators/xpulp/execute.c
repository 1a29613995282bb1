// SPDX-License-Identifier: Apache-2.0
// The functional core: runs one core's decoded instructions. Latencies come from the table in
// latency.c; what another core can see goes through SYNC, which waits for this core's turn.
#include "arithmetic.h"
#include "control.h"
#include "simd.h"
#include "xpulp.h"

#include <string.h>

#define PC_OF(entry) (base + (uint32_t)((entry) - code) * 2)
#define RS1 x[in->rs1]
#define RS2 x[in->rs2]
#define RS3 x[in->rs3]
#define RD x[in->rd]
#define OPERAND2 (RS2 + in->imm) // register or immediate: the absent one is zero

// Leaves before a shared action that is not yet this core's turn.
#define SYNC()                                                                                     \
    if (cycle >= limit) {                                                                          \
        goto out;                                                                                  \
    }
// Makes the core's state visible to the other parts.
#define PUBLISH()                                                                                  \
    do {                                                                                           \
        c->pc = PC_OF(in);                                                                         \
        c->cycle = cycle;                                                                          \
        c->late = late;                                                                            \
        c->instructions += done;                                                                   \
        s->instructions += done;                                                                   \
        done = 0;                                                                                  \
    } while (0)
// Takes the state back after a call that may have advanced time or woken other cores.
#define RESUME()                                                                                   \
    do {                                                                                           \
        cycle = c->cycle;                                                                          \
        limit = s->reschedule ? 0 : limit;                                                         \
    } while (0)

#define LOAD(type, address_expression, after)                                                      \
    do {                                                                                           \
        uint32_t address = (address_expression), offset = address - L1_BASE, value;                \
        SYNC();                                                                                    \
        if (offset < l1_size && offset % sizeof(type) == 0) {                                      \
            type raw;                                                                              \
            memcpy(&raw, l1 + offset, sizeof raw);                                                 \
            value = (uint32_t)raw;                                                                 \
            cycle += l1_extra + (conflicts ? bank_delay(s, offset, cycle) : 0);                    \
        } else {                                                                                   \
            PUBLISH();                                                                             \
            if (bus_load(s, c, address, sizeof(type), &value) != STEP_OK) {                        \
                return;                                                                            \
            }                                                                                      \
            RESUME();                                                                              \
            value = (uint32_t)(type)value;                                                         \
        }                                                                                          \
        after;                                                                                     \
        RD = value;                                                                                \
        pending = t->load_use != 0 ? (uint32_t)(UINT64_C(1) << in->rd) : 0;                        \
    } while (0)

#define STORE(type, address_expression, after)                                                     \
    do {                                                                                           \
        uint32_t address = (address_expression), offset = address - L1_BASE;                       \
        SYNC();                                                                                    \
        if (offset < l1_size && offset % sizeof(type) == 0 &&                                      \
            !l1_has_code[offset >> CODE_BLOCK_BITS]) {                                             \
            type raw = (type)RS2;                                                                  \
            memcpy(l1 + offset, &raw, sizeof raw);                                                 \
            cycle += l1_extra + (conflicts ? bank_delay(s, offset, cycle) : 0);                    \
        } else {                                                                                   \
            PUBLISH();                                                                             \
            if (bus_store(s, c, address, sizeof(type), (type)RS2) != STEP_OK) {                    \
                return;                                                                            \
            }                                                                                      \
            RESUME();                                                                              \
        }                                                                                          \
        after;                                                                                     \
    } while (0)

#define LOAD_CASES(name, type)                                                                     \
    case OP_##name:                                                                                \
        LOAD(type, RS1 + OPERAND2, );                                                              \
        break;                                                                                     \
    case OP_##name##_POST:                                                                         \
        LOAD(type, RS1, RS1 += OPERAND2);                                                          \
        break;
#define STORE_CASES(name, type)                                                                    \
    case OP_##name:                                                                                \
        STORE(type, RS1 + RS3 + in->imm, );                                                        \
        break;                                                                                     \
    case OP_##name##_POST:                                                                         \
        STORE(type, RS1, RS1 += RS3 + in->imm);                                                    \
        break;

// A branch or jump as the last instruction of a running hardware loop is not defined.
#define CONTROL()                                                                                  \
    if (in->loop_end && ends_loop(c, PC_OF(in))) {                                                 \
        SYNC();                                                                                    \
        PUBLISH();                                                                                 \
        fault(s, c, "hardware-loop", NULL, "the last instruction of a loop is a branch or jump");  \
        return;                                                                                    \
    }
#define BRANCH_CASE(name, condition)                                                               \
    case OP_##name:                                                                                \
        CONTROL();                                                                                 \
        if (condition) {                                                                           \
            target = PC_OF(in) + in->imm;                                                          \
            extra = t->branch_taken_extra;                                                         \
            goto jump;                                                                             \
        }                                                                                          \
        break;

#define SIMPLE(name, expression)                                                                   \
    case OP_##name:                                                                                \
        RD = (expression);                                                                         \
        break;
#define NORMALISED(name, value, shift, is_signed)                                                  \
    case OP_##name##N:                                                                             \
        RD = normalise(value, shift, false, is_signed);                                            \
        break;                                                                                     \
    case OP_##name##RN:                                                                            \
        RD = normalise(value, shift, true, is_signed);                                             \
        break;
#define PRODUCT(suffix, half, is_signed)                                                           \
    SIMPLE(MUL##suffix, normalise(half(RS1) * half(RS2), in->imm, false, is_signed))               \
    SIMPLE(MUL##suffix##R, normalise(half(RS1) * half(RS2), in->imm, true, is_signed))             \
    SIMPLE(MAC##suffix, normalise(RD + half(RS1) * half(RS2), in->imm, false, is_signed))          \
    SIMPLE(MAC##suffix##R, normalise(RD + half(RS1) * half(RS2), in->imm, true, is_signed))

// Second SIMD operand: register or immediate, or the low lane replicated.
#define VECTOR2_8 (in->rs3 != 0 ? (RS2 & 0xffu) * 0x01010101u : RS2 | in->imm)
#define VECTOR2_16 (in->rs3 != 0 ? (RS2 & 0xffffu) * 0x00010001u : RS2 | in->imm)
#define LANE_CASES(name, op6, lane, imm_sign, expression)                                          \
    SIMPLE(PV_##name##_H, simd_##name##_16(RS1, VECTOR2_16))                                       \
    SIMPLE(PV_##name##_B, simd_##name##_8(RS1, VECTOR2_8))
#define DOT_CASES(name, op6, sa, sb, imm_sign, accumulates)                                        \
    SIMPLE(PV_##name##_H, (accumulates ? RD : 0) + simd_##name##_16(RS1, VECTOR2_16))              \
    SIMPLE(PV_##name##_B, (accumulates ? RD : 0) + simd_##name##_8(RS1, VECTOR2_8))

#define DIVIDE_CASE(name, expression, is_signed)                                                   \
    case OP_##name:                                                                                \
        cycle += latency_divide(t, RS2, is_signed) - 1;                                            \
        RD = (expression);                                                                         \
        break;
#define MULTIPLY_HIGH_CASE(name, expression)                                                       \
    case OP_##name:                                                                                \
        RD = (expression);                                                                         \
        cycle += t->mulh_extra;                                                                    \
        pending = t->mulh_use != 0 ? (uint32_t)(UINT64_C(1) << in->rd) : 0;                        \
        break;

void execute(sim *s, core *c, uint64_t limit, uint64_t budget) {
    const latency *t = s->timing;
    region *r = jump_region(s, c, c->pc);
    if (r == NULL) {
        return;
    }
    insn *code = r->code, *ip = code + (c->pc - r->base) / 2, *in = ip;
    uint32_t base = r->base, size = r->size;
    uint32_t *x = c->x;
    uint8_t *l1 = s->l1.bytes;
    const uint8_t *l1_has_code = s->l1.has_code;
    // Accesses that may have to be trapped all go over the bus.
    const uint32_t l1_size = c->id == FC || s->guards.trap ? 0 : L1_SIZE, l1_extra = t->l1 - 1;
    uint64_t cycle = c->cycle, done = 0;
    uint32_t pending = c->pending, late = c->late, target = 0, extra = 0;
    bool asleep = false;
    const bool conflicts = s->model_conflicts, timed_fetch = s->model_icache && c->id != FC;

    while (budget != 0) {
        in = ip;
        if (timed_fetch && !c->fetched && in->op != OP_UNDECODED) {
            if (PC_OF(in) - c->fetch_base > FETCH_LAST_INDEX) {
                SYNC();
                late += fetch_latency(s, c, PC_OF(in), cycle);
            }
            c->fetched = true;
        }
        uint32_t before = pending;
        // Every producer's penalty is one cycle, which the wait for a fetch covers.
        late += late == 0 && (in->uses & pending) != 0;
        pending = 0;
        switch ((op_code)in->op) {
        case OP_UNDECODED:
            pending = before;
            SYNC();
            PUBLISH();
            if (!decode_at(s, c, r, in)) {
                return;
            }
            continue;
            SIMPLE(LUI, in->imm)
            SIMPLE(AUIPC, PC_OF(in) + in->imm)
            SIMPLE(ADD, RS1 + OPERAND2)
            SIMPLE(SUB, RS1 - RS2)
        case OP_STACK_ADD:
        case OP_STACK_SUB:
            SYNC();
            PUBLISH();
            target = in->op == OP_STACK_ADD ? RS1 + OPERAND2 : RS1 - RS2;
            if (!stack_moves(s, c, target)) {
                return;
            }
            RD = target;
            break;
            SIMPLE(SLL, RS1 << (OPERAND2 & 31))
            SIMPLE(SRL, RS1 >> (OPERAND2 & 31))
            SIMPLE(SRA, shift_right_signed(RS1, OPERAND2 & 31))
            SIMPLE(SLT, (int32_t)RS1 < (int32_t)OPERAND2)
            SIMPLE(SLTU, RS1 < OPERAND2)
            SIMPLE(XOR, RS1 ^ OPERAND2)
            SIMPLE(OR, RS1 | OPERAND2)
            SIMPLE(AND, RS1 & OPERAND2)
        case OP_JAL:
            CONTROL();
            target = PC_OF(in) + in->imm;
            RD = PC_OF(in) + in->half * 2u;
            extra = t->jump_extra;
            goto jump;
        case OP_JALR:
            CONTROL();
            target = (RS1 + in->imm) & ~1u;
            RD = PC_OF(in) + in->half * 2u;
            extra = t->jump_extra;
            goto jump;
            BRANCH_CASE(BEQ, RS1 == RS2)
            BRANCH_CASE(BNE, RS1 != RS2)
            BRANCH_CASE(BLT, (int32_t)RS1 < (int32_t)RS2)
            BRANCH_CASE(BGE, (int32_t)RS1 >= (int32_t)RS2)
            BRANCH_CASE(BLTU, RS1 < RS2)
            BRANCH_CASE(BGEU, RS1 >= RS2)
            BRANCH_CASE(BEQIMM, RS1 == (uint32_t)(int8_t)in->rs2)
            BRANCH_CASE(BNEIMM, RS1 != (uint32_t)(int8_t)in->rs2)
        case OP_MUL:
            RD = RS1 * RS2;
            cycle += t->mul_extra;
            pending = t->mul_use != 0 ? (uint32_t)(UINT64_C(1) << in->rd) : 0;
            break;
            MULTIPLY_HIGH_CASE(MULH, multiply_high(RS1, RS2))
            MULTIPLY_HIGH_CASE(MULHSU, multiply_high_mixed(RS1, RS2))
            MULTIPLY_HIGH_CASE(MULHU, multiply_high_unsigned(RS1, RS2))
            DIVIDE_CASE(DIV, divide(RS1, RS2), true)
            DIVIDE_CASE(DIVU, RS2 == 0 ? 0xffffffffu : RS1 / RS2, false)
            DIVIDE_CASE(REM, remainder_signed(RS1, RS2), true)
            DIVIDE_CASE(REMU, RS2 == 0 ? RS1 : RS1 % RS2, false)
        case OP_FENCE:
            break;
        case OP_CSRRW:
        case OP_CSRRS:
        case OP_CSRRC:
        case OP_CSRRWI:
        case OP_CSRRSI:
        case OP_CSRRCI:
            SYNC();
            PUBLISH();
            if (csr_access(s, c, in) != STEP_OK) {
                return;
            }
            break;
        case OP_ECALL:
            SYNC();
            PUBLISH();
            fault(s, c, "environment-call", NULL, "ecall: traps are not modelled");
            return;
        case OP_EBREAK:
            SYNC();
            PUBLISH();
            if (semihost_call(s, c) != STEP_OK) {
                return;
            }
            break;
        case OP_MRET:
            CONTROL();
            target = c->mepc;
            extra = t->jump_extra;
            goto jump;
        case OP_WFI:
            SYNC();
            PUBLISH();
            core_sleep(s, c, CORE_WFI);
            asleep = true;
            budget = 1;
            break;
            LOAD_CASES(LB, int8_t)
            LOAD_CASES(LH, int16_t)
            LOAD_CASES(LW, uint32_t)
            LOAD_CASES(LBU, uint8_t)
            LOAD_CASES(LHU, uint16_t)
            STORE_CASES(SB, uint8_t)
            STORE_CASES(SH, uint16_t)
            STORE_CASES(SW, uint32_t)
        case OP_ELW: {
            SYNC();
            PUBLISH();
            step result = peripheral_wait(s, c, RS1 + in->imm, in->rd);
            if (result == STEP_STOP) {
                return;
            }
            asleep = result == STEP_SLEEP;
            budget = 1; // others may have been woken: let the scheduler look
            cycle += t->elw_extra;
            pending = !asleep && t->load_use != 0 ? (uint32_t)(UINT64_C(1) << in->rd) : 0;
            break;
        }
        case OP_LP_STARTI:
            c->lpstart[in->rs3] = PC_OF(in) + in->imm * 2;
            break;
        case OP_LP_ENDI:
            set_loop_end(s, c, in->rs3, PC_OF(in) + in->imm * 2);
            break;
        case OP_LP_COUNT:
            c->lpcount[in->rs3] = RS1;
            break;
        case OP_LP_COUNTI:
            c->lpcount[in->rs3] = in->imm;
            break;
        case OP_LP_SETUP:
        case OP_LP_SETUPI: {
            bool counted = in->op == OP_LP_SETUPI;
            if ((counted ? in->rs2 : in->imm) < 2) {
                SYNC();
                PUBLISH();
                fault(s, c, "hardware-loop", NULL, "the loop ends before its body begins");
                return;
            }
            c->lpstart[in->rs3] = PC_OF(in) + 4;
            set_loop_end(s, c, in->rs3, PC_OF(in) + 2 * (counted ? in->rs2 : in->imm));
            c->lpcount[in->rs3] = counted ? in->imm : RS1;
            break;
        }
            SIMPLE(ABS, (int32_t)RS1 < 0 ? 0u - RS1 : RS1)
            SIMPLE(AVGU, (RS1 + RS2) >> 1)
            SIMPLE(SLET, (int32_t)RS1 <= (int32_t)RS2)
            SIMPLE(SLETU, RS1 <= RS2)
            SIMPLE(MIN, (int32_t)RS1 < (int32_t)RS2 ? RS1 : RS2)
            SIMPLE(MINU, RS1 < RS2 ? RS1 : RS2)
            SIMPLE(MAX, (int32_t)RS1 > (int32_t)RS2 ? RS1 : RS2)
            SIMPLE(MAXU, RS1 > RS2 ? RS1 : RS2)
            SIMPLE(ROR, rotate_right(RS1, RS2))
            SIMPLE(FF1, first_one(RS1))
            SIMPLE(FL1, last_one(RS1))
            SIMPLE(CLB, sign_bits(RS1))
            SIMPLE(CNT, (uint32_t)__builtin_popcount(RS1))
            SIMPLE(EXTHS, low_signed(RS1))
            SIMPLE(EXTHZ, low_unsigned(RS1))
            SIMPLE(EXTBS, (uint32_t)(int8_t)RS1)
            SIMPLE(EXTBZ, RS1 & 0xffu)
            SIMPLE(CLIP, clip(RS1, -clip_bound(in->imm) - 1, clip_bound(in->imm)))
            SIMPLE(CLIPU, clip(RS1, 0, clip_bound(in->imm)))
            SIMPLE(CLIPR, clip(RS1, (int32_t)~RS2, (int32_t)RS2))
            SIMPLE(CLIPUR, clip(RS1, 0, (int32_t)RS2))
            SIMPLE(MAC, RD + RS1 * RS2)
            SIMPLE(MSU, RD - RS1 * RS2)
            SIMPLE(EXTRACT, extract_signed(RS1, OPERAND2))
            SIMPLE(EXTRACTU, extract_unsigned(RS1, OPERAND2))
            SIMPLE(INSERT, insert(RD, RS1, OPERAND2))
            SIMPLE(BCLR, RS1 & ~field_mask(OPERAND2))
            SIMPLE(BSET, RS1 | field_mask(OPERAND2))
            PRODUCT(S, low_signed, true)
            PRODUCT(HHS, high_signed, true)
            PRODUCT(U, low_unsigned, false)
            PRODUCT(HHU, high_unsigned, false)
            NORMALISED(ADD, RS1 + RS2, in->imm, true)
            NORMALISED(ADDU, RS1 + RS2, in->imm, false)
            NORMALISED(SUB, RS1 - RS2, in->imm, true)
            NORMALISED(SUBU, RS1 - RS2, in->imm, false)
            SIMPLE(ADDNR, normalise(RD + RS1, RS2 & 31, false, true))
            SIMPLE(ADDUNR, normalise(RD + RS1, RS2 & 31, false, false))
            SIMPLE(ADDRNR, normalise(RD + RS1, RS2 & 31, true, true))
            SIMPLE(ADDURNR, normalise(RD + RS1, RS2 & 31, true, false))
            SIMPLE(SUBNR, normalise(RD - RS1, RS2 & 31, false, true))
            SIMPLE(SUBUNR, normalise(RD - RS1, RS2 & 31, false, false))
            SIMPLE(SUBRNR, normalise(RD - RS1, RS2 & 31, true, true))
            SIMPLE(SUBURNR, normalise(RD - RS1, RS2 & 31, true, false))
            XPULP_LANE_OPS(LANE_CASES)
            XPULP_DOT_OPS(DOT_CASES)
            SIMPLE(PV_ABS_H, simd_abs_16(RS1))
            SIMPLE(PV_ABS_B, simd_abs_8(RS1))
            SIMPLE(PV_EXTRACT_H, low_signed(RS1 >> 16 * in->imm))
            SIMPLE(PV_EXTRACT_B, (uint32_t)(int8_t)(RS1 >> 8 * in->imm))
            SIMPLE(PV_EXTRACTU_H, RS1 >> 16 * in->imm & 0xffffu)
            SIMPLE(PV_EXTRACTU_B, RS1 >> 8 * in->imm & 0xffu)
            SIMPLE(PV_INSERT_H, insert(RD, RS1, 15 << 5 | 16 * in->imm))
            SIMPLE(PV_INSERT_B, insert(RD, RS1, 7 << 5 | 8 * in->imm))
            SIMPLE(PV_SHUFFLE_H, simd_shuffle_16(RS1, RS1, OPERAND2))
            SIMPLE(PV_SHUFFLE_B, simd_shuffle_8(RS1, RS1, OPERAND2))
            SIMPLE(PV_SHUFFLE2_H, simd_shuffle_16(RS1, RD, RS2))
            SIMPLE(PV_SHUFFLE2_B, simd_shuffle_8(RS1, RD, RS2))
            SIMPLE(PV_PACK_H, RS1 << 16 | low_unsigned(RS2))
            SIMPLE(PV_PACKHI_B, (RS1 & 0xffu) << 24 | (RS2 & 0xffu) << 16 | low_unsigned(RD))
            SIMPLE(PV_PACKLO_B, (RD & 0xffff0000u) | (RS1 & 0xffu) << 8 | (RS2 & 0xffu))
        case OP_ILLEGAL:
        case OP_COUNT:
            return; // decode_at never leaves these behind
        }
        cycle += 1 + late;
        late = 0;
        done++;
        budget--;
        c->fetched = false;
        if (!in->loop_end || !loop_back(c, PC_OF(in), &target)) {
            ip = in + in->half;
            continue;
        }
        extra = 0;
        goto set_ip;
    jump:
        cycle += 1 + extra + late;
        late = 0;
        done++;
        budget--;
        c->fetched = false;
    set_ip:
        if (target - base >= size || (target & 1) != 0) {
            PUBLISH();
            r = jump_region(s, c, target);
            if (r == NULL) {
                return;
            }
            code = r->code;
            base = r->base;
            size = r->size;
        }
        ip = code + (target - base) / 2;
        // Fetching a 32-bit instruction that crosses a word costs the RTL a second access.
        cycle += extra != 0 && (target & 2) != 0 && (r->bytes[target - base] & 3) == 3
                     ? t->split_target
                     : 0;
    }
    in = ip;
out:
    c->pc = PC_OF(in);
    c->pending = pending;
    if (!asleep) { // otherwise the wake-up has set the cycle, or will
        c->late = late;
        c->cycle = cycle;
    }
    c->instructions += done;
    s->instructions += done;
}
