/* SPDX-License-Identifier: Apache-2.0 */
#include "guards.h"

#include "semihost.h"

enum { HEADER_WORDS = 3 };

/* The linker script's ARENA region. */
extern uint8_t __ts_arena_start[];
extern uint8_t __ts_arena_end[];

void ts_guards_announce(const ts_arena *arena, bool begin) {
    uint32_t block[HEADER_WORDS + 2 * (TS_MAX_OPERANDS + 1)];
    block[0] = (uint32_t)(uintptr_t)__ts_arena_start;
    block[1] = (uint32_t)(__ts_arena_end - __ts_arena_start);
    block[2] = arena->count;
    for (uint32_t i = 0; i < arena->count; i++) {
        block[HEADER_WORDS + 2 * i] = (uint32_t)(uintptr_t)arena->start[i];
        block[HEADER_WORDS + 2 * i + 1] = arena->bytes[i];
    }
    /* The simulator reads what the compiler believes nobody does. */
    __asm__ volatile("" ::"r"(block) : "memory");
    ts_semihost(TS_SYS_GUARDS, begin ? block : (const void *)0);
}
