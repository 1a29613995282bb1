// SPDX-License-Identifier: Apache-2.0
/// \file
/// Accesses that the engine could not perform: system registers and mistakes.
///
/// System registers are left unmapped on purpose. An access to one makes the engine leave the
/// program in front of the instruction, with an exact program counter; it is then performed here
/// and the program resumed behind it. With a mapped device the engine would call back in the middle
/// of a block without saying where, and the counters could not be exact.
#include "observe.h"

#include <stdlib.h>

/// Bits of CPSR that are not zero inside an IT block.
enum { CPSR_IT_STATE = 0x0600FC00 };

/// r0..r12; the stack pointer and lr are not loaded from system registers.
enum { PLAIN_REGISTERS = 13 };

static void record_counter_read(Machine *machine, uint64_t cycles, uint64_t instructions) {
    if (machine->counter_read_count == machine->counter_read_capacity) {
        size_t capacity = machine->counter_read_capacity * 2 + 16;
        CounterRead *grown = realloc(machine->counter_reads, capacity * sizeof *grown);
        if (grown == NULL) {
            machine_fault(machine, "host", NULL, "out of memory");
            return;
        }
        machine->counter_reads = grown;
        machine->counter_read_capacity = capacity;
    }
    machine->counter_reads[machine->counter_read_count++] = (CounterRead){cycles, instructions};
    if (machine->observer != NULL) {
        observer_counter_read(machine);
    }
}

/// The only core register that the instruction loads, or -1.
static int loaded_register(const InstructionCost *instruction) {
    uint64_t writes = instruction->writes;
    if (writes == 0 || (writes & (writes - 1)) != 0 || instruction->base != 0) {
        return -1;
    }
    int number = 0;
    while (!(writes >> number & 1)) {
        number++;
    }
    return number < PLAIN_REGISTERS ? number : -1;
}

static const char *load_system_register(Machine *machine, const InstructionCost *instruction,
                                        CounterRead now) {
    int target = loaded_register(instruction);
    if (target < 0) {
        return "system registers are read by plain loads only";
    }
    uint32_t value = 0;
    bool is_counter = false;
    uint64_t count = 0;
    const char *wrong = system_register_read(&machine->registers, machine->access.address,
                                             now.cycles, &value, &is_counter, &count);
    if (wrong == NULL) {
        machine->api.reg_write(machine->engine, UC_ARM_REG_R0 + target, &value);
        if (is_counter) {
            record_counter_read(machine, count, now.instructions);
        }
    }
    return wrong;
}

/// Perform the load or store at `pc` on a system register; NULL, or what is wrong with it.
static const char *access_system_register(Machine *machine, uint32_t pc) {
    const InstructionCost *instruction = costs_instruction(&machine->costs, pc);
    CounterRead now = machine_counters_at(machine, pc);
    if (instruction == NULL || instruction->base != 0 || machine->access.bytes != 4 ||
        machine->access.address % 4 != 0) {
        return "system registers are accessed by plain aligned words";
    }
    if (machine_register(machine, UC_ARM_REG_CPSR) & CPSR_IT_STATE) {
        return "system registers in IT blocks are not modelled";
    }
    if (machine->access.type == UC_MEM_WRITE_UNMAPPED) {
        return system_register_write(&machine->registers, machine->access.address, now.cycles,
                                     machine->access.value);
    }
    return load_system_register(machine, instruction, now);
}

static bool is_system_register(const Access *access) {
    uint32_t page = access->address & ~(uint32_t)(SYSTEM_PAGE_BYTES - 1);
    return (page == SYSTEM_DWT_PAGE || page == SYSTEM_SCS_PAGE) &&
           (access->type == UC_MEM_READ_UNMAPPED || access->type == UC_MEM_WRITE_UNMAPPED);
}

static void fault_of_access(Machine *machine) {
    const Access *access = &machine->access;
    char detail[64];
    switch (access->type) {
    case UC_MEM_READ_UNMAPPED:
    case UC_MEM_READ_PROT:
        snprintf(detail, sizeof detail, "read of %u bytes of unmapped memory",
                 (unsigned)access->bytes);
        break;
    case UC_MEM_WRITE_UNMAPPED:
        snprintf(detail, sizeof detail, "write of %u bytes to unmapped memory",
                 (unsigned)access->bytes);
        break;
    case UC_MEM_WRITE_PROT:
        snprintf(detail, sizeof detail, "write of %u bytes to read-only memory",
                 (unsigned)access->bytes);
        break;
    default:
        snprintf(detail, sizeof detail, "jump to where no code is");
    }
    machine_fault(machine, "memory-access", &access->address, detail);
}

uint32_t machine_serve_access(Machine *machine, uint32_t pc) {
    if (!is_system_register(&machine->access)) {
        fault_of_access(machine);
        return pc;
    }
    // The engine goes on with a new block after this instruction: end the current one with it.
    uint32_t begin = machine->block->address;
    uint32_t next = pc + costs_instruction(&machine->costs, pc)->bytes;
    machine->block = costs_block(&machine->costs, begin, next - begin);
    if (machine_fpu_misused(machine)) {
        return pc;
    }
    const char *wrong = access_system_register(machine, pc);
    if (wrong != NULL) {
        machine_fault(machine, "memory-access", &machine->access.address, wrong);
    }
    return next;
}
