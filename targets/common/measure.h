/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_MEASURE_H
#define TS_COMMON_MEASURE_H

#include "ts_job.h"

/* One call of the kernel on the whole team. */
typedef struct {
    uint32_t cycles;    /* 0 if not timed. */
    uintptr_t stack_at; /* Core 0's stack pointer or close above it at the call. */
} ts_call;

/* Calls the kernel without reading the cycle counter, and looks at the registers (registers.h). */
ts_call ts_call_untimed(const ts_team *team, const ts_case *c);

/*
 * Calls the kernel and counts cycles, from the moment the team is released to core 0's return from
 * the final barrier. Nothing else happens in between.
 */
ts_call ts_call_timed(const ts_team *team, const ts_case *c);

#endif
