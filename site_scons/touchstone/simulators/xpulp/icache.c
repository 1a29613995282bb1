// SPDX-License-Identifier: Apache-2.0
// Instruction fetch of the cluster as GVSOC times it: a one-line prefetch buffer and 512 bytes of
// private cache per core, 4 KB shared by all in two line-interleaved banks, then L2. The caches
// hold no data, only tags: contents cannot differ from memory, since executed code is never
// written. A refill is entered at once with the cycle at which it will be complete.
#include "xpulp.h"

#include <string.h>

enum { SHARED_BANKS = 2 };
#define ABSENT NOT_THIS_CORES_TURN

static uint32_t next_way(icache *cache) {
    uint32_t r = cache->lfsr;
    uint32_t feedback = ~(r >> 7 ^ r >> 3 ^ r >> 2 ^ r >> 1) & 1;
    cache->lfsr = (uint8_t)(r << 1 | feedback);
    return cache->lfsr >> 1 & (ICACHE_WAYS - 1);
}

// In how many cycles the refill of the line will be complete; ABSENT if the line is not there.
static uint32_t find(const icache_set *set, uint32_t tag, uint64_t now) {
    for (uint32_t way = 0; way < ICACHE_WAYS; way++) {
        if (set->tag[way] == tag) {
            return set->ready[way] > now ? (uint32_t)(set->ready[way] - now) : 0;
        }
    }
    return ABSENT;
}

// Enters the line; `below` is the latency of the next level. A cache refills one line at a time.
static uint32_t refill(icache *cache, icache_set *set, uint32_t tag, uint64_t now, uint32_t below) {
    uint32_t way = next_way(cache);
    uint64_t wait = cache->busy_until > now ? cache->busy_until - now : 0;
    cache->busy_until = now + wait + below;
    set->tag[way] = tag;
    set->ready[way] = cache->busy_until;
    return (uint32_t)wait + below;
}

static uint32_t shared_latency(sim *s, uint32_t line, uint64_t now) {
    icache *bank = &s->shared_icache[line % SHARED_BANKS];
    icache_set *set = &bank->sets[line / SHARED_BANKS % SHARED_SETS];
    uint32_t left = find(set, line + 1, now);
    return left != ABSENT
               ? left
               : refill(bank, set, line + 1, now, s->timing->fetch_l2 + s->timing->refill);
}

static uint32_t line_latency(sim *s, core *c, uint32_t line, uint64_t now, bool turn) {
    icache_set *set = &c->private_icache.sets[line % PRIVATE_SETS];
    uint32_t left = s->icache_enabled ? find(set, line + 1, now) : ABSENT;
    if (left != ABSENT || !turn) {
        return left;
    }
    return !s->icache_enabled ? s->timing->fetch_l2
                              : refill(&c->private_icache, set, line + 1, now,
                                       shared_latency(s, line, now) + s->timing->refill);
}

uint32_t fetch_latency(sim *s, core *c, uint32_t pc, uint64_t now, bool turn) {
    uint32_t base = c->fetch_base, latency = 0;
    for (bool next = pc - base < FETCH_LINE_BYTES;; next = true) {
        base = next ? base + FETCH_LINE_BYTES : pc & ~(uint32_t)(FETCH_LINE_BYTES - 1);
        uint32_t line = line_latency(s, c, base / FETCH_LINE_BYTES, now, turn);
        if (line == NOT_THIS_CORES_TURN) {
            return line;
        }
        latency += line;
        if (next || pc - base <= FETCH_LAST_INDEX) {
            break;
        }
    }
    c->fetch_base = base;
    c->fetch_cycles += latency;
    return latency;
}

void icache_flush(sim *s) {
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        memset(s->cores[i].private_icache.sets, 0, sizeof s->cores[i].private_icache.sets);
    }
    for (uint32_t i = 0; i < SHARED_BANKS; i++) {
        memset(s->shared_icache[i].sets, 0, sizeof s->shared_icache[i].sets);
    }
}
