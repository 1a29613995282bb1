// SPDX-License-Identifier: Apache-2.0
// The cluster event unit as a core sees it through its demultiplexer: event mask and buffer,
// software events, mutexes, hardware barriers. Register offsets: PULP event unit, version 3.
// An access from core n acts on core n's registers. Interrupts are not modelled.
#include "xpulp.h"

enum {
    MASK = 0x00,
    MASK_AND = 0x04,
    MASK_OR = 0x08,
    IRQ_MASK = 0x0c,
    IRQ_MASK_AND = 0x10,
    IRQ_MASK_OR = 0x14,
    BUFFER = 0x1c,
    BUFFER_MASKED = 0x20,
    BUFFER_CLEAR = 0x28,
    EVENT_WAIT = 0x38,
    EVENT_WAIT_CLEAR = 0x3c,
    MUTEX_AREA = 0xc0,
    SOFTWARE_AREA = 0x100,
    // Of each barrier; the numbers are those of the first.
    TRIGGER_MASK = BARRIER_AREA,
    BARRIER_STATUS = BARRIER_AREA + 0x04,
    TARGET_MASK = BARRIER_AREA + 0x0c,
    TRIGGER = BARRIER_AREA + 0x10,
    TRIGGER_SELF = BARRIER_AREA + 0x14,
    TRIGGER_WAIT = BARRIER_AREA + 0x18,
    TRIGGER_WAIT_CLEAR = BARRIER_AREA + 0x1c,
    BARRIER_EVENT = 16,
    MUTEX_EVENT = 17
};

static bool refuse(sim *s, const core *c, uint32_t offset, const char *what) {
    return fault(s, c, "unmodelled-register", NULL, "event unit offset 0x%03x: %s",
                 (unsigned)offset, what);
}

static void complete_wait(sim *s, core *c, uint64_t now) {
    c->x[c->wait_rd] = c->event_buffer & c->event_mask;
    c->event_buffer &= c->wait_clears ? ~c->event_mask : UINT32_MAX;
    // With a skew every release lets the cores go in another order, one after the other.
    uint32_t place = (c->id + s->releases) % CLUSTER_CORES;
    core_wake(s, c, now + s->timing->event_wait + s->barrier_skew * place);
}

// Raises `events` for the cores of `core_mask` (0: all of them).
void event_unit_trigger(sim *s, uint64_t now, uint32_t events, uint32_t core_mask) {
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        core *c = &s->cores[i];
        if (core_mask == 0 || (core_mask >> i & 1) != 0) {
            c->event_buffer |= events;
            if (c->state == CORE_EVENT_WAIT && (c->event_buffer & c->event_mask) != 0) {
                complete_wait(s, c, now);
            }
        }
    }
}

static void barrier_check(sim *s, barrier *b, uint64_t now) {
    if (b->status == b->trigger_mask) {
        b->status = 0;
        s->releases++;
        event_unit_trigger(s, now, 1u << BARRIER_EVENT, b->target_mask);
    }
}

// The barrier at *offset, which becomes that of the first one's register.
static barrier *barrier_at(sim *s, uint32_t *offset) {
    uint32_t number = (*offset - BARRIER_AREA) / BARRIER_BYTES;
    if (*offset < BARRIER_AREA || number >= BARRIERS) {
        return NULL;
    }
    *offset -= number * BARRIER_BYTES;
    return &s->barriers[number];
}

static mutex *mutex_at(sim *s, uint32_t offset) {
    uint32_t number = (offset - MUTEX_AREA) / 4;
    return offset >= MUTEX_AREA && number < MUTEXES ? &s->mutexes[number] : NULL;
}

bool event_unit_load(sim *s, core *c, uint32_t offset, uint32_t *value) {
    uint32_t where = offset;
    barrier none = {0}, *found = barrier_at(s, &where), *b = found != NULL ? found : &none;
    const struct {
        uint32_t offset, value;
    } registers[] = {
        {MASK, c->event_mask},           {IRQ_MASK, 0},
        {BUFFER, c->event_buffer},       {BUFFER_MASKED, c->event_buffer & c->event_mask},
        {TRIGGER_MASK, b->trigger_mask}, {BARRIER_STATUS, b->status},
        {TARGET_MASK, b->target_mask},
    };
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        if (registers[i].offset == where) {
            *value = registers[i].value;
            return true;
        }
    }
    return refuse(s, c, offset, "no such register for a plain load");
}

static void mutex_unlock(sim *s, mutex *m, uint32_t value, uint64_t now) {
    m->locked = m->waiting != 0;
    if (m->locked) { // it passes to the lowest waiting core
        core *c = &s->cores[__builtin_ctz(m->waiting)];
        m->waiting &= m->waiting - 1;
        c->x[c->wait_rd] = value;
        core_wake(s, c, now + s->timing->event_wait);
    }
}

bool event_unit_store(sim *s, core *c, uint32_t offset, uint32_t value) {
    mutex *m = mutex_at(s, offset);
    if (m != NULL) {
        mutex_unlock(s, m, value, c->cycle);
        return true;
    }
    if (offset >= SOFTWARE_AREA && offset < SOFTWARE_AREA + 4 * SOFTWARE_EVENTS) {
        event_unit_trigger(s, c->cycle, 1u << (offset - SOFTWARE_AREA) / 4, value);
        return true;
    }
    if (offset == IRQ_MASK || offset == IRQ_MASK_OR || offset == IRQ_MASK_AND) {
        return value == 0 || offset == IRQ_MASK_AND ||
               refuse(s, c, offset, "interrupts are not modelled");
    }
    uint32_t where = offset;
    barrier none = {0}, *found = barrier_at(s, &where), *b = found != NULL ? found : &none;
    const struct {
        uint32_t offset, *target, value;
    } registers[] = {
        {MASK, &c->event_mask, value},
        {MASK_AND, &c->event_mask, c->event_mask & ~value},
        {MASK_OR, &c->event_mask, c->event_mask | value},
        {BUFFER_CLEAR, &c->event_buffer, c->event_buffer & ~value},
        {TRIGGER_MASK, &b->trigger_mask, value},
        {BARRIER_STATUS, &b->status, value},
        {TARGET_MASK, &b->target_mask, value},
        {TRIGGER, &b->status, b->status | value},
        {TRIGGER_SELF, &b->status, b->status | 1u << c->id},
    };
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        if (registers[i].offset == where) {
            *registers[i].target = registers[i].value;
            if (found != NULL) {
                barrier_check(s, found, c->cycle);
            }
            return true;
        }
    }
    return refuse(s, c, offset, "no such register for a store");
}

static step wait_for_event(sim *s, core *c, uint32_t rd, bool clears) {
    c->wait_rd = rd;
    c->wait_clears = clears;
    core_sleep(s, c, CORE_EVENT_WAIT);
    if ((c->event_buffer & c->event_mask) != 0) {
        complete_wait(s, c, c->cycle);
    }
    return STEP_SLEEP;
}

static step lock_mutex(sim *s, core *c, mutex *m, uint32_t rd) {
    if (!m->locked) {
        m->locked = true;
        c->x[rd] = 0;
        return STEP_OK;
    }
    if ((c->event_mask >> MUTEX_EVENT & 1) == 0) {
        return refuse(s, c, c->wait_register, "the core would wait with the mutex event masked");
    }
    m->waiting |= 1u << c->id;
    c->wait_rd = rd;
    return core_sleep(s, c, CORE_MUTEX_WAIT);
}

// p.elw: `offset` from the demultiplexer's base. The result goes to register rd at wake-up.
step event_unit_wait(sim *s, core *c, uint32_t offset, uint32_t rd) {
    uint32_t where = c->wait_register = offset;
    mutex *m = mutex_at(s, offset);
    barrier *b = barrier_at(s, &where);
    if (m != NULL) {
        return lock_mutex(s, c, m, rd);
    }
    if (b != NULL && (where == TRIGGER_WAIT || where == TRIGGER_WAIT_CLEAR)) {
        b->status |= 1u << c->id;
        barrier_check(s, b, c->cycle); // the last core to come wakes the others before itself
    } else if (where != EVENT_WAIT && where != EVENT_WAIT_CLEAR) {
        return refuse(s, c, offset, "no such register for p.elw");
    }
    return wait_for_event(s, c, rd, where == TRIGGER_WAIT_CLEAR || where == EVENT_WAIT_CLEAR);
}
