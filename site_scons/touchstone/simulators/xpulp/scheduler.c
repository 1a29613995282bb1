// SPDX-License-Identifier: Apache-2.0
// Interleaves the cores in the order of (cycle, rank). A core runs ahead through instructions
// that only touch its own registers; everything shared (memory, event unit, counters, stops)
// happens in exactly that order, so the result does not depend on the host. As in GVSOC, among
// the cores that act in one cycle the one that was woken last goes first.
#include "observe.h"
#include "xpulp.h"

enum { RANK_BITS = 4, QUOTA = 4096 };

static uint64_t key_of(const core *c) { return c->cycle << RANK_BITS | c->rank; }

void core_sleep(sim *s, core *c, core_state state) {
    c->state = state;
    c->wait_pc = c->pc;
    c->wait_since = c->cycle;
    s->key[c->id] = UINT64_MAX;
    s->reschedule = true;
}

static void rank_first(sim *s, const core *c) {
    for (uint32_t rank = c->rank; rank > 0; rank--) {
        s->ranked[rank] = s->ranked[rank - 1];
    }
    s->ranked[0] = (uint8_t)c->id;
    for (uint32_t rank = 0; rank < CLUSTER_CORES; rank++) {
        core *other = &s->cores[s->ranked[rank]];
        other->rank = rank;
        if (s->key[other->id] != UINT64_MAX) {
            s->key[other->id] = key_of(other);
        }
    }
}

void core_wake(sim *s, core *c, uint64_t at) {
    c->sleep_cycles += at - c->wait_since;
    c->state = CORE_RUNNING;
    c->cycle = at + c->late; // the stalls of the instruction that slept follow
    c->late = 0;
    rank_first(s, c);
    s->key[c->id] = key_of(c);
    s->reschedule = true;
}

static void report_deadlock(sim *s) {
    static const char *const names[] = {"off", "running", "event", "mutex", "wfi"};
    char text[160] = "";
    size_t used = 0;
    const core *first = &s->cores[FC];
    for (uint32_t i = 0; i < ALL_CORES; i++) {
        const core *c = &s->cores[i];
        if (i < CLUSTER_CORES && c->state != CORE_OFF && first->id == FC) {
            first = c;
        }
        int written =
            snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : " ", names[c->state]);
        used += written > 0 ? (size_t)written : 0;
    }
    core at = *first;
    at.pc = first->wait_pc;
    fault(s, &at, "deadlock", NULL, "every core sleeps for ever; cores 0..7 and FC wait for: %s",
          text);
}

void run_system(sim *s) {
    while (s->status == STATUS_RUNNING) {
        uint64_t best = UINT64_MAX, second = UINT64_MAX;
        for (uint32_t i = 0; i < ALL_CORES; i++) {
            uint64_t key = s->key[i];
            uint64_t larger = key > best ? key : best;
            best = key < best ? key : best;
            second = larger < second ? larger : second;
        }
        if (best == UINT64_MAX) {
            report_deadlock(s);
            return;
        }
        uint32_t rank = best & ((1u << RANK_BITS) - 1);
        core *c = &s->cores[s->ranked[rank]];
        uint64_t left = s->max_instructions - s->instructions;
        if (left == 0 || c->cycle > s->max_cycles) {
            s->status = STATUS_LIMIT;
            return;
        }
        uint64_t limit = UINT64_MAX;
        if (second != UINT64_MAX) { // at equal cycles the lower rank goes first
            limit = (second >> RANK_BITS) + (rank < (second & ((1u << RANK_BITS) - 1)) ? 1 : 0);
        }
        s->reschedule = false;
        uint64_t budget = left < QUOTA ? left : QUOTA;
        if (s->observer == NULL) {
            execute(s, c, limit, budget);
        } else {
            observe(s, c, limit, budget);
        }
        if (c->state == CORE_RUNNING) {
            s->key[c->id] = key_of(c);
        }
    }
}
