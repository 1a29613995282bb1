// SPDX-License-Identifier: Apache-2.0
// Runs a core one instruction at a time and looks at what each changed. The order of the cores is
// that of execute(): a core goes on until something shared is not its turn.
#include "observe.h"

#include <stdlib.h>
#include <string.h>

bool accessed_address(const insn *in, const uint32_t *x, uint32_t *address) {
    const instruction *row = row_of(in);
    bool store = row->kind == KIND_STORE, indexed = store || row->kind == KIND_LOAD;
    uint32_t fields = row->fields, number = store ? in->rs3 : in->rs2;
    bool by_register = indexed && (fields & (store ? C : B)) != 0;
    *address = x[in->rs1] + (by_register ? x[number] : indexed ? in->imm : 0);
    if (row->kind == KIND_EVENT_WAIT) {
        *address += in->imm;
    }
    return row->kind >= KIND_LOAD && row->kind <= KIND_EVENT_WAIT;
}

// What a load or store moves: funct3 tells it, or funct7 where an index register is added.
static uint32_t access_bytes(const insn *in) {
    uint32_t match = row_of(in)->match, f3 = match >> 12 & 7;
    return 1u << (f3 == 7 ? match >> 28 & 3 : f3 & 3);
}

static bool waits(const insn *in) {
    return row_of(in)->kind == KIND_EVENT_WAIT || row_of(in)->kind == KIND_SLEEP;
}

// Splits the cycles beyond the instruction's own among their causes.
static void explain(const sim *s, const insn *in, const uint32_t *address, uint64_t rest,
                    uint64_t stalls[CAUSE_COUNT]) {
    cause why = CAUSE_OTHER;
    uint32_t kind = row_of(in)->kind;
    if (waits(in)) {
        why = CAUSE_WAIT;
    } else if (address != NULL && *address - L1_BASE < s->l1.size) {
        bool split = (*address & (access_bytes(in) - 1)) != 0 && rest > 0;
        stalls[CAUSE_MISALIGNED] += split;
        rest -= split;
        why = CAUSE_BANK_CONFLICT;
    } else if (address != NULL) {
        why = region_find((sim *)s, *address) != NULL ? CAUSE_L2 : CAUSE_PERIPHERAL;
    } else if (kind >= KIND_CALL && kind <= KIND_BRANCH) {
        why = CAUSE_BRANCH;
    } else if (kind >= KIND_MULTIPLY && kind <= KIND_DIVIDE) {
        why = CAUSE_MULTI_CYCLE;
    }
    stalls[why] += rest;
}

// What of a core its instruction may change.
typedef struct {
    uint32_t x[33];
    uint32_t pc, pending;
    uint64_t cycle, instructions, fetch_cycles;
} snapshot;

static snapshot take(const core *c) {
    snapshot taken = {.pc = core_pc(c),
                      .pending = c->pending,
                      .cycle = c->cycle,
                      .instructions = c->instructions,
                      .fetch_cycles = c->fetch_cycles};
    memcpy(taken.x, c->x, sizeof taken.x);
    return taken;
}

// Counts the cycles from where the core's last step ended until `end`.
static void count_cycles(sim *s, const core *c, const insn *in, const uint32_t *address,
                         uint64_t end, bool executed) {
    struct observer *o = s->observer;
    watched_core *w = &o->cores[c->id];
    uint64_t stalls[CAUSE_COUNT] = {0};
    uint64_t cycles = end > w->cycle ? end - w->cycle : 0;
    uint64_t left = cycles - (executed && !waits(in) && cycles > 0);
    stalls[CAUSE_FETCH] = w->fetch < left ? w->fetch : left;
    left -= stalls[CAUSE_FETCH];
    if (w->operand_late && w->fetch == 0 && left > 0) {
        stalls[w->multiplied ? CAUSE_MULTIPLY_USE : CAUSE_LOAD_USE] = 1;
        left--;
    }
    explain(s, in, address, left, stalls);
    profile_count(&o->profile, c->id, w->frame, w->pc, executed, cycles, stalls);
    w->cycle = end > w->cycle ? end : w->cycle;
}

// The core has tried its next instruction; it may have to wait for its turn and try again.
static void count_step(sim *s, const core *c, const insn *in, const snapshot *before,
                       bool executed) {
    struct observer *o = s->observer;
    watched_core *w = &o->cores[c->id];
    w->frame = o->profile.frame[c->id];
    w->pc = before->pc;
    w->fetch += c->fetch_cycles - before->fetch_cycles;
    w->operand_late = w->operand_late || (in->uses & before->pending) != 0;
    w->asleep = c->state != CORE_RUNNING;
    if (!executed) {
        return;
    }
    uint32_t address;
    bool accesses = accessed_address(in, before->x, &address);
    count_cycles(s, c, in, accesses ? &address : NULL, c->cycle, true);
    w->fetch = 0;
    w->operand_late = false;
    w->multiplied = row_of(in)->kind == KIND_MULTIPLY;
    profile_control(&o->profile, c, in, w->pc);
    w->waits = row_of(in)->kind == KIND_EVENT_WAIT;
    w->wait_cycle = before->cycle;
    if (!w->waits) {
        trace_step(&o->trace, s, c, in, w->pc, before->cycle, accesses ? &address : NULL);
    }
}

// The core has slept since its last step, or has just been woken.
static void count_sleep(sim *s, const core *c, uint64_t until) {
    struct observer *o = s->observer;
    watched_core *w = &o->cores[c->id];
    if (w->asleep && until > w->cycle) {
        uint64_t stalls[CAUSE_COUNT] = {0};
        stalls[CAUSE_WAIT] = until - w->cycle;
        profile_count(&o->profile, c->id, w->frame, w->pc, 0, until - w->cycle, stalls);
        w->cycle = until;
    }
    w->asleep = false;
    if (w->waits) {
        w->waits = false;
        region *r = region_find(s, w->pc);
        insn wait = r->code[(w->pc - r->base) / 2];
        wait.rd = c->state == CORE_RUNNING ? wait.rd : SINK; // the value has not come yet
        trace_step(&o->trace, s, c, &wait, w->pc, w->wait_cycle, NULL);
    }
}

static void begin(sim *s) {
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        const core *c = &s->cores[i];
        uint64_t start = s->reads[FIRST_READ - 1].cycles;
        bool ahead = i != 0 && c->state == CORE_RUNNING && c->cycle > start;
        s->observer->cores[i] = (watched_core){
            .cycle = ahead ? c->cycle : start,
            .pc = c->state == CORE_RUNNING ? core_pc(c) : c->wait_pc,
            .asleep = c->state != CORE_RUNNING,
        };
    }
}

// Cores that wait, or have been woken and not yet gone on.
static void end(sim *s) {
    uint64_t last = s->reads[LAST_READ - 1].cycles;
    for (uint32_t i = 1; i < CLUSTER_CORES; i++) {
        const core *c = &s->cores[i];
        const watched_core *w = &s->observer->cores[i];
        if (c->state != CORE_OFF && (w->asleep || w->waits)) {
            count_sleep(s, c, c->state == CORE_RUNNING && c->cycle < last ? c->cycle : last);
        }
    }
}

static bool within(const sim *s) {
    return s->read_count >= FIRST_READ && s->read_count < LAST_READ;
}

void observe(sim *s, core *c, uint64_t limit) {
    if (c->id == FC) {
        execute(s, c, limit, true);
        return;
    }
    if (within(s)) {
        count_sleep(s, c, c->cycle);
    }
    while (s->left != 0 && s->status == RUNNING && c->state == CORE_RUNNING) {
        const insn *in = c->at;
        snapshot before = take(c);
        bool was_within = within(s);
        execute(s, c, limit, true);
        bool executed = c->instructions != before.instructions;
        if (within(s) && !was_within) {
            begin(s);
        }
        if (within(s)) {
            count_step(s, c, in, &before, executed);
        } else if (was_within) { // the read itself comes after the timed run
            count_step(s, c, in, &before, false);
            count_cycles(s, c, in, NULL, s->reads[LAST_READ - 1].cycles, false);
            end(s);
        }
        if (!executed || waits(in)) {
            return;
        }
        limit = s->reschedule ? 0 : limit;
    }
}

bool observer_open(sim *s, const char *profile_path, const char *trace_path) {
    if (profile_path == NULL && trace_path == NULL) {
        return true;
    }
    struct observer *o = s->observer = calloc(1, sizeof *o);
    if (o == NULL) {
        return false;
    }
    o->profile_path = profile_path;
    o->trace.file = trace_path != NULL ? fopen(trace_path, "wb") : NULL;
    return trace_path == NULL || o->trace.file != NULL;
}

bool observer_close(sim *s) {
    struct observer *o = s->observer;
    bool ok = true;
    if (o != NULL) {
        ok = o->profile_path == NULL || profile_write(&o->profile, o->profile_path);
        if (o->trace.file != NULL) {
            ok = ferror(o->trace.file) == 0 && ok;
            ok = fclose(o->trace.file) == 0 && ok;
        }
        profile_free(&o->profile);
        free(o);
    }
    s->observer = NULL;
    return ok;
}
