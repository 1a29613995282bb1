// SPDX-License-Identifier: Apache-2.0
/// \file
/// One Cortex-M core with its memories, run by Unicorn, counted and timed by the cost table.
#ifndef TOUCHSTONE_CORTEXM_MACHINE_H
#define TOUCHSTONE_CORTEXM_MACHINE_H

#include "costs.h"
#include "image.h"
#include "memory.h"
#include "system_registers.h"
#include "unicorn_api.h"

#include <stdio.h>

typedef enum { STOP_NONE, STOP_EXIT, STOP_LIMIT, STOP_FAULT } StopReason;

/// What the core did wrong, or asked for that the simulator does not model.
typedef struct {
    const char *kind;
    uint32_t pc;
    bool has_address;
    uint32_t address;
    char detail[160];
} Fault;

/// The last access that the engine could not perform.
typedef struct {
    bool pending;
    int type; ///< UC_MEM_...
    uint32_t address;
    uint32_t bytes;
    uint32_t value; ///< of a write
} Access;

typedef struct {
    uint64_t cycles;
    uint64_t instructions;
} CounterRead;

/// Bytes that a kernel may not touch while it runs (guards.h).
typedef struct {
    bool trap;      ///< option: the firmware has to announce its operands
    bool announced; ///< it has
    bool on;        ///< a kernel runs
    uint32_t start, bytes;
    uint8_t *forbidden; ///< for each of these bytes, 1 where no operand lies
} Guards;

typedef struct {
    UnicornApi api;
    uc_engine *engine;
    Memory memory;
    Costs costs;
    SystemRegisters registers;

    // Counters cover completed blocks; `block` has begun and is not in them yet.
    uint64_t instructions;
    uint64_t cycles;
    uint64_t max_instructions;
    Block *block;

    CounterRead *counter_reads;
    size_t counter_read_count;
    size_t counter_read_capacity;

    struct Observer *observer; ///< profile and trace, NULL without (observe.h)
    bool observed;             ///< and the timed run is on

    Guards guards;

    FILE *streams[2]; ///< record stream, log
    bool opened[2];   ///< the firmware has opened it

    StopReason stop;
    Access access;
    Block *unhooked; ///< the engine left the program in front of this block
    bool exception;  ///< the engine left the program for the exception of that number
    uint32_t exception_number;
    int exit_code;
    Fault fault;
} Machine;

/// Open the engine, map the memories and put the hooks in place. NULL, or what is wrong.
const char *machine_init(Machine *machine);

/// Run from the reset state until exit, limit or fault.
void machine_run(Machine *machine, uint32_t stack_pointer, uint32_t entry);

/// Instructions and cycles when the instruction at `pc` of the current block is about to execute:
/// everything before it is counted, itself not.
CounterRead machine_counters_at(const Machine *machine, uint32_t pc);

uint32_t machine_register(Machine *machine, int unicorn_register);

/// The engine's number for r0..r14.
int machine_core_register(uint32_t number);

/// Record a fault, unless one is recorded already, and stop.
void machine_fault(Machine *machine, const char *kind, const uint32_t *address, const char *detail);

/// A floating-point instruction of the current block has executed while CPACR forbids it: a fault,
/// and true. Asked when the block ends, because the block itself may switch the FPU on first.
bool machine_fpu_misused(Machine *machine);

/// Deal with `access` of the instruction at `pc`: perform it if it is a system register's and give
/// the address of the next instruction, else fault.
uint32_t machine_serve_access(Machine *machine, uint32_t pc);

/// Serve the semihosting call of the `bkpt 0xAB` that the core stands at.
void semihosting_call(Machine *machine);

#endif
