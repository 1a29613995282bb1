// SPDX-License-Identifier: Apache-2.0
#include "observe.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FLOAT_REGISTERS_BIT = 32, CORE_REGISTERS = 15 };

static int unicorn_register(uint32_t number) {
    if (number >= FLOAT_REGISTERS_BIT) {
        return UC_ARM_REG_S0 + (int)(number - FLOAT_REGISTERS_BIT);
    }
    return machine_core_register(number);
}

/// One line of the trace as touchstone/trace.py reads it, numbers in hexadecimal:
/// core cycle pc code[ register=value]...[ skipped]
static void write_line(Machine *machine, Trace *trace, bool skipped) {
    const InstructionCost *instruction = trace->instruction;
    if (instruction == NULL || trace->count == TRACE_LIMIT) {
        return;
    }
    trace->count++;
    const uint8_t *code = memory_host(&machine->memory, trace->pc, instruction->bytes);
    fprintf(trace->file, "0 %" PRIx64 " %" PRIx32 " ", trace->at.cycles, trace->pc);
    for (uint32_t i = 0; code != NULL && i < instruction->bytes; i++) {
        fprintf(trace->file, "%02x", code[i]);
    }
    uint64_t written = skipped ? 0 : instruction->writes | instruction->base;
    for (uint32_t number = 0; number < PIPELINE_REGISTERS; number++) {
        bool plain = number < CORE_REGISTERS || number >= FLOAT_REGISTERS_BIT;
        if (plain && (written >> number & 1)) {
            fprintf(trace->file, " %s%" PRIu32 "=%" PRIx32, number < CORE_REGISTERS ? "r" : "s",
                    number < CORE_REGISTERS ? number : number - FLOAT_REGISTERS_BIT,
                    machine_register(machine, unicorn_register(number)));
        }
    }
    fputs(skipped ? " skipped\n" : "\n", trace->file);
}

/// The engine says nothing of instructions that an IT block skips; they count as executed, so
/// those between the last line and `now` are written here.
static void write_skipped(Machine *machine, Trace *trace, CounterRead now) {
    while (trace->instruction != NULL && trace->at.instructions + 1 < now.instructions) {
        trace->pc += trace->instruction->bytes;
        trace->instruction = costs_instruction(&machine->costs, trace->pc);
        trace->at.instructions++;
        trace->at.cycles += trace->at.cycles < now.cycles;
        write_line(machine, trace, true);
    }
}

static void begin_line(Machine *machine, Trace *trace, uint32_t pc) {
    CounterRead now = machine_counters_at(machine, pc);
    if (trace->instruction != NULL && trace->at.instructions == now.instructions) {
        return; // the engine left the program in front of it and comes again
    }
    write_line(machine, trace, false);
    write_skipped(machine, trace, now);
    trace->instruction = costs_instruction(&machine->costs, pc);
    trace->pc = pc;
    trace->at = now;
}

static void on_instruction(uc_engine *engine, uint64_t address, uint32_t bytes, void *user) {
    Machine *machine = user;
    (void)engine;
    (void)bytes;
    if (machine->observed && machine->observer->trace.count < TRACE_LIMIT) {
        begin_line(machine, &machine->observer->trace, (uint32_t)address);
    }
}

const char *observer_open(Machine *machine, const char *profile_path, const char *trace_path) {
    if (profile_path == NULL && trace_path == NULL) {
        return NULL;
    }
    struct Observer *observer = calloc(1, sizeof *observer);
    if (observer == NULL) {
        return "out of memory";
    }
    machine->observer = observer;
    observer->profile_path = profile_path;
    observer->profile.costs = &machine->costs;
    if (trace_path != NULL) {
        uc_hook hook = 0;
        observer->trace.file = fopen(trace_path, "wb");
        if (observer->trace.file == NULL) {
            return "the trace cannot be written";
        }
        uc_err error = machine->api.hook_add(machine->engine, &hook, UC_HOOK_CODE, on_instruction,
                                             machine, 1, 0);
        return error == UC_ERR_OK ? NULL : machine->api.strerror(error);
    }
    return NULL;
}

static uint32_t last_instruction(const Machine *machine) {
    uint32_t pc = machine->block->address;
    uint32_t next = pc;
    while (next < machine->block->end) {
        pc = next;
        next += costs_instruction(&machine->costs, pc)->bytes;
    }
    return pc;
}

void observer_counter_read(Machine *machine) {
    struct Observer *observer = machine->observer;
    uint32_t pc = last_instruction(machine);
    if (machine->counter_read_count == OBSERVE_FIRST_READ) {
        machine->observed = true;
        profile_begin(&observer->profile, machine->block, pc);
        if (observer->trace.file != NULL) {
            begin_line(machine, &observer->trace, pc);
        }
    } else if (machine->counter_read_count == OBSERVE_LAST_READ) {
        machine->observed = false;
        profile_end(&observer->profile, pc);
        observer->trace.instruction = NULL; // the read itself comes after the timed run
    }
}

bool observer_close(Machine *machine) {
    struct Observer *observer = machine->observer;
    bool written = true;
    if (observer == NULL) {
        return true;
    }
    if (observer->profile_path != NULL) {
        written = profile_write(&observer->profile, observer->profile_path);
    }
    if (observer->trace.file != NULL) {
        written = !ferror(observer->trace.file) && written;
        written = fclose(observer->trace.file) == 0 && written;
    }
    return written;
}
