// SPDX-License-Identifier: Apache-2.0
// Runs that do not end: says for every core where it is and what it waits for.
#include "xpulp.h"

#include <stdarg.h>

typedef struct {
    char bytes[560];
    size_t used;
} text;

static void put(text *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(t->bytes + t->used, sizeof t->bytes - t->used, format, arguments);
    va_end(arguments);
    t->used += written > 0 ? (size_t)written : 0;
    t->used = t->used < sizeof t->bytes ? t->used : sizeof t->bytes - 1;
}

static void put_cores(text *t, uint32_t mask) {
    put(t, (mask & (mask - 1)) != 0 ? "cores" : "core");
    const char *separator = " ";
    for (uint32_t i = 0; i < ALL_CORES; i++) {
        if ((mask >> i & 1) != 0) {
            put(t, "%s%u", separator, (unsigned)i);
            separator = ",";
        }
    }
}

static bool at_barrier(const core *c, uint32_t *number) {
    *number = (c->wait_register - BARRIER_AREA) / BARRIER_BYTES;
    return c->state == CORE_EVENT_WAIT && c->wait_register >= BARRIER_AREA && *number < BARRIERS;
}

static void put_state(text *t, const sim *s, const core *c) {
    uint32_t number;
    if (at_barrier(c, &number)) {
        const barrier *b = &s->barriers[number];
        put(t, " at barrier %u", (unsigned)number);
        if ((b->trigger_mask & ~b->status) != 0) {
            put(t, ", which lacks ");
            put_cores(t, b->trigger_mask & ~b->status);
        }
        return;
    }
    static const char *const what[] = {
        [CORE_OFF] = " not started",
        [CORE_RUNNING] = " running",
        [CORE_EVENT_WAIT] = " for an event",
        [CORE_MUTEX_WAIT] = " for a mutex",
        [CORE_WFI] = " in wfi",
        [CORE_DMA_QUEUE] = " for the DMA's queue",
        [CORE_DMA_COUNTER] = " for a DMA counter",
    };
    put(t, "%s", what[c->state]);
}

static uint32_t place(const core *c) { return c->state == CORE_RUNNING ? core_pc(c) : c->wait_pc; }

static bool alike(const core *a, const core *b) {
    return a->state == b->state && (a->state == CORE_OFF || place(a) == place(b)) &&
           (a->state != CORE_EVENT_WAIT || a->wait_register == b->wait_register);
}

// The first core that runs, else that waits at a barrier, else that was started.
static const core *culprit(const sim *s) {
    const core *found = &s->cores[FC];
    uint32_t best = 0, number;
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        const core *c = &s->cores[i];
        uint32_t rank = c->state == CORE_OFF       ? 0
                        : c->state == CORE_RUNNING ? 3
                        : at_barrier(c, &number)   ? 2
                                                   : 1;
        if (rank > best) {
            best = rank;
            found = c;
        }
    }
    return found;
}

void report_stuck(sim *s, const char *kind) {
    text t = {.used = 0};
    uint32_t told = 0;
    for (uint32_t i = 0; i < ALL_CORES; i++) {
        const core *c = &s->cores[i];
        uint32_t mask = 0;
        for (uint32_t k = i; k < ALL_CORES; k++) {
            mask |= (uint32_t)alike(c, &s->cores[k]) << k;
        }
        if ((told >> i & 1) != 0 || c->state == CORE_OFF) {
            continue;
        }
        put(&t, "%s", told != 0 ? "; " : "");
        told |= mask;
        put_cores(&t, mask);
        put_state(&t, s, c);
        put(&t, ", pc 0x%08x", (unsigned)place(c));
    }
    const core *c = culprit(s);
    fault(s, c, kind, NULL, "%s", t.bytes);
    s->fault.pc = place(c);
}
