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
    TRIGGER_MASK = 0x00,
    BARRIER_STATUS = 0x04,
    TARGET_MASK = 0x0c,
    TRIGGER = 0x10,
    TRIGGER_SELF = 0x14,
    TRIGGER_WAIT = 0x18,
    TRIGGER_WAIT_CLEAR = 0x1c,
    BARRIER_EVENT = 16,
    MUTEX_EVENT = 17
};

static step refuse(sim *s, core *c, uint32_t offset, const char *what) {
    fault(s, c, "unmodelled-register", NULL, "event unit offset 0x%03x: %s", (unsigned)offset,
          what);
    return STEP_STOP;
}

static void complete_wait(sim *s, core *c, uint64_t now) {
    uint32_t value = c->event_buffer & c->event_mask;
    if (c->wait_clears) {
        c->event_buffer &= ~c->event_mask;
    }
    c->x[c->wait_rd] = value;
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

static barrier *barrier_at(sim *s, uint32_t offset) {
    uint32_t number = (offset - BARRIER_AREA) / BARRIER_BYTES;
    return offset >= BARRIER_AREA && number < BARRIERS ? &s->barriers[number] : NULL;
}

static mutex *mutex_at(sim *s, uint32_t offset) {
    uint32_t number = (offset - MUTEX_AREA) / 4;
    return offset >= MUTEX_AREA && number < MUTEXES ? &s->mutexes[number] : NULL;
}

step event_unit_load(sim *s, core *c, uint32_t offset, uint32_t *value) {
    const barrier *b = barrier_at(s, offset);
    if (b != NULL) {
        switch (offset % BARRIER_BYTES) {
        case TRIGGER_MASK:
            *value = b->trigger_mask;
            return STEP_OK;
        case BARRIER_STATUS:
            *value = b->status;
            return STEP_OK;
        case TARGET_MASK:
            *value = b->target_mask;
            return STEP_OK;
        default:
            return refuse(s, c, offset, "no such register for a plain load");
        }
    }
    switch (offset) {
    case MASK:
        *value = c->event_mask;
        return STEP_OK;
    case BUFFER:
        *value = c->event_buffer;
        return STEP_OK;
    case BUFFER_MASKED:
        *value = c->event_buffer & c->event_mask;
        return STEP_OK;
    case IRQ_MASK:
        *value = 0;
        return STEP_OK;
    default:
        return refuse(s, c, offset, "no such register for a plain load");
    }
}

static step barrier_store(sim *s, core *c, barrier *b, uint32_t offset, uint32_t value) {
    switch (offset % BARRIER_BYTES) {
    case TRIGGER_MASK:
        b->trigger_mask = value;
        break;
    case BARRIER_STATUS:
        b->status = value;
        break;
    case TARGET_MASK:
        b->target_mask = value;
        break;
    case TRIGGER:
        b->status |= value;
        break;
    case TRIGGER_SELF:
        b->status |= 1u << c->id;
        break;
    default:
        return refuse(s, c, offset, "no such register for a store");
    }
    barrier_check(s, b, c->cycle);
    return STEP_OK;
}

static void mutex_unlock(sim *s, mutex *m, uint32_t value, uint64_t now) {
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        if ((m->waiting >> i & 1) != 0) { // the mutex passes to the lowest waiting core
            m->waiting &= ~(1u << i);
            s->cores[i].x[s->cores[i].wait_rd] = value;
            core_wake(s, &s->cores[i], now + s->timing->event_wait);
            return;
        }
    }
    m->locked = false;
}

step event_unit_store(sim *s, core *c, uint32_t offset, uint32_t value) {
    barrier *b = barrier_at(s, offset);
    if (b != NULL) {
        return barrier_store(s, c, b, offset, value);
    }
    mutex *m = mutex_at(s, offset);
    if (m != NULL) {
        mutex_unlock(s, m, value, c->cycle);
        return STEP_OK;
    }
    if (offset >= SOFTWARE_AREA && offset < SOFTWARE_AREA + 4 * SOFTWARE_EVENTS) {
        event_unit_trigger(s, c->cycle, 1u << (offset - SOFTWARE_AREA) / 4, value);
        return STEP_OK;
    }
    switch (offset) {
    case MASK:
        c->event_mask = value;
        return STEP_OK;
    case MASK_AND:
        c->event_mask &= ~value;
        return STEP_OK;
    case MASK_OR:
        c->event_mask |= value;
        return STEP_OK;
    case BUFFER_CLEAR:
        c->event_buffer &= ~value;
        return STEP_OK;
    case IRQ_MASK:
    case IRQ_MASK_OR:
        return value == 0 ? STEP_OK : refuse(s, c, offset, "interrupts are not modelled");
    case IRQ_MASK_AND:
        return STEP_OK;
    default:
        return refuse(s, c, offset, "no such register for a store");
    }
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

// p.elw: `offset` from the demultiplexer's base. The result goes to register rd at wake-up.
step event_unit_wait(sim *s, core *c, uint32_t offset, uint32_t rd) {
    c->wait_register = offset;
    barrier *b = barrier_at(s, offset);
    uint32_t which = offset % BARRIER_BYTES;
    if (b != NULL && (which == TRIGGER_WAIT || which == TRIGGER_WAIT_CLEAR)) {
        b->status |= 1u << c->id;
        barrier_check(s, b, c->cycle); // the last core to come wakes the others before itself
        return wait_for_event(s, c, rd, which == TRIGGER_WAIT_CLEAR);
    }
    mutex *m = mutex_at(s, offset);
    if (m != NULL) {
        if (!m->locked) {
            m->locked = true;
            c->x[rd] = 0;
            return STEP_OK;
        }
        if ((c->event_mask >> MUTEX_EVENT & 1) == 0) {
            return refuse(s, c, offset, "the core would wait with the mutex event masked");
        }
        m->waiting |= 1u << c->id;
        c->wait_rd = rd;
        core_sleep(s, c, CORE_MUTEX_WAIT);
        return STEP_SLEEP;
    }
    if (offset == EVENT_WAIT || offset == EVENT_WAIT_CLEAR) {
        return wait_for_event(s, c, rd, offset == EVENT_WAIT_CLEAR);
    }
    return refuse(s, c, offset, "no such register for p.elw");
}
