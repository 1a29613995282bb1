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
    GLOBAL_QUEUE = 8, // commands of a direction, and bursts to L1
    BURST_BYTES = 256,
    PORTS = 4, // the first two write L1, the others read it
    EVENT = 8, // number in the event unit
    COMMAND = 0,
    STATUS = 4
};

enum {
    LENGTH_MASK = 0x1ffff,
    INTO_L1 = 1 << 17,
    INCREMENT = 1 << 18,
    TWO_DIMENSIONAL = 1 << 19,
    SIGNAL = 1 << 20,
    BROADCAST = 1 << 22,
    KNOWN = LENGTH_MASK | INTO_L1 | INCREMENT | TWO_DIMENSIONAL | SIGNAL | BROADCAST
};

typedef enum { TO_L1, TO_L2, DIRECTIONS } direction;

// A transfer, of which l1, l2 and bytes are what is left, or a burst of it.
typedef struct {
    uint32_t flags, core, counter, l1, l2, bytes;
    uint32_t row, line, line_left, stride; // of L2: where the current line starts, its bytes
    uint32_t burst_bytes;
} transfer;

typedef struct {
    transfer items[GLOBAL_QUEUE];
    uint32_t count;
} queue;

// What the transfers of a direction go through.
typedef struct {
    uint32_t waiting; // commands in the cores' queues
    queue global;     // commands that have left them
    transfer current; // is being cut into bursts
    queue bursts;
} lane;

// What the parts wait for; each happens at most once a cycle, in the order it was asked for.
typedef enum { MOVE, SEND_TO_L1, SEND_TO_L2, PORTS_FREE, ACTIVITIES } activity;

struct dma {
    uint32_t words[CLUSTER_CORES][5], word_count[CLUSTER_CORES], counter[CLUSTER_CORES];
    queue waiting[CLUSTER_CORES]; // commands in a core's queue
    lane lanes[DIRECTIONS];
    uint32_t allocated, next_channel;
    uint64_t pending[COUNTERS]; // bytes
    uint64_t port_free[PORTS];
    uint64_t at[ACTIVITIES], order[ACTIVITIES], asked;
};

static const uint32_t burst_limit[DIRECTIONS] = {GLOBAL_QUEUE, 1};

static direction direction_of(const transfer *t) {
    return (t->flags & INTO_L1) != 0 ? TO_L1 : TO_L2;
}

bool dma_allocate(sim *s) {
    s->dma = calloc(1, sizeof *s->dma);
    if (s->dma != NULL) {
        memset(s->dma->at, 0xff, sizeof s->dma->at);
    }
    return s->dma != NULL;
}

bool dma_complete(sim *s, const core *c, const char *when) {
    for (uint32_t i = 0; i < COUNTERS; i++) {
        if (s->dma->pending[i] != 0) {
            return fault(s, c, "dma-in-flight", NULL, "counter %u still lacks %u bytes %s",
                         (unsigned)i, (unsigned)s->dma->pending[i], when);
        }
    }
    return true;
}

static void ask(struct dma *d, activity what, uint64_t at) {
    if (d->at[what] == UINT64_MAX) {
        d->at[what] = at;
        d->order[what] = d->asked++;
    }
}

static uint64_t least_of(const uint64_t *values, uint32_t count) {
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        least = values[i] < least ? values[i] : least;
    }
    return least;
}

static bool can_move(const lane *l) { return l->global.count < GLOBAL_QUEUE && l->waiting != 0; }

// Asks for whatever can go on, from the next cycle.
static void arm(sim *s, uint64_t now) {
    struct dma *d = s->dma;
    if (can_move(&d->lanes[TO_L1]) || can_move(&d->lanes[TO_L2])) {
        ask(d, MOVE, now + 1);
    }
    for (direction to = TO_L1; to < DIRECTIONS; to++) {
        const lane *l = &d->lanes[to];
        if (l->current.bytes == 0 ? l->global.count != 0 : l->bursts.count < burst_limit[to]) {
            ask(d, SEND_TO_L1 + to, now + 1);
        }
    }
    if (d->lanes[TO_L1].bursts.count != 0 || d->lanes[TO_L2].bursts.count != 0) {
        uint64_t first = least_of(d->port_free, PORTS);
        ask(d, PORTS_FREE, first > now ? first : now + 1);
    }
    schedule_dma(s, least_of(d->at, ACTIVITIES));
}

static transfer take(queue *q, uint32_t index) {
    transfer item = q->items[index];
    memmove(q->items + index, q->items + index + 1, (--q->count - index) * sizeof *q->items);
    return item;
}

// One command from the cores' queues to the global one; the channels take turns.
static void move(sim *s, uint64_t now) {
    struct dma *d = s->dma;
    direction to = can_move(&d->lanes[TO_L1]) ? TO_L1 : TO_L2;
    lane *l = &d->lanes[to];
    for (uint32_t i = 0; can_move(l) && i < CHANNELS; i++) {
        uint32_t channel = (d->next_channel + i) % CHANNELS;
        for (uint32_t k = 0; channel < CLUSTER_CORES && k < d->waiting[channel].count; k++) {
            if (direction_of(&d->waiting[channel].items[k]) == to) {
                l->global.items[l->global.count++] = take(&d->waiting[channel], k);
                l->waiting--;
                d->next_channel = (d->next_channel + 1) % CHANNELS;
                if (s->cores[channel].state == CORE_DMA_QUEUE) {
                    core_wake(s, &s->cores[channel], now);
                }
                return;
            }
        }
    }
}

static void advance(transfer *t, uint32_t bytes) {
    t->l1 += bytes;
    t->l2 += bytes;
    t->bytes -= bytes;
}

// Cuts the next burst off the transfer at the head of a direction.
static void send(struct dma *d, direction to) {
    lane *l = &d->lanes[to];
    transfer *t = &l->current;
    if (t->bytes == 0 && l->global.count != 0) {
        *t = take(&l->global, 0);
    }
    if (t->bytes == 0 || l->bursts.count == burst_limit[to]) {
        return;
    }
    transfer *b = &l->bursts.items[l->bursts.count++];
    *b = *t;
    b->bytes = b->burst_bytes = t->line_left < BURST_BYTES ? t->line_left : BURST_BYTES;
    advance(t, b->bytes);
    t->line_left -= b->bytes;
    if (t->line_left == 0) {
        t->line_left = t->line;
        t->l2 = t->row += t->stride;
    }
}

static void account(sim *s, const transfer *t, uint32_t bytes, uint64_t now) {
    s->dma->pending[t->counter] -= bytes;
    if (s->dma->pending[t->counter] == 0 && (t->flags & SIGNAL) != 0) {
        uint32_t all = (1u << CLUSTER_CORES) - 1;
        event_unit_trigger(s, now, 1u << EVENT, (t->flags & BROADCAST) != 0 ? all : 1u << t->core);
    }
}

// Moves up to a word of a direction's first burst through a port.
static void use_port(sim *s, uint64_t *port_free, queue *bursts, uint64_t now) {
    transfer *b = &bursts->items[0];
    bool to_l1 = direction_of(b) == TO_L1;
    uint32_t offset = b->l1 - L1_BASE, bytes = 4 - (offset & 3);
    bytes = bytes < b->bytes ? bytes : b->bytes;
    if (s->guards.on && !guards_allow(s, &s->cores[0], b->l1, bytes, "DMA transfer")) {
        return;
    }
    uint8_t *inner = s->l1.bytes + offset, *outer = s->l2.bytes + (b->l2 - L2_BASE);
    memcpy(to_l1 ? inner : outer, to_l1 ? outer : inner, bytes);
    *port_free = now + 1 + (s->model_conflicts ? bank_delay(s, offset, now) : 0);
    advance(b, bytes);
    if (to_l1 || b->bytes == 0) { // what goes to L2 counts when its burst is complete
        account(s, b, to_l1 ? bytes : b->burst_bytes, now);
    }
    if (b->bytes == 0) {
        take(bursts, 0);
    }
}

static void use_ports(sim *s, uint64_t now) {
    for (uint32_t i = 0; i < PORTS; i++) {
        queue *bursts = &s->dma->lanes[i < PORTS / 2 ? TO_L1 : TO_L2].bursts;
        if (s->dma->port_free[i] <= now && bursts->count != 0) {
            use_port(s, &s->dma->port_free[i], bursts, now);
        }
    }
}

void dma_step(sim *s, uint64_t now) {
    struct dma *d = s->dma;
    for (;;) {
        activity next = ACTIVITIES;
        for (activity i = MOVE; i < ACTIVITIES; i++) {
            if (d->at[i] == now && (next == ACTIVITIES || d->order[i] < d->order[next])) {
                next = i;
            }
        }
        if (next == ACTIVITIES) {
            return;
        }
        d->at[next] = UINT64_MAX;
        if (next == MOVE) {
            move(s, now);
        } else if (next == PORTS_FREE) {
            use_ports(s, now);
        } else {
            send(d, next == SEND_TO_L1 ? TO_L1 : TO_L2);
        }
        arm(s, now);
    }
}

static bool refuse(sim *s, core *c, const uint32_t *address, const char *what) {
    return fault(s, c, "dma", address, "%s", what);
}

// The whole extent of both sides has to lie in its memory.
static bool check(sim *s, core *c, const transfer *t) {
    uint32_t bytes = t->bytes;
    bool to_l1 = direction_of(t) == TO_L1;
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
    const region *r = to_l1 ? &s->l1 : &s->l2;
    for (uint32_t i = 0; i < bytes; i++) {
        uint32_t outer = t->l2 + i / t->line * t->stride + i % t->line;
        uint32_t target = to_l1 ? t->l1 + i : outer;
        if (hits_code(r, target - r->base, 1)) {
            return fault(s, c, "code-write", &target, "DMA onto an instruction that was executed");
        }
    }
    return true;
}

static bool start(sim *s, core *c, const uint32_t *words) {
    struct dma *d = s->dma;
    bool plane = (words[0] & TWO_DIMENSIONAL) != 0;
    transfer t = {.flags = words[0], .core = c->id, .counter = d->counter[c->id]};
    t.bytes = words[0] & LENGTH_MASK;
    t.l1 = words[1];
    t.l2 = t.row = words[2];
    t.line = t.line_left = plane ? words[3] : t.bytes;
    t.stride = plane ? words[4] : 0;
    if (!check(s, c, &t)) {
        return false;
    }
    queue *q = &d->waiting[c->id];
    q->items[q->count++] = t;
    d->lanes[direction_of(&t)].waiting++;
    d->pending[t.counter] += t.bytes;
    arm(s, c->cycle);
    return true;
}

static step wait_here(sim *s, core *c, core_state state) { // the access is made again
    c->pending = 0;
    return core_sleep(s, c, state);
}

static step command_word(sim *s, core *c, uint32_t value) {
    struct dma *d = s->dma;
    uint32_t *words = d->words[c->id], *count = &d->word_count[c->id];
    if (d->waiting[c->id].count == CORE_QUEUE) {
        return wait_here(s, c, CORE_DMA_QUEUE);
    }
    if ((d->allocated >> d->counter[c->id] & 1) == 0) {
        return refuse(s, c, NULL, "a command without an allocated counter");
    }
    words[(*count)++] = value;
    if (*count < ((words[0] & TWO_DIMENSIONAL) != 0 ? 5 : 3)) {
        return STEP_OK;
    }
    *count = 0;
    return start(s, c, words);
}

static uint32_t busy_counters(const struct dma *d) {
    uint32_t busy = 0;
    for (uint32_t i = 0; i < COUNTERS; i++) {
        busy |= (uint32_t)(d->pending[i] != 0) << i;
    }
    return busy;
}

static bool free_counters(sim *s, core *c, uint32_t mask) {
    if ((mask & busy_counters(s->dma)) != 0) {
        return refuse(s, c, NULL, "a counter is freed while its transfers are in flight");
    }
    s->dma->allocated &= ~mask;
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        if (s->cores[i].state == CORE_DMA_COUNTER) { // one of them finds a counter
            core_wake(s, &s->cores[i], c->cycle);
        }
    }
    return true;
}

static step allocate_counter(sim *s, core *c, uint32_t *value) {
    uint32_t free = ~s->dma->allocated & ((1u << COUNTERS) - 1);
    if (free == 0) {
        return wait_here(s, c, CORE_DMA_COUNTER);
    }
    s->dma->counter[c->id] = *value = (uint32_t)__builtin_ctz(free);
    s->dma->allocated |= 1u << *value;
    return STEP_OK;
}

step dma_access(sim *s, core *c, uint32_t offset, bool store, uint32_t *value) {
    if (offset == COMMAND) {
        return store ? command_word(s, c, *value) : allocate_counter(s, c, value);
    }
    if (offset != STATUS) {
        return refuse(s, c, NULL, "no such register");
    }
    if (store) {
        return free_counters(s, c, *value);
    }
    *value = s->dma->allocated << COUNTERS | busy_counters(s->dma);
    return STEP_OK;
}
