/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_GUARDS_H
#define TS_COMMON_GUARDS_H

#include <stdbool.h>

#include "arena.h"

/*
 * Tells a simulator that traps accesses beyond operands where they lie, and when that begins and
 * ends to matter. Only for jobs with TS_JOB_ANNOUNCES: other simulators do not know the operation.
 *
 * The block: the arena's start and bytes, the number of slots, start and bytes of each slot.
 */
void ts_guards_announce(const ts_arena *arena, bool begin);

#endif
