/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_STACK_H
#define TS_COMMON_STACK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Stack use is found by painting: the unused part of a core's stack is filled with a pattern, and
 * the lowest word that lost it is the deepest use. Core k's stack is the k-th from
 * __ts_stacks_start, each ts_stack_bytes_per_core long.
 */

/* Paints the calling core's stack below its own frame. `core` is the calling core. */
void ts_stack_paint(uint32_t core);

/* Bytes of a painted stack in use at the deepest point, counted down from address `from`. */
uint32_t ts_stack_used(uint32_t core, uintptr_t from);

/* The address one past the core's stack. */
uintptr_t ts_stack_top(uint32_t core);

/* Whether the stack's very last word was used: then more may have been. */
bool ts_stack_overflowed(uint32_t core);

#endif
