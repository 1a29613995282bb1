// SPDX-License-Identifier: Apache-2.0
// Interleaves the cores in the order of (cycle, core). A core runs ahead through instructions
// that only touch its own registers; everything shared (memory, event unit, counters, stops)
// happens in exactly that order, so the result does not depend on the host.
#include "xpulp.h"

enum { RANK_BITS = 4, QUOTA = 4096 };

static uint64_t key_of(const core *c) { return c->cycle << RANK_BITS | c->id; }

void core_sleep(sim *s, core *c, core_state state) {
    c->state = state;
    c->wait_pc = c->pc;
    c->wait_since = c->cycle;
    s->key[c->id] = UINT64_MAX;
    s->reschedule = true;
}

void core_wake(sim *s, core *c, uint64_t at) {
    c->sleep_cycles += at - c->wait_since;
    c->state = CORE_RUNNING;
    c->cycle = at;
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
        core *c = &s->cores[best & ((1u << RANK_BITS) - 1)];
        uint64_t left = s->max_instructions - s->instructions;
        if (left == 0 || c->cycle > s->max_cycles) {
            s->status = STATUS_LIMIT;
            return;
        }
        uint64_t limit = UINT64_MAX;
        if (second != UINT64_MAX) { // at equal cycles the lower core goes first
            limit = (second >> RANK_BITS) + (c->id < (second & ((1u << RANK_BITS) - 1)) ? 1 : 0);
        }
        s->reschedule = false;
        execute(s, c, limit, left < QUOTA ? left : QUOTA);
        if (c->state == CORE_RUNNING) {
            s->key[c->id] = key_of(c);
        }
    }
}
