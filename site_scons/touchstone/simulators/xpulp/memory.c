// SPDX-License-Identifier: Apache-2.0
// The bus: L1 and L2 here, everything else in peripherals.c. Aligned L1 accesses of cluster cores
// do not come here, execute.c does them in line.
#include "xpulp.h"

#include <stdarg.h>
#include <string.h>

bool fault(sim *s, const core *c, const char *kind, const uint32_t *address, const char *format,
           ...) {
    if (s->status == RUNNING) { // only the first fault counts
        s->status = FAULT;
        s->fault = (fault_record){.kind = kind, .core = c->id, .pc = core_pc(c)};
        s->fault.has_address = address != NULL;
        s->fault.address = address != NULL ? *address : 0;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(s->fault.detail, sizeof s->fault.detail, format, arguments);
        va_end(arguments);
    }
    return false;
}

region *region_find(sim *s, uint32_t address) {
    if (address - L2_BASE < L2_SIZE) {
        return &s->l2;
    }
    return address - L1_BASE < s->l1.size ? &s->l1 : NULL;
}

// Host address of `bytes` bytes, or NULL if they do not lie in one memory.
uint8_t *memory_span(sim *s, uint32_t address, uint32_t bytes) {
    region *r = region_find(s, address);
    bool fits = r != NULL && bytes <= r->size - (address - r->base);
    return fits ? r->bytes + (address - r->base) : NULL;
}

// Whether a byte belongs to an instruction that was decoded; the first one's may begin before.
bool hits_code(const region *r, uint32_t offset, uint32_t bytes) {
    uint32_t first = offset / 2, last = (offset + bytes - 1) / 2;
    bool may =
        r->has_code[2 * first >> CODE_BLOCK_BITS] || r->has_code[2 * last >> CODE_BLOCK_BITS];
    bool hits = may && first > 0 && r->code[first - 1].half == 2;
    for (uint32_t i = first; may && !hits && i <= last; i++) {
        hits = r->code[i].half != 0;
    }
    return hits;
}

// Checks that the access lies in `r` and charges its cycles.
static step charge(sim *s, core *c, const region *r, uint32_t address, uint32_t bytes, bool store) {
    const char *what = store ? "store" : "load";
    if (s->guards.on && !guards_allow(s, c, address, bytes, what)) {
        return STEP_STOP;
    }
    if (bytes > r->size - (address - r->base)) {
        return fault(s, c, "memory-access", &address, "%s of %u bytes crosses the end of %s", what,
                     (unsigned)bytes, r == &s->l1 ? "L1" : "L2");
    }
    uint32_t cost = c->id == FC   ? s->timing->fc_memory
                    : r == &s->l1 ? s->timing->l1
                                  : s->timing->l2;
    bool crosses = (address & 3) + bytes > 4;
    // As in GVSOC a core waits for the second half of a load, not for that of a store.
    uint32_t second = !crosses ? 0 : store ? 1 : cost;
    if (s->model_conflicts && r == &s->l1 && c->id != FC) {
        uint64_t wait = bank_delay(s, address - r->base + (c->split ? 4 : 0), c->cycle);
        if (crosses && !c->split) { // its second half has its own turn, after these stalls
            c->split = true;
            c->cycle += wait + cost + c->late;
            c->late = c->pending = 0;
            return STEP_SPLIT;
        }
        c->cycle += c->split && store ? 0 : wait;
        c->split = false;
        second = 0;
    }
    c->cycle += cost - 1 + second;
    return STEP_OK;
}

step bus_access(sim *s, core *c, uint32_t address, uint32_t bytes, bool store, uint32_t *value) {
    region *r = region_find(s, address);
    if (r == NULL) {
        return peripheral_access(s, c, address, bytes, store, value);
    }
    uint32_t offset = address - r->base, half = 4 - (address & 3);
    uint32_t first = c->split ? half : 0; // bytes that were moved in an earlier cycle
    step result = charge(s, c, r, address, bytes, store);
    if (result == STEP_STOP) {
        return result;
    }
    if (store && hits_code(r, offset, bytes)) {
        return fault(s, c, "code-write", &address, "store to an instruction that was executed");
    }
    uint32_t count = (result == STEP_SPLIT ? half : bytes) - first;
    uint8_t *memory = r->bytes + offset + first;
    if (store) {
        memcpy(memory, (const uint8_t *)value + first, count);
    } else {
        c->loaded = first != 0 ? c->loaded : 0;
        memcpy((uint8_t *)&c->loaded + first, memory, count);
        *value = c->loaded;
    }
    return result;
}
