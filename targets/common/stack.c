/* SPDX-License-Identifier: Apache-2.0 */
#include "stack.h"

/* Symbols of the linker script; of the second one only the address means anything. */
extern uint8_t __ts_stacks_start[];
extern const char ts_stack_bytes_per_core[];

enum { PATTERN = 0x5AC35AC3 };

/* Room for the painting function's own frame. */
enum { MARGIN = 32 };

static uint32_t *bottom(uint32_t core) {
    const uint32_t bytes = (uint32_t)(uintptr_t)ts_stack_bytes_per_core;
    return (uint32_t *)(__ts_stacks_start + core * bytes);
}

uintptr_t ts_stack_top(uint32_t core) { return (uintptr_t)bottom(core + 1); }

__attribute__((noinline)) void ts_stack_paint(uint32_t core) {
    const uintptr_t limit = (uintptr_t)__builtin_frame_address(0) - MARGIN;
    for (volatile uint32_t *at = bottom(core); (uintptr_t)at < limit; at++) {
        *at = PATTERN;
    }
}

uint32_t ts_stack_used(uint32_t core, uintptr_t from) {
    const uint32_t *at = bottom(core);
    while ((uintptr_t)at < from && *at == PATTERN) {
        at++;
    }
    return (uint32_t)(from - (uintptr_t)at);
}

bool ts_stack_overflowed(uint32_t core) { return *bottom(core) != PATTERN; }
