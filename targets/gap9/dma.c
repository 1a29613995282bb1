/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster's DMA (MCHAN), through the window that each core has of its own. On a GAP9 the window
 * lies 0x800 behind the event unit's, in PULP's open SoC 0x400. */
#include "ts_dma.h"

enum { QUEUE = 0x10204400, STATUS = 0x10204404 };
enum { TO_L1 = 1 << 17, INCREMENT = 1 << 18 };

/* L2. */
__asm__(".globl ts_dma_far_start\n.set ts_dma_far_start, 0x1C000000");

static volatile uint32_t *reg(uint32_t address) { return (volatile uint32_t *)(uintptr_t)address; }

ts_dma_group ts_dma_begin(void) { return *reg(QUEUE); }

void ts_dma_copy(ts_dma_group group, void *near_to, const void *far_from, uint32_t bytes) {
    (void)group; /* commands belong to the counter that this core took last */
    *reg(QUEUE) = bytes | TO_L1 | INCREMENT;
    *reg(QUEUE) = (uint32_t)(uintptr_t)near_to;
    *reg(QUEUE) = (uint32_t)(uintptr_t)far_from;
}

ts_dma_group ts_dma_begin_two(void *near_to, const void *first, uint32_t first_bytes,
                              const void *second, uint32_t second_bytes) {
    const uint32_t to = (uint32_t)(uintptr_t)near_to;
    const ts_dma_group group = *reg(QUEUE);
    *reg(QUEUE) = first_bytes | TO_L1 | INCREMENT;
    *reg(QUEUE) = to;
    *reg(QUEUE) = (uint32_t)(uintptr_t)first;
    *reg(QUEUE) = second_bytes | TO_L1 | INCREMENT;
    *reg(QUEUE) = to + first_bytes;
    *reg(QUEUE) = (uint32_t)(uintptr_t)second;
    return group;
}

void ts_dma_wait(ts_dma_group group) {
    while (*reg(STATUS) & 1u << group) {
    }
    *reg(STATUS) = 1u << group;
    __asm__ volatile("" ::: "memory");
}
