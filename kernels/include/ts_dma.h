/* SPDX-License-Identifier: Apache-2.0 */
/* Copies from far memory (GAP9: L2) into memory next to the cores while these compute. Provided by
 * targets that have both; every target says what is far. */
#ifndef TS_DMA_H
#define TS_DMA_H

#include <stdint.h>

/* Memory that cores reach slowly begins here; a symbol whose address alone means anything. */
extern const uint8_t ts_dma_far_start[];

/* Whether `address` is in memory that cores reach slowly. */
static inline int ts_dma_is_far(const void *address) {
    return (uintptr_t)address >= (uintptr_t)ts_dma_far_start;
}

/* A group of copies; only the core that begins it may add to it and wait for it. */
typedef uint32_t ts_dma_group;

ts_dma_group ts_dma_begin(void);

/* `bytes` below 2^17; any alignment. */
void ts_dma_copy(ts_dma_group group, void *near_to, const void *far_from, uint32_t bytes);

/* Begins a group with two copies, the second directly behind the first. */
ts_dma_group ts_dma_begin_two(void *near_to, const void *first, uint32_t first_bytes,
                              const void *second, uint32_t second_bytes);

/* Returns when all copies of the group are done; the group is then no more. */
void ts_dma_wait(ts_dma_group group);

#endif
