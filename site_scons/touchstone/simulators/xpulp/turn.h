// SPDX-License-Identifier: Apache-2.0
// Whose turn it is: keys hold the cycle of a core's next step, its rank and its number.
#ifndef XPULP_TURN_H
#define XPULP_TURN_H

#include "xpulp.h"

enum { CYCLE_SHIFT = 8, RANK_SHIFT = 4, FOUR_BITS = 15, DMA = 15 };
// Cycles that a core may run ahead of the others where nobody measures time any more.
enum { UNTIMED_TURN = 64 };

static inline uint64_t core_key(const core *c) {
    return c->cycle << CYCLE_SHIFT | c->rank << RANK_SHIFT | c->id;
}

static inline uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static inline uint64_t earliest(const uint64_t *key) {
    uint64_t a = least(least(key[0], key[1]), least(key[2], key[3]));
    uint64_t b = least(least(key[4], key[5]), least(key[6], key[7]));
    return least(least(a, b), least(key[8], key[9]));
}

// The next core and the cycle in which it may no longer share; NULL if it is the DMA, or nobody.
static inline core *next_turn(sim *s, uint64_t *limit) {
    uint64_t key = s->reschedule ? earliest(s->key) : s->next_key;
    s->reschedule = true;
    uint32_t id = key & FOUR_BITS;
    if (id == DMA || key >> CYCLE_SHIFT > s->max_cycles) { // or everybody sleeps
        return NULL;
    }
    s->key[id] = UINT64_MAX;
    s->next_key = earliest(s->key);
    s->reschedule = false;
    // At equal cycles the lower rank goes first.
    uint64_t rank = key >> RANK_SHIFT & FOUR_BITS, other = s->next_key >> RANK_SHIFT & FOUR_BITS;
    *limit = (s->next_key >> CYCLE_SHIFT) + (rank < other) + (s->untimed ? UNTIMED_TURN : 0);
    return &s->cores[id];
}

#endif
