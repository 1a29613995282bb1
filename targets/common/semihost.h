/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_SEMIHOST_H
#define TS_COMMON_SEMIHOST_H

#include <stdint.h>

/* Semihosting: the debugger or simulator carries out `operation`. Provided by the target. */
int32_t ts_semihost(uint32_t operation, const void *arguments);

/* The operations in use, as "Semihosting for AArch32 and AArch64" numbers them. */
enum { TS_SYS_OPEN = 0x01, TS_SYS_WRITE = 0x05, TS_SYS_EXIT_EXTENDED = 0x20 };

/* Ours, from the range that is left to applications: see guards.h. */
enum { TS_SYS_GUARDS = 0x101 };

#endif
