// SPDX-License-Identifier: Apache-2.0
#include "files.h"
#include "guards.h"

#include <string.h>

enum {
    SYS_OPEN = 0x01,
    SYS_WRITE = 0x05,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_GUARDS = 0x101, ///< ours
    APPLICATION_EXIT = 0x20026,
    MODE_WRITE = 4,
    MODE_APPEND = 8
};

/// Word `index` of the argument block; faults and gives 0 where it is not mapped.
static uint32_t argument(Machine *machine, uint32_t block, uint32_t index) {
    uint32_t address = block + 4 * index;
    const uint8_t *host = memory_host(&machine->memory, address, 4);
    if (host == NULL) {
        machine_fault(machine, "semihosting", &address, "argument block is not mapped");
        return 0;
    }
    return read_u32(host);
}

/// Console open: mode "w" is the record stream (handle 1), mode "a" the log (handle 2).
static uint32_t open_console(Machine *machine, uint32_t block) {
    uint32_t name = argument(machine, block, 0);
    uint32_t mode = argument(machine, block, 1);
    uint32_t length = argument(machine, block, 2);
    const uint8_t *text = memory_host(&machine->memory, name, 3);
    if (text == NULL || length != 3 || memcmp(text, ":tt", 3) != 0 ||
        (mode != MODE_WRITE && mode != MODE_APPEND)) {
        machine_fault(machine, "semihosting", NULL,
                      "SYS_OPEN of something other than the console for output");
        return UINT32_MAX;
    }
    uint32_t handle = mode == MODE_WRITE ? 1 : 2;
    machine->opened[handle - 1] = true;
    return handle;
}

static uint32_t write_console(Machine *machine, uint32_t block) {
    uint32_t handle = argument(machine, block, 0);
    uint32_t address = argument(machine, block, 1);
    uint32_t left = argument(machine, block, 2);
    if (handle < 1 || handle > 2 || !machine->opened[handle - 1]) {
        machine_fault(machine, "semihosting", NULL, "SYS_WRITE to a handle that is not open");
        return left;
    }
    while (left > 0 && machine->stop == STOP_NONE) {
        uint32_t chunk = MEMORY_PAGE_BYTES - address % MEMORY_PAGE_BYTES;
        chunk = chunk < left ? chunk : left;
        const uint8_t *host = memory_host(&machine->memory, address, chunk);
        if (host == NULL) {
            machine_fault(machine, "semihosting", &address, "SYS_WRITE from unmapped memory");
        } else if (fwrite(host, 1, chunk, machine->streams[handle - 1]) != chunk) {
            machine_fault(machine, "semihosting", NULL, "the host cannot write the output");
        }
        address += chunk;
        left -= chunk;
    }
    return left;
}

static void leave(Machine *machine, uint32_t reason, uint32_t code) {
    if (machine->guards.trap && !machine->guards.announced) {
        machine_fault(machine, "semihosting", NULL,
                      "--over-reads trap, but no operands were announced");
    }
    if (machine->stop == STOP_NONE) {
        machine->stop = STOP_EXIT;
        machine->exit_code = reason == APPLICATION_EXIT ? (int)code : 1;
    }
}

void semihosting_call(Machine *machine) {
    uint32_t operation = machine_register(machine, UC_ARM_REG_R0);
    uint32_t block = machine_register(machine, UC_ARM_REG_R0 + 1);
    uint32_t result = 0;
    char detail[64];
    switch (operation) {
    case SYS_OPEN:
        result = open_console(machine, block);
        break;
    case SYS_WRITE:
        result = write_console(machine, block);
        break;
    case SYS_EXIT:
        leave(machine, block, 0);
        break;
    case SYS_EXIT_EXTENDED:
        leave(machine, argument(machine, block, 0), argument(machine, block, 1));
        break;
    case SYS_GUARDS:
        guards_announced(machine, block);
        break;
    default:
        snprintf(detail, sizeof detail, "operation 0x%02x is not supported", (unsigned)operation);
        machine_fault(machine, "semihosting", NULL, detail);
    }
    machine->api.reg_write(machine->engine, UC_ARM_REG_R0, &result);
}
