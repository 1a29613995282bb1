// SPDX-License-Identifier: Apache-2.0
// Instruction fetch of the cluster as GVSOC times it: a one-line prefetch buffer and 512 bytes of
// private cache per core, 4 KB shared by all in two line-interleaved banks, then L2. The caches
// hold no data, only tags: contents cannot differ from memory, since executed code is never
// written. A refill is entered at once with the cycle at which it will be complete.
#include "xpulp.h"

#include <string.h>

enum { SHARED_BANKS = 2 };

static uint32_t next_way(icache *cache) {
    uint32_t r = cache->lfsr;
    uint32_t feedback = ~(r >> 7 ^ r >> 3 ^ r >> 2 ^ r >> 1) & 1;
    cache->lfsr = (uint8_t)(r << 1 | feedback);
    return cache->lfsr >> 1 & (ICACHE_WAYS - 1);
}

static icache_line *find(icache *cache, uint32_t set, uint32_t tag) {
    for (uint32_t way = 0; way < ICACHE_WAYS; way++) {
        icache_line *line = &cache->lines[set][way];
        if (line->valid && line->tag == tag) {
            return line;
        }
    }
    return NULL;
}

// Enters the line; `below` is the latency of the next level. A cache refills one line at a time.
static uint32_t refill(icache *cache, uint32_t set, uint32_t tag, uint64_t now, uint32_t below) {
    icache_line *line = &cache->lines[set][next_way(cache)];
    uint64_t wait = cache->busy_until > now ? cache->busy_until - now : 0;
    cache->busy_until = now + wait + below;
    *line = (icache_line){true, tag, cache->busy_until};
    return (uint32_t)wait + below;
}

static uint32_t remaining(const icache_line *line, uint64_t now) {
    return line->ready > now ? (uint32_t)(line->ready - now) : 0;
}

static uint32_t shared_latency(sim *s, uint32_t number, uint64_t now) {
    icache *bank = &s->shared_icache[number % SHARED_BANKS];
    uint32_t tag = number / SHARED_BANKS, set = tag % SHARED_SETS;
    const icache_line *line = find(bank, set, tag);
    return line != NULL ? remaining(line, now)
                        : refill(bank, set, tag, now, s->timing->fetch_l2 + s->timing->refill);
}

static uint32_t line_latency(sim *s, core *c, uint32_t number, uint64_t now) {
    icache *own = &c->private_icache;
    uint32_t set = number % PRIVATE_SETS;
    if (!s->icache_enabled) {
        return s->timing->fetch_l2;
    }
    const icache_line *line = find(own, set, number);
    return line != NULL
               ? remaining(line, now)
               : refill(own, set, number, now, shared_latency(s, number, now) + s->timing->refill);
}

uint32_t fetch_latency(sim *s, core *c, uint32_t pc, uint64_t now) {
    uint32_t latency = 0;
    if (pc - c->fetch_base >= FETCH_LINE_BYTES) {
        c->fetch_base = pc & ~(uint32_t)(FETCH_LINE_BYTES - 1);
        latency = line_latency(s, c, pc / FETCH_LINE_BYTES, now);
    }
    if (pc - c->fetch_base > FETCH_LAST_INDEX) {
        c->fetch_base += FETCH_LINE_BYTES;
        latency += line_latency(s, c, c->fetch_base / FETCH_LINE_BYTES, now);
    }
    c->fetch_cycles += latency;
    return latency;
}

void icache_flush(sim *s) {
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        memset(s->cores[i].private_icache.lines, 0, sizeof s->cores[i].private_icache.lines);
    }
    for (uint32_t i = 0; i < SHARED_BANKS; i++) {
        memset(s->shared_icache[i].lines, 0, sizeof s->shared_icache[i].lines);
    }
}
