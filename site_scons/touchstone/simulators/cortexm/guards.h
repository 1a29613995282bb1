// SPDX-License-Identifier: Apache-2.0
/// \file
/// Traps accesses beyond operands: the firmware says where they lie before it calls a kernel, and
/// that they no longer matter after it (targets/common/guards.h has the same block).
#ifndef TOUCHSTONE_CORTEXM_GUARDS_H
#define TOUCHSTONE_CORTEXM_GUARDS_H

#include "machine.h"

/// The firmware's call: `block` is the address of its announcement, 0 ends the watch.
void guards_announced(Machine *machine, uint32_t block);

/// Put the hook in place, where traps are asked for: every access then costs a call.
uc_err guards_hook(Machine *machine);

#endif
