// SPDX-License-Identifier: Apache-2.0
// The cluster DMA (MCHAN 7) between L2 and L1, behind each core's demultiplexer. A core allocates
// a counter, then writes commands word by word: size and flags, L1 address, L2 address and, for a
// transfer whose L2 side is two-dimensional, the bytes of a line and the distance of two lines.
// Commands pass through a queue per core into one queue per direction; transfers are cut into
// bursts, bursts into words that four L1 ports move, two per direction, one word a cycle each. As
// in GVSOC, L2 costs the DMA no time and what happens here comes after the cores of that cycle.
#include "xpulp.h"

#include <stdlib.h>
#include <string.h>

enum {
    COUNTERS = 16,
    CHANNELS = 10, // that share the path to the global queues; only those of the cores exist here
    CORE_QUEUE = 2,
    GLOBAL_QUEUE = 8,
    READ_BURSTS = 8,
    BURST_BYTES = 256,
    PORTS = 4, // 0 and 1 write L1, 2 and 3 read it
    TRANSFERS = 64,
    EVENT = 8, // number in the event unit
    COMMAND = 0,
    STATUS = 4
};

enum {
    LENGTH_MASK = 0x1ffff,
    TO_L1 = 1 << 17,
    INCREMENT = 1 << 18,
    TWO_DIMENSIONAL = 1 << 19,
    SIGNAL = 1 << 20,
    BROADCAST = 1 << 22,
    KNOWN = LENGTH_MASK | TO_L1 | INCREMENT | TWO_DIMENSIONAL | SIGNAL | BROADCAST
};

typedef struct {
    bool used;
    uint32_t flags, core, counter;
    uint32_t l1, l2, row; // next addresses; where the current line starts in L2
    uint32_t line, line_left, stride;
    uint32_t unsent; // bytes that are in no burst yet
} transfer;

typedef struct {
    uint8_t items[GLOBAL_QUEUE];
    uint32_t count;
} queue;

typedef struct {
    uint32_t transfer, l1, l2, bytes, done;
} burst;

// What the parts wait for; each happens at most once a cycle, in the order it was asked for.
typedef enum { MOVE, SEND_TO_L1, SEND_TO_L2, PORTS_FREE, ACTIVITIES } activity;

struct dma {
    transfer transfers[TRANSFERS];
    uint32_t words[CLUSTER_CORES][5], word_count[CLUSTER_CORES], counter[CLUSTER_CORES];
    queue waiting[CLUSTER_CORES]; // commands in a core's queue
    queue global[2];              // to L2, to L1
    int32_t current[2];           // transfer that is being cut into bursts, -1 if none
    burst incoming[READ_BURSTS], outgoing;
    uint32_t incoming_count;
    bool outgoing_valid;
    uint32_t allocated, next_channel;
    uint64_t pending[COUNTERS]; // bytes
    uint64_t port_free[PORTS];
    uint64_t at[ACTIVITIES], order[ACTIVITIES], asked;
};

bool dma_allocate(sim *s) {
    s->dma = calloc(1, sizeof *s->dma);
    if (s->dma != NULL) {
        s->dma->current[0] = s->dma->current[1] = -1;
        memset(s->dma->at, 0xff, sizeof s->dma->at);
    }
    return s->dma != NULL;
}

void dma_free(sim *s) { free(s->dma); }

bool dma_complete(sim *s, const core *c, const char *when) {
    for (uint32_t i = 0; i < COUNTERS; i++) {
        if (s->dma->pending[i] != 0) {
            fault(s, c, "dma-in-flight", NULL, "counter %u still lacks %u bytes %s", (unsigned)i,
                  (unsigned)s->dma->pending[i], when);
            return false;
        }
    }
    return true;
}

static uint32_t waiting_for(const struct dma *d, bool to_l1) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        for (uint32_t k = 0; k < d->waiting[i].count; k++) {
            count += ((d->transfers[d->waiting[i].items[k]].flags & TO_L1) != 0) == to_l1;
        }
    }
    return count;
}

static void ask(struct dma *d, activity what, uint64_t at) {
    if (d->at[what] == UINT64_MAX) {
        d->at[what] = at;
        d->order[what] = d->asked++;
    }
}

// Asks for whatever can go on, from the next cycle.
static void arm(sim *s, uint64_t now) {
    struct dma *d = s->dma;
    bool room[2];
    for (uint32_t i = 0; i < 2; i++) {
        room[i] = d->global[i].count < GLOBAL_QUEUE && waiting_for(d, i) != 0;
    }
    if (room[0] || room[1]) {
        ask(d, MOVE, now + 1);
    }
    if (d->current[1] < 0 ? d->global[1].count != 0 : d->incoming_count < READ_BURSTS) {
        ask(d, SEND_TO_L1, now + 1);
    }
    if (d->current[0] < 0 ? d->global[0].count != 0 : !d->outgoing_valid) {
        ask(d, SEND_TO_L2, now + 1);
    }
    if (d->incoming_count != 0 || d->outgoing_valid) {
        uint64_t first = UINT64_MAX;
        for (uint32_t i = 0; i < PORTS; i++) {
            first = d->port_free[i] < first ? d->port_free[i] : first;
        }
        ask(d, PORTS_FREE, first > now ? first : now + 1);
    }
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < ACTIVITIES; i++) {
        next = d->at[i] < next ? d->at[i] : next;
    }
    schedule_dma(s, next);
}

static uint8_t take(queue *q, uint32_t index) {
    uint8_t item = q->items[index];
    memmove(q->items + index, q->items + index + 1, --q->count - index);
    return item;
}

// One command from the cores' queues to the global one; the channels take turns.
static void move(sim *s, uint64_t now, bool to_l1) {
    struct dma *d = s->dma;
    for (uint32_t i = 0; i < CHANNELS; i++) {
        uint32_t channel = (d->next_channel + i) % CHANNELS;
        for (uint32_t k = 0; channel < CLUSTER_CORES && k < d->waiting[channel].count; k++) {
            if (((d->transfers[d->waiting[channel].items[k]].flags & TO_L1) != 0) == to_l1) {
                queue *q = &d->global[to_l1];
                q->items[q->count++] = take(&d->waiting[channel], k);
                d->next_channel = (d->next_channel + 1) % CHANNELS;
                core *c = &s->cores[channel];
                if (c->state == CORE_DMA_QUEUE) {
                    core_wake(s, c, now);
                }
                return;
            }
        }
    }
}

static void move_one(sim *s, uint64_t now) {
    bool to_l1 = s->dma->global[1].count < GLOBAL_QUEUE && waiting_for(s->dma, true) != 0;
    if (to_l1 || s->dma->global[0].count < GLOBAL_QUEUE) {
        move(s, now, to_l1);
    }
}

// Cuts the next burst off the transfer at the head of a direction.
static void send(struct dma *d, bool to_l1) {
    if (d->current[to_l1] < 0 && d->global[to_l1].count != 0) {
        d->current[to_l1] = take(&d->global[to_l1], 0);
    }
    if (d->current[to_l1] < 0 || (to_l1 ? d->incoming_count == READ_BURSTS : d->outgoing_valid)) {
        return;
    }
    transfer *t = &d->transfers[d->current[to_l1]];
    uint32_t bytes = t->line_left < BURST_BYTES ? t->line_left : BURST_BYTES;
    burst b = {(uint32_t)d->current[to_l1], t->l1, t->l2, bytes, 0};
    if (to_l1) {
        d->incoming[d->incoming_count++] = b;
    } else {
        d->outgoing = b;
        d->outgoing_valid = true;
    }
    t->l1 += bytes;
    t->l2 += bytes;
    t->line_left -= bytes;
    t->unsent -= bytes;
    if (t->line_left == 0) {
        t->line_left = t->line;
        t->row += t->stride;
        t->l2 = t->row;
    }
    if (t->unsent == 0) {
        d->current[to_l1] = -1;
    }
}

static void account(sim *s, const transfer *t, uint32_t bytes, uint64_t now) {
    s->dma->pending[t->counter] -= bytes;
    if (s->dma->pending[t->counter] == 0 && (t->flags & SIGNAL) != 0) {
        uint32_t all = (1u << CLUSTER_CORES) - 1;
        event_unit_trigger(s, now, 1u << EVENT, (t->flags & BROADCAST) != 0 ? all : 1u << t->core);
    }
}

// Moves up to a word through a port.
static void use_port(sim *s, uint32_t port, burst *b, uint64_t now) {
    struct dma *d = s->dma;
    transfer *t = &d->transfers[b->transfer];
    bool to_l1 = port < PORTS / 2;
    uint32_t offset = b->l1 + b->done - L1_BASE, bytes = 4 - (offset & 3);
    bytes = bytes < b->bytes - b->done ? bytes : b->bytes - b->done;
    if (s->guards.on && !guards_allow(s, &s->cores[0], L1_BASE + offset, bytes, "DMA transfer")) {
        return;
    }
    uint8_t *inner = s->l1.bytes + offset, *outer = s->l2.bytes + (b->l2 + b->done - L2_BASE);
    memcpy(to_l1 ? inner : outer, to_l1 ? outer : inner, bytes);
    d->port_free[port] = now + 1 + (s->model_conflicts ? bank_delay(s, offset, now) : 0);
    b->done += bytes;
    bool complete = b->done == b->bytes;
    if (to_l1 || complete) {
        account(s, t, to_l1 ? bytes : b->bytes, now);
    }
    if (!complete) {
        return;
    }
    bool last = t->unsent == 0;
    for (uint32_t i = 1; to_l1 && i < d->incoming_count; i++) {
        last = last && d->incoming[i].transfer != b->transfer;
    }
    t->used = !last;
    if (to_l1) {
        memmove(d->incoming, d->incoming + 1, --d->incoming_count * sizeof *b);
    } else {
        d->outgoing_valid = false;
    }
}

static void use_ports(sim *s, uint64_t now) {
    struct dma *d = s->dma;
    for (uint32_t i = 0; i < PORTS; i++) {
        bool to_l1 = i < PORTS / 2;
        if (d->port_free[i] <= now && (to_l1 ? d->incoming_count != 0 : d->outgoing_valid)) {
            use_port(s, i, to_l1 ? &d->incoming[0] : &d->outgoing, now);
        }
    }
}

void dma_step(sim *s, uint64_t now) {
    struct dma *d = s->dma;
    for (;;) {
        activity next = ACTIVITIES;
        for (uint32_t i = 0; i < ACTIVITIES; i++) {
            if (d->at[i] == now && (next == ACTIVITIES || d->order[i] < d->order[next])) {
                next = (activity)i;
            }
        }
        if (next == ACTIVITIES) {
            return;
        }
        d->at[next] = UINT64_MAX;
        if (next == MOVE) {
            move_one(s, now);
        } else if (next == PORTS_FREE) {
            use_ports(s, now);
        } else {
            send(d, next == SEND_TO_L1);
        }
        arm(s, now);
    }
}

static step refuse(sim *s, core *c, const uint32_t *address, const char *what) {
    fault(s, c, "dma", address, "%s", what);
    return STEP_STOP;
}

// The whole extent of both sides has to lie in its memory.
static step check(sim *s, core *c, const transfer *t) {
    uint32_t bytes = t->flags & LENGTH_MASK;
    if ((t->flags & ~(uint32_t)KNOWN) != 0 || (t->flags & INCREMENT) == 0) {
        return refuse(s, c, NULL, "interrupts, 2-D in L1 and fixed addresses are not modelled");
    }
    if (bytes == 0 || t->line == 0 || bytes % t->line != 0) {
        return refuse(s, c, NULL, "an empty transfer, or one that is not of whole lines");
    }
    if (t->l1 - L1_BASE >= s->l1.size || bytes > s->l1.size - (t->l1 - L1_BASE)) {
        return refuse(s, c, &t->l1, "the transfer does not lie in L1");
    }
    uint64_t extent = (uint64_t)(bytes / t->line - 1) * t->stride + t->line;
    if (t->l2 - L2_BASE >= L2_SIZE || extent > L2_SIZE - (t->l2 - L2_BASE)) {
        return refuse(s, c, &t->l2, "the transfer does not lie in L2");
    }
    for (uint32_t i = 0; i < bytes; i++) {
        uint32_t outer = t->l2 + i / t->line * t->stride + i % t->line;
        uint32_t target = (t->flags & TO_L1) != 0 ? t->l1 + i : outer;
        const region *r = region_find(s, target);
        if (hits_code(r, target - r->base, 1)) {
            fault(s, c, "code-write", &target, "DMA onto an instruction that was executed");
            return STEP_STOP;
        }
    }
    return STEP_OK;
}

static step command_word(sim *s, core *c, uint32_t value) {
    struct dma *d = s->dma;
    uint32_t *words = d->words[c->id], *count = &d->word_count[c->id];
    if (d->waiting[c->id].count == CORE_QUEUE) { // the store is made again when there is room
        c->pending = 0;
        core_sleep(s, c, CORE_DMA_QUEUE);
        return STEP_SLEEP;
    }
    if ((d->allocated >> d->counter[c->id] & 1) == 0) {
        return refuse(s, c, NULL, "a command without an allocated counter");
    }
    words[(*count)++] = value;
    bool plane = (words[0] & TWO_DIMENSIONAL) != 0;
    if (*count < (plane ? 5 : 3)) {
        return STEP_OK;
    }
    *count = 0;
    uint32_t index = 0;
    while (d->transfers[index].used) { // there are more than the queues hold
        index++;
    }
    uint32_t bytes = words[0] & LENGTH_MASK;
    transfer *t = &d->transfers[index];
    *t = (transfer){.used = true, .flags = words[0], .core = c->id, .counter = d->counter[c->id]};
    t->l1 = words[1];
    t->l2 = t->row = words[2];
    t->line = t->line_left = plane ? words[3] : bytes;
    t->stride = plane ? words[4] : 0;
    t->unsent = bytes;
    if (check(s, c, t) != STEP_OK) {
        return STEP_STOP;
    }
    d->pending[t->counter] += bytes;
    queue *q = &d->waiting[c->id];
    q->items[q->count++] = (uint8_t)index;
    arm(s, c->cycle);
    return STEP_OK;
}

static void release(sim *s, core *c, uint32_t mask) {
    s->dma->allocated &= ~mask;
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        if (s->cores[i].state == CORE_DMA_COUNTER) { // one of them finds a counter
            core_wake(s, &s->cores[i], c->cycle);
        }
    }
}

step dma_store(sim *s, core *c, uint32_t offset, uint32_t value) {
    if (offset == COMMAND) {
        return command_word(s, c, value);
    }
    if (offset != STATUS) {
        return refuse(s, c, NULL, "no such register for a store");
    }
    for (uint32_t i = 0; i < COUNTERS; i++) {
        if ((value >> i & 1) != 0 && s->dma->pending[i] != 0) {
            return refuse(s, c, NULL, "a counter is freed while its transfers are in flight");
        }
    }
    release(s, c, value);
    return STEP_OK;
}

step dma_load(sim *s, core *c, uint32_t offset, uint32_t *value) {
    struct dma *d = s->dma;
    if (offset == STATUS) {
        *value = d->allocated << COUNTERS;
        for (uint32_t i = 0; i < COUNTERS; i++) {
            *value |= (uint32_t)(d->pending[i] != 0) << i;
        }
        return STEP_OK;
    }
    if (offset != COMMAND) {
        return refuse(s, c, NULL, "no such register for a load");
    }
    for (uint32_t i = 0; i < COUNTERS; i++) {
        if ((d->allocated >> i & 1) == 0) {
            d->allocated |= 1u << i;
            d->counter[c->id] = i;
            *value = i;
            return STEP_OK;
        }
    }
    c->pending = 0;
    core_sleep(s, c, CORE_DMA_COUNTER);
    return STEP_SLEEP;
}
