// SPDX-License-Identifier: Apache-2.0
/// \file
/// The private peripheral registers that firmware needs without an operating system:
/// identification, FPU and cache switches, and the cycle counter of the DWT. No interrupts, no
/// SysTick, no MPU: an access to anything else is a fault.
#ifndef TOUCHSTONE_CORTEXM_SYSTEM_REGISTERS_H
#define TOUCHSTONE_CORTEXM_SYSTEM_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

// Not enumerators: those are of type int.
#define SYSTEM_DWT_PAGE 0xE0001000U
#define SYSTEM_SCS_PAGE 0xE000E000U

enum { SYSTEM_PAGE_BYTES = 4096, SYSTEM_REGISTER_COUNT = 48 };

typedef struct {
    uint32_t values[SYSTEM_REGISTER_COUNT]; ///< by row of the register table
    uint64_t counter_offset;                ///< model cycles when CYCCNT was 0
    uint64_t counter_frozen;                ///< CYCCNT while it does not count
} SystemRegisters;

void system_registers_reset(SystemRegisters *registers, uint32_t core_id);

/// NULL, or what is wrong with the access. `cycles` are the model's cycles now; a read of CYCCNT
/// sets `counter_read` and gives the whole count in `*counter`.
const char *system_register_read(SystemRegisters *registers, uint32_t address, uint64_t cycles,
                                 uint32_t *value, bool *counter_read, uint64_t *counter);

const char *system_register_write(SystemRegisters *registers, uint32_t address, uint64_t cycles,
                                  uint32_t value);

/// Whether the coprocessor access register lets floating-point instructions execute.
bool system_registers_fpu_enabled(const SystemRegisters *registers);

#endif
