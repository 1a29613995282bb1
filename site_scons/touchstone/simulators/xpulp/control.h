// SPDX-License-Identifier: Apache-2.0
// What execute.c checks where the flow of instructions or the stack pointer changes.
#ifndef XPULP_CONTROL_H
#define XPULP_CONTROL_H

#include "xpulp.h"

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

static inline void set_loop_end(sim *s, core *c, uint32_t loop, uint32_t address) {
    c->lpend[loop] = address;
    mark_loop_end(s, address);
}

// Region of a jump target, or NULL with the fault recorded.
static inline region *jump_region(sim *s, core *c, uint32_t target) {
    region *r = region_find(s, target);
    if ((target & 1) != 0) {
        fault(s, c, "misaligned-jump", &target, "jump to an odd address");
        return NULL;
    }
    if (r == NULL) {
        c->pc = target;
        fault(s, c, "instruction-fetch", &target, "no memory at this address");
    }
    return r;
}

// A core that has set its stack pointer into its own stack may not move it out again.
static inline bool stack_moves(sim *s, core *c, uint32_t to) {
    uint32_t low = s->stack_base + c->id * s->stack_bytes;
    if (c->id == FC || to - low <= s->stack_bytes) {
        c->has_stack = true;
        return true;
    }
    if (c->has_stack && c->id != FC) {
        fault(s, c, "stack-overflow", &to, "the stack of core %u is 0x%08x..0x%08x",
              (unsigned)c->id, (unsigned)low, (unsigned)(low + s->stack_bytes));
    }
    return !c->has_stack;
}

#endif
