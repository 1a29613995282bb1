// SPDX-License-Identifier: Apache-2.0
// Interleaves the cores in the order of (cycle, rank). A core runs ahead through instructions
// that only touch its own registers; everything shared (memory, event unit, counters, stops)
// happens in exactly that order, so the result does not depend on the host. As in GVSOC, among
// the cores that act in one cycle the one that was woken last goes first.
#include "observe.h"
#include "xpulp.h"

enum { RANK_BITS = 4, DMA_RANK = 15, QUOTA = 4096 };
// Cycles that a core may run ahead of the others where nobody measures time any more.
enum { UNTIMED_TURN = 64 };

static uint64_t key_of(const core *c) { return c->cycle << RANK_BITS | c->rank; }

void core_sleep(sim *s, core *c, core_state state) {
    c->state = state;
    c->wait_pc = c->pc;
    c->wait_since = c->cycle;
    s->key[c->id] = UINT64_MAX;
    s->reschedule = true;
}

// The cycle of the DMA's next step, UINT64_MAX for none; it comes after the cores of that cycle.
void schedule_dma(sim *s, uint64_t at) {
    s->key[ALL_CORES] = at == UINT64_MAX ? at : at << RANK_BITS | DMA_RANK;
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
    // Where nobody measures time, who wakes may be behind who sleeps.
    at = at < c->wait_since ? c->wait_since : at;
    c->sleep_cycles += at - c->wait_since;
    c->cycle = at;
    bool again = c->state == CORE_DMA_QUEUE || c->state == CORE_DMA_COUNTER;
    if (!again) { // the instruction that slept is done, its stalls follow
        c->cycle += c->late;
        c->late = 0;
    }
    c->state = CORE_RUNNING;
    if (!again || at > c->wait_since) {
        rank_first(s, c);
    }
    s->key[c->id] = key_of(c);
    s->reschedule = true;
}

void run_system(sim *s) {
    while (s->status == STATUS_RUNNING) {
        uint64_t best = UINT64_MAX, second = UINT64_MAX;
        for (uint32_t i = 0; i <= ALL_CORES; i++) {
            uint64_t key = s->key[i];
            uint64_t larger = key > best ? key : best;
            best = key < best ? key : best;
            second = larger < second ? larger : second;
        }
        if (best == UINT64_MAX) {
            report_stuck(s, "deadlock");
            return;
        }
        uint32_t rank = best & ((1u << RANK_BITS) - 1);
        if (rank == DMA_RANK) {
            dma_step(s, best >> RANK_BITS);
            continue;
        }
        core *c = &s->cores[s->ranked[rank]];
        uint64_t left = s->max_instructions - s->instructions;
        if (left == 0 || c->cycle > s->max_cycles) {
            report_stuck(s, "limit");
            s->status = STATUS_LIMIT;
            return;
        }
        uint64_t limit = UINT64_MAX;
        if (second != UINT64_MAX) { // at equal cycles the lower rank goes first
            limit = (second >> RANK_BITS) + (rank < (second & ((1u << RANK_BITS) - 1)) ? 1 : 0);
        }
        if (s->untimed && limit != UINT64_MAX) {
            limit += UNTIMED_TURN;
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
