// SPDX-License-Identifier: Apache-2.0
// Interleaves the cores in the order of (cycle, rank). A core runs ahead through instructions
// that only touch its own registers and caches; everything shared (memory, event unit, counters,
// stops) happens in exactly that order, so the result does not depend on the host. As in GVSOC,
// among the cores that act in one cycle the one that was woken last goes first.
#include "observe.h"
#include "turn.h"
#include "xpulp.h"

step core_sleep(sim *s, core *c, core_state state) {
    c->state = state;
    c->wait_pc = core_pc(c);
    c->wait_since = c->cycle;
    s->key[c->id] = UINT64_MAX;
    s->reschedule = true;
    return STEP_SLEEP;
}

// The cycle of the DMA's next step, UINT64_MAX for none; it comes after the cores of that cycle.
void schedule_dma(sim *s, uint64_t at) {
    s->key[ALL_CORES] = at == UINT64_MAX ? at : at << CYCLE_SHIFT | DMA << RANK_SHIFT | DMA;
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
            s->key[other->id] = core_key(other);
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
    s->key[c->id] = core_key(c);
    s->reschedule = true;
}

void core_set_pc(sim *s, core *c, uint32_t pc) {
    c->region = region_find(s, pc);
    c->at = insn_at(c->region, pc);
}

void run_system(sim *s) {
    core *fc = &s->cores[FC];
    if (jump_region(s, fc, s->entry)) {
        core_set_pc(s, fc, s->entry);
        fc->state = CORE_RUNNING;
        s->key[FC] = core_key(fc);
    }
    while (s->status == RUNNING) {
        uint64_t limit, key = earliest(s->key);
        s->reschedule = true;
        if (key == UINT64_MAX) {
            s->status = DEADLOCK;
        } else if ((key & FOUR_BITS) == DMA) {
            dma_step(s, key >> CYCLE_SHIFT);
        } else if (s->left == 0 || key >> CYCLE_SHIFT > s->max_cycles) {
            s->status = LIMIT;
        } else {
            core *c = next_turn(s, &limit);
            if (s->observer == NULL) {
                execute(s, c, limit, false);
            } else {
                observe(s, c, limit);
            }
        }
    }
}
