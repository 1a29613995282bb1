// SPDX-License-Identifier: Apache-2.0
#include "guards.h"
#include "observe.h"

#include <stdlib.h>
#include <string.h>

/// QEMU's numbers of exceptions.
enum {
    EXCEPTION_UNDEFINED = 1,
    EXCEPTION_SVC = 2,
    EXCEPTION_PREFETCH = 3,
    EXCEPTION_BKPT = 7,
    EXCEPTION_RETURN = 8
};
enum { BKPT_SEMIHOSTING = 0xBEAB, BKPT_BYTES = 2 };

/// An address that no instruction has, for emulation without an end address.
enum { NO_END = 1 };

uint32_t machine_register(Machine *machine, int unicorn_register) {
    uint32_t value = 0;
    machine->api.reg_read(machine->engine, unicorn_register, &value);
    return value;
}

int machine_core_register(uint32_t number) {
    enum { SP = 13 };
    // The engine numbers only r0..r12 in a row: what follows them is s0.
    if (number < SP) {
        return UC_ARM_REG_R0 + (int)number;
    }
    return number == SP ? UC_ARM_REG_SP : UC_ARM_REG_LR;
}

static uint32_t program_counter(Machine *machine) {
    return machine_register(machine, UC_ARM_REG_PC) & ~1U;
}

void machine_fault(Machine *machine, const char *kind, const uint32_t *address,
                   const char *detail) {
    if (machine->stop != STOP_NONE) {
        return;
    }
    machine->stop = STOP_FAULT;
    machine->fault.kind = kind;
    machine->fault.pc = program_counter(machine);
    machine->fault.has_address = address != NULL;
    machine->fault.address = address != NULL ? *address : 0;
    snprintf(machine->fault.detail, sizeof machine->fault.detail, "%s", detail);
}

CounterRead machine_counters_at(const Machine *machine, uint32_t pc) {
    CounterRead now = {machine->cycles, machine->instructions};
    const Block *block = machine->block;
    if (block != NULL && (pc < block->address || pc >= block->end)) {
        now.instructions += block->instructions; // it jumped away
        now.cycles += block->cycles;
    } else if (block != NULL) {
        uint32_t instructions = 0;
        uint32_t cycles = 0;
        costs_prefix(&machine->costs, block, pc, &instructions, &cycles);
        now.instructions += instructions;
        now.cycles += cycles;
    }
    return now;
}

bool machine_fpu_misused(Machine *machine) {
    const Block *block = machine->block;
    if (block == NULL || !block->floating_point ||
        system_registers_fpu_enabled(&machine->registers)) {
        return false;
    }
    machine_fault(machine, "illegal-instruction", NULL, "the FPU is not enabled in CPACR");
    machine->fault.pc = costs_find(&machine->costs, block, INSTRUCTION_FP);
    return true;
}

/// A new block holds instructions that must be looked at when they execute: leave the engine in
/// front of it to hook them. Hooking all candidates beforehand would be simpler, but the engine
/// walks through all such hooks at every hooked instruction.
static bool needs_hooks(Machine *machine, Block *block) {
    if (block == NULL || block->hooked || !block->inspected) {
        return false;
    }
    machine->unhooked = block;
    machine->api.emu_stop(machine->engine);
    return true;
}

/// Count the block before and begin the next one. Called by the engine before every block.
static void on_block(uc_engine *engine, uint64_t address, uint32_t bytes, void *user) {
    Machine *machine = user;
    (void)engine;
    Block *next = costs_block(&machine->costs, (uint32_t)address, bytes);
    Block *done = machine->block;
    if (needs_hooks(machine, next)) {
        return;
    }
    if (machine->stop != STOP_NONE || (done != NULL && machine_fpu_misused(machine))) {
        machine->api.emu_stop(machine->engine);
        return;
    }
    if (done != NULL) {
        machine->instructions += done->instructions;
        machine->cycles += done->cycles;
        if (next != NULL) {
            int32_t step = costs_step(&machine->costs, done, next);
            machine->cycles += (uint64_t)(int64_t)step;
            if (machine->observed) {
                profile_step(&machine->observer->profile, done, next, step);
            }
        }
    }
    machine->block = next;
    if (next == NULL) {
        uint32_t where = (uint32_t)address;
        machine_fault(machine, "memory-access", &where, "execution outside the firmware's code");
    } else if (machine->instructions + next->instructions > machine->max_instructions) {
        machine->stop = STOP_LIMIT;
        machine->block = NULL; // it does not execute
    }
    if (machine->stop != STOP_NONE) {
        machine->api.emu_stop(machine->engine);
    }
}

/// A divide whose time depends on its operands is about to execute.
static void on_divide(uc_engine *engine, uint64_t address, uint32_t bytes, void *user) {
    Machine *machine = user;
    (void)engine;
    (void)bytes;
    const InstructionCost *divide = costs_instruction(&machine->costs, (uint32_t)address);
    uint32_t dividend = machine_register(machine, machine_core_register(divide->operand));
    uint32_t divisor = machine_register(machine, machine_core_register(divide->divisor));
    uint32_t cycles =
        pipeline_m4_divide(dividend, divisor, (divide->flags & INSTRUCTION_SDIV) != 0);
    machine->cycles += cycles;
    if (machine->observed) {
        profile_divide(&machine->observer->profile, (uint32_t)address, cycles);
    }
}

/// An access that the core performs only on word-aligned addresses, whatever CCR says; the engine
/// would let it pass (ARMv7-M ARM, A3.2.1).
static void on_aligned_access(uc_engine *engine, uint64_t address, uint32_t bytes, void *user) {
    Machine *machine = user;
    (void)bytes;
    const InstructionCost *access = costs_instruction(&machine->costs, (uint32_t)address);
    uint32_t base = machine_register(machine, machine_core_register(access->operand));
    if (base % 4 != 0 && machine->stop == STOP_NONE) {
        machine_fault(machine, "unaligned-access", &base,
                      "this instruction needs a word-aligned address");
        machine->fault.pc = (uint32_t)address;
        machine->api.emu_stop(engine);
    }
}

static void on_exception(uc_engine *engine, uint32_t number, void *user) {
    Machine *machine = user;
    machine->exception = true;
    machine->exception_number = number;
    machine->api.emu_stop(engine);
}

/// Note the access; the engine then leaves the program in front of the instruction.
static bool on_bad_access(uc_engine *engine, int type, uint64_t address, int bytes, int64_t value,
                          void *user) {
    Machine *machine = user;
    (void)engine;
    machine->access = (Access){true, type, (uint32_t)address, (uint32_t)bytes, (uint32_t)value};
    return false;
}

static uc_err map_memories(Machine *machine) {
    const UnicornApi *api = &machine->api;
    uc_err error = UC_ERR_OK;
    for (size_t i = 0; i < machine->memory.run_count && error == UC_ERR_OK; i++) {
        const MemoryRun *run = &machine->memory.runs[i];
        uint32_t permissions = (run->permissions & MEMORY_READ ? UC_PROT_READ : 0) |
                               (run->permissions & MEMORY_WRITE ? UC_PROT_WRITE : 0) |
                               (run->permissions & MEMORY_EXECUTE ? UC_PROT_EXEC : 0);
        error = api->mem_map_ptr(machine->engine, run->address, run->bytes, permissions, run->host);
    }
    return error;
}

static uc_err add_hooks(Machine *machine) {
    const UnicornApi *api = &machine->api;
    uc_hook hook = 0;
    // begin > end means everywhere.
    uc_err error = api->hook_add(machine->engine, &hook, UC_HOOK_BLOCK, on_block, machine, 1, 0);
    if (error == UC_ERR_OK) {
        error = api->hook_add(machine->engine, &hook, UC_HOOK_INTR, on_exception, machine, 1, 0);
    }
    if (error == UC_ERR_OK) {
        error = api->hook_add(machine->engine, &hook, UC_HOOK_MEM_UNMAPPED | UC_HOOK_MEM_PROT,
                              on_bad_access, machine, 1, 0);
    }
    return error == UC_ERR_OK ? guards_hook(machine) : error;
}

const char *machine_init(Machine *machine) {
    const UnicornApi *api = &machine->api;
    uint32_t core = machine->costs.model->id;
    int model = core == 7 ? UC_CPU_ARM_CORTEX_M7 : UC_CPU_ARM_CORTEX_M4;
    system_registers_reset(&machine->registers, core);
    // Without UC_MODE_MCLASS: that mode overrides the chosen core by a Cortex-M33.
    uc_err error = api->open(UC_ARCH_ARM, UC_MODE_THUMB, &machine->engine);
    if (error == UC_ERR_OK) {
        error = api->ctl(machine->engine, UC_CTL_WRITE_REQUEST(UC_CTL_CPU_MODEL, 1), model);
    }
    if (error == UC_ERR_OK) {
        error = map_memories(machine);
    }
    if (error == UC_ERR_OK) {
        error = add_hooks(machine);
    }
    return error == UC_ERR_OK ? NULL : api->strerror(error);
}

/// Which base registers a block has already shown to be word-aligned.
typedef struct {
    uint64_t registers;
    int conditional; ///< instructions that an IT block may still skip
} KnownAligned;

/// Whether the instruction's base must be looked at: not if it was before, in this block, and has
/// moved since only by whole words.
static bool checks_alignment(KnownAligned *known, const InstructionCost *instruction) {
    enum { IT_BLOCK = 4 };
    bool aligned = (instruction->flags & INSTRUCTION_ALIGNED) != 0;
    bool check = aligned && !(instruction->early & known->registers);
    if (known->conditional > 0) {
        known->conditional--;
    } else if (aligned) {
        known->registers |= instruction->early;
    }
    if (instruction->flags & INSTRUCTION_IT) {
        known->conditional = IT_BLOCK;
    }
    known->registers &= ~(instruction->writes | (aligned ? 0 : instruction->base));
    return check;
}

/// Hook the inspected instructions of a block and have the engine translate it again.
static void hook_block(Machine *machine, Block *block) {
    const UnicornApi *api = &machine->api;
    KnownAligned known = {0};
    uc_hook hook = 0;
    uc_err error = UC_ERR_OK;
    for (uint32_t pc = block->address; pc < block->end && error == UC_ERR_OK;) {
        const InstructionCost *instruction = costs_instruction(&machine->costs, pc);
        bool alignment = checks_alignment(&known, instruction);
        bool divide = costs_times_operands(&machine->costs, instruction);
        if ((alignment || divide) && costs_mark_hooked(&machine->costs, pc)) {
            void *callback = alignment ? (void *)on_aligned_access : (void *)on_divide;
            error = api->hook_add(machine->engine, &hook, UC_HOOK_CODE, callback, machine, pc, pc);
        }
        pc += instruction->bytes;
    }
    if (error == UC_ERR_OK) {
        error = api->ctl(machine->engine, UC_CTL_WRITE_REQUEST(UC_CTL_TB_REMOVE_CACHE, 2),
                         (uint64_t)block->address, (uint64_t)block->end);
    }
    if (error != UC_ERR_OK) {
        machine_fault(machine, "host", NULL, api->strerror(error));
    }
    block->hooked = true;
}

static void fault_of_exception(Machine *machine, uint32_t pc) {
    uint32_t number = machine->exception_number;
    char detail[64];
    switch (number) {
    case EXCEPTION_UNDEFINED:
        machine_fault(machine, "illegal-instruction", NULL, "undefined instruction");
        break;
    case EXCEPTION_PREFETCH:
        machine_fault(machine, "memory-access", &pc, "jump to where no code is");
        break;
    case EXCEPTION_BKPT:
        machine_fault(machine, "breakpoint", NULL, "bkpt other than semihosting's 0xAB");
        break;
    case EXCEPTION_SVC:
        machine_fault(machine, "exception", NULL, "svc without an operating system");
        break;
    case EXCEPTION_RETURN:
        machine_fault(machine, "exception", NULL, "exception return outside an exception");
        break;
    default:
        snprintf(detail, sizeof detail, "exception %u of the engine", (unsigned)number);
        machine_fault(machine, "exception", NULL, detail);
    }
}

static bool at_semihosting(Machine *machine, uint32_t pc) {
    const uint8_t *code = memory_host(&machine->memory, pc, BKPT_BYTES);
    return machine->exception_number == EXCEPTION_BKPT && code != NULL &&
           (code[0] | code[1] << 8) == BKPT_SEMIHOSTING;
}

/// Why the engine came back without an exception and without our asking.
static void fault_of_error(Machine *machine, uc_err error) {
    if (error == UC_ERR_INSN_INVALID) {
        machine_fault(machine, "illegal-instruction", NULL, "undefined instruction");
    } else if (error == UC_ERR_OK) {
        machine_fault(machine, "halt", NULL, "the core sleeps and nothing can wake it");
    } else {
        machine_fault(machine, "exception", NULL, machine->api.strerror(error));
    }
}

/// Count what was executed of the block in which the program ended.
static void settle(Machine *machine, uint32_t pc) {
    CounterRead now = machine_counters_at(machine, pc);
    machine->instructions = now.instructions;
    machine->cycles = now.cycles;
    machine->block = NULL;
}

void machine_run(Machine *machine, uint32_t stack_pointer, uint32_t entry) {
    const UnicornApi *api = &machine->api;
    uint32_t lr = UINT32_MAX;
    uint32_t pc = entry;
    api->reg_write(machine->engine, UC_ARM_REG_SP, &stack_pointer);
    api->reg_write(machine->engine, UC_ARM_REG_LR, &lr);
    // Blocks translated before the hooks existed would not be counted.
    api->ctl(machine->engine, UC_CTL_WRITE_REQUEST(UC_CTL_TB_FLUSH, 0));
    while (machine->stop == STOP_NONE) {
        machine->exception = false;
        machine->access.pending = false;
        machine->unhooked = NULL;
        uc_err error = api->emu_start(machine->engine, pc | 1, NO_END, 0, 0);
        pc = program_counter(machine);
        if (machine->stop != STOP_NONE) {
            break;
        }
        if (machine->unhooked != NULL) {
            hook_block(machine, machine->unhooked);
        } else if (machine->access.pending) {
            pc = machine_serve_access(machine, pc);
        } else if (machine_fpu_misused(machine)) {
            break;
        } else if (!machine->exception) {
            fault_of_error(machine, error);
        } else if (at_semihosting(machine, pc)) {
            semihosting_call(machine);
            pc += BKPT_BYTES;
        } else {
            fault_of_exception(machine, pc);
        }
    }
    settle(machine, machine->stop == STOP_FAULT ? machine->fault.pc : pc);
}
