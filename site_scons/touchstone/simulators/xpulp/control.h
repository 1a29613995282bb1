// SPDX-License-Identifier: Apache-2.0
// What execute.c checks where the flow of instructions or the stack pointer changes.
#ifndef XPULP_CONTROL_H
#define XPULP_CONTROL_H

#include "xpulp.h"

static inline bool holds_code(const region *r, uint32_t address) {
    return address - r->base < r->size && (address & 1) == 0;
}

static inline bool ends_loop(const core *c, uint32_t pc) {
    return (c->lpcount[0] != 0 && c->lpend[0] == pc) || (c->lpcount[1] != 0 && c->lpend[1] == pc);
}

// At the end address of a loop: true if the next instruction is at *target.
static inline bool loop_back(core *c, uint32_t pc, uint32_t *target) {
    for (int i = 0; i < 2; i++) { // loop 0 has priority
        if (c->lpcount[i] != 0 && c->lpend[i] == pc && --c->lpcount[i] != 0) {
            *target = c->lpstart[i];
            return true;
        }
    }
    return false;
}

static inline uint32_t set_loop_end(sim *s, core *c, uint32_t loop, uint32_t address) {
    mark_loop_end(s, address);
    return c->lpend[loop] = address;
}

static inline uint32_t set_loop(sim *s, core *c, uint32_t loop, uint32_t pc, uint32_t end,
                                uint32_t count) {
    c->lpstart[loop] = pc + 4;
    set_loop_end(s, c, loop, pc + end);
    return c->lpcount[loop] = count;
}

// Fetching a 32-bit instruction that crosses a word costs the RTL a second access.
static inline uint32_t split_target(sim *s, uint32_t target) {
    const region *r = region_find(s, target);
    bool crosses = (target & 2) != 0 && (r->bytes[target - r->base] & 3) == 3;
    return crosses ? s->timing->split_target : 0;
}

// A core that has set its stack pointer into its own stack may not move it out again.
static inline bool move_stack(sim *s, core *c, uint32_t to) {
    uint32_t low = s->stack_base + c->id * s->stack_bytes;
    bool within = c->id == FC || to - low <= s->stack_bytes;
    if (c->has_stack && !within) {
        return fault(s, c, "stack-overflow", &to, "the stack of core %u is 0x%08x..0x%08x",
                     (unsigned)c->id, (unsigned)low, (unsigned)(low + s->stack_bytes));
    }
    c->has_stack = within;
    c->x[STACK_POINTER] = to;
    return true;
}

#endif
