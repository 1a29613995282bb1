// SPDX-License-Identifier: Apache-2.0
#include "guards.h"

#include "files.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_WORDS = 3, MAX_SLOTS = 64 };
enum { CPSR_IT_STATE = 0x0600FC00 };

static uint32_t word(Machine *machine, uint32_t block, uint32_t index, bool *ok) {
    const uint8_t *host = memory_host(&machine->memory, block + 4 * index, 4);
    *ok = *ok && host != NULL;
    return host == NULL ? 0 : read_u32(host);
}

/// The words {start, bytes, count of slots, {start, bytes} of each}.
static bool read_block(Guards *guards, Machine *machine, uint32_t block) {
    bool ok = true;
    guards->start = word(machine, block, 0, &ok);
    guards->bytes = word(machine, block, 1, &ok);
    const uint32_t slots = word(machine, block, 2, &ok);
    ok = ok && slots <= MAX_SLOTS &&
         memory_host(&machine->memory, guards->start, guards->bytes) != NULL;
    free(guards->forbidden);
    guards->forbidden = ok ? malloc(guards->bytes + 1) : NULL;
    if (guards->forbidden == NULL) {
        return false;
    }
    memset(guards->forbidden, 1, guards->bytes);
    for (uint32_t i = 0; i < slots && ok; i++) {
        const uint32_t offset = word(machine, block, HEADER_WORDS + 2 * i, &ok) - guards->start;
        const uint32_t bytes = word(machine, block, HEADER_WORDS + 2 * i + 1, &ok);
        ok = ok && offset <= guards->bytes && bytes <= guards->bytes - offset;
        if (ok) {
            memset(guards->forbidden + offset, 0, bytes);
        }
    }
    return ok;
}

void guards_announced(Machine *machine, uint32_t block) {
    Guards *guards = &machine->guards;
    if (!guards->trap) {
        machine_fault(machine, "semihosting", NULL,
                      "operands are announced without --over-reads trap");
        return;
    }
    guards->announced = true;
    guards->on = block != 0;
    if (block != 0 && !read_block(guards, machine, block)) {
        machine_fault(machine, "semihosting", &block, "operands announced outside the memories");
    }
}

/// Before it calls a hook of an access, the engine restores the IT state that the instruction has,
/// and then carries it into the next block. It belongs to no block but this one.
static void clear_it_state(Machine *machine) {
    uint32_t cpsr = machine_register(machine, UC_ARM_REG_CPSR);
    if (cpsr & CPSR_IT_STATE) {
        cpsr &= ~(uint32_t)CPSR_IT_STATE;
        machine->api.reg_write(machine->engine, UC_ARM_REG_CPSR, &cpsr);
    }
}

static void on_access(uc_engine *engine, int type, uint64_t address, int bytes, int64_t value,
                      void *user) {
    Machine *machine = user;
    const Guards *guards = &machine->guards;
    (void)value;
    clear_it_state(machine);
    if (!guards->on || machine->stop != STOP_NONE) {
        return;
    }
    for (uint32_t i = 0; i < (uint32_t)bytes; i++) {
        const uint32_t at = (uint32_t)address + i;
        if (at - guards->start < guards->bytes && guards->forbidden[at - guards->start]) {
            char detail[64];
            snprintf(detail, sizeof detail, "%s of %d bytes reaches beyond an operand",
                     type == UC_MEM_WRITE ? "store" : "load", bytes);
            machine_fault(machine, "over-access", &at, detail);
            machine->api.emu_stop(engine);
            return;
        }
    }
}

uc_err guards_hook(Machine *machine) {
    uc_hook hook = 0;
    if (!machine->guards.trap) {
        return UC_ERR_OK;
    }
    return machine->api.hook_add(machine->engine, &hook, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE,
                                 on_access, machine, 1, 0);
}
