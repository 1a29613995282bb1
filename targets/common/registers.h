/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_REGISTERS_H
#define TS_COMMON_REGISTERS_H

#include "ts_job.h"

/*
 * ts_job_run(team, c) on core 0 with a pattern of its own in every register that the machine's
 * calling convention has the callee keep, which are looked at afterwards: what the caller keeps
 * there is lost otherwise, though only a caller that uses the register ever notices. Returns only
 * if all are as they were. Uses no stack, so that the kernel's use of it stays what is measured.
 * Provided by the target.
 */
void ts_registers_call(const ts_team *team, const ts_case *c);

/* Says which register was not kept, and ends the program: nobody knows what the rest is worth. */
_Noreturn void ts_registers_lost(const char *name);

#endif
