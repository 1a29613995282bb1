// SPDX-License-Identifier: Apache-2.0
// The functional core: runs decoded instructions, each by the words of its row in isa.h. Latencies
// come from the table in latency.c; what another core can see goes through SYNC, which waits for
// this core's turn. A core whose turn it is not hands over to the next one right here.
//
// Each instruction jumps to the next one's code (computed goto). An instruction that may lie
// outside the prefetch buffer, or is not decoded yet, goes through `enter`.
#include "arithmetic.h"
#include "control.h"
#include "simd.h"
#include "turn.h"
#include "xpulp.h"

#include <string.h>

#define RS1 c->x[in->rs1]
#define RS2 c->x[in->rs2]
#define RS3 c->x[in->rs3]
#define RD c->x[in->rd]
#define IMM in->imm
#define PC address_of(c->region, in)
#define NUMBERED in->rs3 & 1
#define NO_TRAPS "ecall: traps are not modelled"
#define CLIP_BOUND clip_bound(in->rs2)
#define RESULT_LATER(latency) ((latency) != 0 ? (uint32_t)(UINT64_C(1) << in->rd) : 0)

// Leaves before a shared action that is not yet this core's turn.
#define SYNC()                                                                                     \
    if (cycle >= limit) {                                                                          \
        goto not_yet;                                                                              \
    }
// Makes the core's state visible to the other parts; `is_entered`: the fetch of `in` is charged.
#define SAVE(is_entered, still_pending)                                                            \
    do {                                                                                           \
        c->at = in;                                                                                \
        c->entered = (is_entered);                                                                 \
        c->cycle = cycle;                                                                          \
        c->late = late;                                                                            \
        c->pending = (still_pending);                                                              \
        c->instructions += counted - left;                                                         \
        counted = left;                                                                            \
    } while (0)
#define PUBLISH() SAVE(true, 0)
// The end of every instruction, before the next one is known.
#define FINISH()                                                                                   \
    do {                                                                                           \
        cycle += 1 + late;                                                                         \
        late = 0;                                                                                  \
        left--;                                                                                    \
    } while (0)
#define ADVANCE()                                                                                  \
    do {                                                                                           \
        FINISH();                                                                                  \
        if (in->loop_end) {                                                                        \
            goto loop_end;                                                                         \
        }                                                                                          \
        in += in->half;                                                                            \
        if (left == 0) {                                                                           \
            goto enter;                                                                            \
        }                                                                                          \
    } while (0)
// Jumps to `target` once it is known to hold code.
#define GO(extra)                                                                                  \
    do {                                                                                           \
        cycle += (extra) + (t->split_target != 0 ? split_target(s, target) : 0);                   \
        FINISH();                                                                                  \
        goto land;                                                                                 \
    } while (0)
#define CHECK_TARGET()                                                                             \
    if (!holds_code(c->region, target)) {                                                          \
        DO_SYNCHRONOUS(jump_region(s, c, target));                                                 \
    }
// A branch or jump as the last instruction of a running hardware loop is not defined.
#define CHECK_LOOP()                                                                               \
    if (in->loop_end && ends_loop(c, PC)) {                                                        \
        DO_SYNCHRONOUS(fault(s, c, "hardware-loop", NULL, LAST_JUMPS));                            \
    }
#define LAST_JUMPS "the last instruction of a loop is a branch or jump"
#define DO_SYNCHRONOUS(...)                                                                        \
    SYNC();                                                                                        \
    PUBLISH();                                                                                     \
    if (!(__VA_ARGS__)) {                                                                          \
        goto leave;                                                                                \
    }

// What the kinds of instructions do.
#define DO_VALUE(...)                                                                              \
    RD = (__VA_ARGS__);                                                                            \
    goto next;
#define DO_SYSTEM(...)                                                                             \
    DO_SYNCHRONOUS(__VA_ARGS__);                                                                   \
    goto next;
#define DO_MULTIPLY(which, ...)                                                                    \
    cycle += t->which##_extra;                                                                     \
    pending = RESULT_LATER(t->which##_use);                                                        \
    RD = (__VA_ARGS__);                                                                            \
    goto next_pending;
#define DO_DIVIDE(is_signed, ...)                                                                  \
    cycle += latency_divide(t, RS2, is_signed) - 1;                                                \
    DO_VALUE(__VA_ARGS__)
#define DO_BRANCH(...)                                                                             \
    CHECK_LOOP();                                                                                  \
    if (__VA_ARGS__) {                                                                             \
        target = PC + IMM;                                                                         \
        CHECK_TARGET();                                                                            \
        GO(t->branch_taken_extra);                                                                 \
    }                                                                                              \
    goto next;
#define DO_CALL(...)                                                                               \
    CHECK_LOOP();                                                                                  \
    target = (__VA_ARGS__);                                                                        \
    CHECK_TARGET();                                                                                \
    RD = PC + in->half * 2u;                                                                       \
    GO(t->jump_extra);
#define IN_L1(type) (offset < c->l1_bytes && offset % sizeof(type) == 0)
#define L1_EXTRA (l1_extra + (s->model_conflicts ? bank_delay(s, offset, cycle) : 0))
// Others may be woken and time pass meanwhile.
#define BUS(type, store)                                                                           \
    PUBLISH();                                                                                     \
    if (bus_access(s, c, address, sizeof(type), store, &value) != STEP_OK) {                       \
        goto leave;                                                                                \
    }                                                                                              \
    cycle = c->cycle;                                                                              \
    limit = s->reschedule ? 0 : limit;
#define DO_LOAD(type, index, step_rs1)                                                             \
    address = RS1 + (index);                                                                       \
    offset = address - L1_BASE;                                                                    \
    SYNC();                                                                                        \
    if (IN_L1(type)) {                                                                             \
        type raw;                                                                                  \
        memcpy(&raw, l1 + offset, sizeof raw);                                                     \
        value = (uint32_t)raw;                                                                     \
        cycle += L1_EXTRA;                                                                         \
    } else {                                                                                       \
        BUS(type, false);                                                                          \
        value = (uint32_t)(type)value;                                                             \
    }                                                                                              \
    RS1 += (step_rs1);                                                                             \
    RD = value;                                                                                    \
    pending = RESULT_LATER(t->load_use);                                                           \
    goto next_pending;
#define DO_STORE(type, index, step_rs1)                                                            \
    address = RS1 + (index);                                                                       \
    offset = address - L1_BASE;                                                                    \
    value = RS2;                                                                                   \
    SYNC();                                                                                        \
    if (IN_L1(type) && !s->l1.has_code[offset >> CODE_BLOCK_BITS]) {                               \
        memcpy(l1 + offset, &value, sizeof(type));                                                 \
        cycle += L1_EXTRA;                                                                         \
    } else {                                                                                       \
        BUS(type, true);                                                                           \
    }                                                                                              \
    RS1 += (step_rs1);                                                                             \
    goto next;
#define DO_LOAD_POST DO_LOAD
#define DO_STORE_POST DO_STORE
#define DO_EVENT_WAIT(...)                                                                         \
    SYNC();                                                                                        \
    PUBLISH();                                                                                     \
    switch (__VA_ARGS__) {                                                                         \
    case STEP_SLEEP:                                                                               \
        goto asleep;                                                                               \
    case STEP_OK:                                                                                  \
        cycle += t->elw_extra;                                                                     \
        pending = RESULT_LATER(t->load_use);                                                       \
        goto next_pending;                                                                         \
    default:                                                                                       \
        goto leave;                                                                                \
    }
#define DO_SLEEP DO_EVENT_WAIT

#define LABEL(name, ...) [OP_##name] = &&do_##name,
#define CODE(name, mask, match, fields, kind, ...) do_##name : DO_##kind(__VA_ARGS__)
_Static_assert(OPERATIONS <= NEW_LINE, "an operation and its flag do not overlap");

void execute(sim *s, core *c, uint64_t limit, bool single) {
    static const void *const label[2 * NEW_LINE] = {
        [OP_UNDECODED] = &&enter,
        XPULP_INSTRUCTIONS(LABEL)[OPERATIONS... 2 * NEW_LINE - 1] = &&enter,
    };
    const latency *t = s->timing;
    uint8_t *l1 = s->l1.bytes;
    const uint32_t l1_extra = t->l1 - 1;
    uint64_t left = single ? 1 : s->left, counted = left, cycle;
    uint32_t pending, late, target, address, offset, value;
    insn *in;
    s->left -= left;

load:
    in = c->at;
    cycle = c->cycle;
    pending = c->pending;
    late = c->late;
    if (c->entered) {
        goto *label[in->op & OPERATION_MASK];
    }

enter: // the instruction at `in`: decoded? fetched? does it wait for an operand?
    if (left == 0) {
        goto outside;
    }
    if (in->op == OP_UNDECODED) {
        if (cycle >= limit) {
            goto outside;
        }
        PUBLISH();
        if (!decode_at(s, c, in)) {
            goto leave;
        }
    }
    if (s->model_icache && c->id != FC && PC - c->fetch_base > FETCH_LAST_INDEX) {
        uint32_t wait = fetch_latency(s, c, PC, cycle, cycle < limit);
        if (wait == NOT_THIS_CORES_TURN) {
            goto outside;
        }
        late += wait;
    }
    // Every producer's penalty is one cycle, which the wait for a fetch covers.
    late += late == 0 && (in->uses & pending) != 0;
    pending = 0;
    goto *label[in->op & OPERATION_MASK];

    XPULP_INSTRUCTIONS(CODE)

next:
    ADVANCE();
    goto *label[in->op];
next_pending: // the result comes late: the next instruction may have to wait for it
    ADVANCE();
    if (in->op - 1u >= NEW_LINE - 1u) {
        goto enter;
    }
    late = (in->uses & pending) != 0;
    pending = 0;
    goto *label[in->op];

loop_end:
    if (!loop_back(c, PC, &target)) {
        in += in->half;
        goto enter;
    }
land:
    if (!holds_code(c->region, target)) {
        PUBLISH();
        if (!jump_region(s, c, target)) {
            goto leave;
        }
        core_set_pc(s, c, target);
    }
    in = insn_at(c->region, target);
    goto enter;

asleep: // what it has begun is done at its wake-up, which sets its cycle
    left--;
    c->at = in + in->half;
    if (in->loop_end && loop_back(c, PC, &target) && jump_region(s, c, target)) {
        core_set_pc(s, c, target);
    }
    c->entered = false;
    c->instructions += counted - left;
    counted = left;
    goto leave;

not_yet:
    SAVE(true, pending);
    goto leave;
outside:
    SAVE(false, pending);
leave:
    if (c->state == CORE_RUNNING) {
        s->key[c->id] = core_key(c);
    }
    if (!single && left != 0 && s->status == RUNNING) {
        c = next_turn(s, &limit);
        if (c != NULL) {
            goto load;
        }
    }
    s->left += left;
}
