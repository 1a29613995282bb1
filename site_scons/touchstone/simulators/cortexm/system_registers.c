// SPDX-License-Identifier: Apache-2.0
#include "system_registers.h"

#include <stddef.h>
#include <string.h>

#define DWT_CTRL 0xE0001000U
#define DWT_CYCCNT 0xE0001004U
#define DWT_LAR 0xE0001FB0U
#define CPUID 0xE000ED00U
#define CCR 0xE000ED14U
#define CPACR 0xE000ED88U
#define DEMCR 0xE000EDFCU

#define CPUID_M4 0x410FC241U
#define CPUID_M7 0x411FC272U

enum {
    CYCCNTENA = 1 << 0,
    TRCENA = 1 << 24,
    CPACR_FULL_ACCESS = 0xF << 20,
    CCR_TRAPS = 1 << 3 | 1 << 4 // UNALIGN_TRP, DIV_0_TRP
};

/// What a register does beyond holding its value.
typedef enum { STORED, READ_ONLY, WRITE_ONLY } Access;

typedef struct {
    uint32_t address;
    uint32_t reset;
    Access access;
} Register;

static const Register table[] = {
    {DWT_CTRL, 0x40000000U, STORED},
    {DWT_CYCCNT, 0, STORED},
    {DWT_LAR, 0, WRITE_ONLY},           // unlock, M7
    {0xE0001FB4U, 0, READ_ONLY},        // DWT_LSR: no lock
    {0xE000E008U, 0, STORED},           // ACTLR
    {CPUID, 0, READ_ONLY},              // reset value by core
    {0xE000ED08U, 0, STORED},           // VTOR
    {0xE000ED10U, 0, STORED},           // SCR
    {CCR, 0x00000200U, STORED},         //
    {0xE000ED18U, 0, STORED},           // SHPR1
    {0xE000ED1CU, 0, STORED},           // SHPR2
    {0xE000ED20U, 0, STORED},           // SHPR3
    {0xE000ED24U, 0, STORED},           // SHCSR
    {0xE000ED28U, 0, STORED},           // CFSR
    {0xE000ED2CU, 0, STORED},           // HFSR
    {0xE000ED78U, 0, READ_ONLY},        // CLIDR: no caches to maintain
    {0xE000ED7CU, 0, READ_ONLY},        // CTR
    {0xE000ED80U, 0, READ_ONLY},        // CCSIDR
    {0xE000ED84U, 0, STORED},           // CSSELR
    {CPACR, 0, STORED},                 //
    {0xE000ED90U, 0, READ_ONLY},        // MPU_TYPE: no MPU
    {DEMCR, 0, STORED},                 //
    {0xE000EF34U, 0xC0000000U, STORED}, // FPCCR
    {0xE000EF38U, 0, STORED},           // FPCAR
    {0xE000EF3CU, 0, STORED},           // FPDSCR
    {0xE000EF50U, 0, WRITE_ONLY},       // ICIALLU
    {0xE000EF58U, 0, WRITE_ONLY},       // ICIMVAU
    {0xE000EF5CU, 0, WRITE_ONLY},       // DCIMVAC
    {0xE000EF60U, 0, WRITE_ONLY},       // DCISW
    {0xE000EF64U, 0, WRITE_ONLY},       // DCCMVAU
    {0xE000EF68U, 0, WRITE_ONLY},       // DCCMVAC
    {0xE000EF6CU, 0, WRITE_ONLY},       // DCCSW
    {0xE000EF70U, 0, WRITE_ONLY},       // DCCIMVAC
    {0xE000EF74U, 0, WRITE_ONLY},       // DCCISW
    {0xE000EF90U, 0, STORED},           // ITCMCR
    {0xE000EF94U, 0, STORED},           // DTCMCR
    {0xE000EF98U, 0, STORED},           // AHBPCR
    {0xE000EF9CU, 0, STORED},           // CACR
};

enum { ROWS = sizeof table / sizeof table[0] };
_Static_assert(ROWS <= SYSTEM_REGISTER_COUNT, "the register file is too small");

static int row_of(uint32_t address) {
    for (int row = 0; row < ROWS; row++) {
        if (table[row].address == address) {
            return row;
        }
    }
    return -1;
}

static uint32_t value_of(const SystemRegisters *registers, uint32_t address) {
    return registers->values[row_of(address)];
}

void system_registers_reset(SystemRegisters *registers, uint32_t core_id) {
    memset(registers, 0, sizeof *registers);
    for (int row = 0; row < ROWS; row++) {
        registers->values[row] = table[row].reset;
    }
    registers->values[row_of(CPUID)] = core_id == 7 ? CPUID_M7 : CPUID_M4;
}

bool system_registers_fpu_enabled(const SystemRegisters *registers) {
    return (value_of(registers, CPACR) & CPACR_FULL_ACCESS) == CPACR_FULL_ACCESS;
}

static bool counting(const SystemRegisters *registers) {
    return (value_of(registers, DWT_CTRL) & CYCCNTENA) && (value_of(registers, DEMCR) & TRCENA);
}

static uint64_t counter(const SystemRegisters *registers, uint64_t cycles) {
    return counting(registers) ? cycles - registers->counter_offset : registers->counter_frozen;
}

static void set_counter(SystemRegisters *registers, uint64_t cycles, uint64_t value) {
    registers->counter_offset = cycles - value;
    registers->counter_frozen = value;
}

const char *system_register_read(SystemRegisters *registers, uint32_t address, uint64_t cycles,
                                 uint32_t *value, bool *counter_read, uint64_t *count) {
    int row = row_of(address);
    *counter_read = address == DWT_CYCCNT;
    if (row < 0) {
        return "system register is not modelled";
    }
    if (table[row].access == WRITE_ONLY) {
        return "read of a write-only system register";
    }
    *value = registers->values[row];
    if (*counter_read) {
        *count = counter(registers, cycles);
        *value = (uint32_t)*count;
    }
    return NULL;
}

const char *system_register_write(SystemRegisters *registers, uint32_t address, uint64_t cycles,
                                  uint32_t value) {
    int row = row_of(address);
    if (row < 0) {
        return "system register is not modelled";
    }
    if (table[row].access == READ_ONLY) {
        return "write to a read-only system register";
    }
    if (address == CCR && (value & CCR_TRAPS)) {
        return "traps on unaligned access or division by zero are not modelled";
    }
    uint64_t count = counter(registers, cycles);
    registers->values[row] = value;
    if (address == DWT_CYCCNT) {
        count = value;
    }
    set_counter(registers, cycles, count);
    return NULL;
}
