// SPDX-License-Identifier: Apache-2.0
// Registers outside the memories. A register that is not listed here faults.
#include "xpulp.h"

#define CLUSTER_CONTROL 0x10200000u
#define CLUSTER_EVENT_UNIT_SOFTWARE 0x10200E00u // software events through the peripheral bus
#define CLUSTER_ICACHE 0x10201400u
#define EVENT_DEMUX 0x10204000u
#define EVENT_DEMUX_ALIAS 0x00204000u
#define DMA_OFFSET 0x400u // from the demultiplexer's base
#define SOC_EXIT 0x1A1040A0u
#define FC_ICACHE 0x1A108800u
#define STDOUT 0x1A10F000u

enum {
    FETCH_ENABLE = 0x08,
    BOOT_ADDRESS = 0x40,
    DEMUX_BYTES = 0x800,
    ICACHE_BYTES = 0x400,
    STDOUT_BYTES = 0x1000
};

static step unknown(sim *s, core *c, uint32_t address, const char *what) {
    fault(s, c, "memory-access", &address, "%s: no memory or modelled register there", what);
    return STEP_STOP;
}

static bool demux_offset(uint32_t address, uint32_t *offset) {
    *offset = address - EVENT_DEMUX;
    if (*offset >= DEMUX_BYTES) {
        *offset = address - EVENT_DEMUX_ALIAS;
    }
    return *offset < DEMUX_BYTES;
}

static step start_cores(sim *s, core *c, uint32_t value) {
    if ((value >> CLUSTER_CORES) != 0 || (s->fetch_enable & ~value) != 0) {
        fault(s, c, "unmodelled-register", NULL,
              "fetch enable 0x%x: only cores 0..%d, and a running core is not stopped",
              (unsigned)value, CLUSTER_CORES - 1);
        return STEP_STOP;
    }
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        core *started = &s->cores[i];
        if ((value >> i & 1) != 0 && started->state == CORE_OFF) {
            if (!jump_region(s, c, started->boot_address)) {
                return STEP_STOP;
            }
            started->wait_since = 0;
            core_set_pc(s, started, started->boot_address);
            core_wake(s, started, c->cycle + s->timing->core_start);
        }
    }
    s->fetch_enable = value;
    return STEP_OK;
}

static step cluster_control_store(sim *s, core *c, uint32_t address, uint32_t value) {
    uint32_t offset = address - CLUSTER_CONTROL;
    uint32_t number = (offset - BOOT_ADDRESS) / 4;
    if (offset == FETCH_ENABLE) {
        return start_cores(s, c, value);
    }
    if (offset >= BOOT_ADDRESS && number < CLUSTER_CORES) {
        s->cores[number].boot_address = value;
        return STEP_OK;
    }
    return unknown(s, c, address, "store");
}

step peripheral_load(sim *s, core *c, uint32_t address, uint32_t bytes, uint32_t *value) {
    uint32_t offset;
    if (bytes != 4 || (address & 3) != 0) {
        return unknown(s, c, address, "load (registers take aligned words)");
    }
    if (demux_offset(address, &offset) && c->id != FC) {
        c->cycle += s->timing->demux - 1;
        return offset >= DMA_OFFSET ? dma_load(s, c, offset - DMA_OFFSET, value)
                                    : event_unit_load(s, c, offset, value);
    }
    offset = address - CLUSTER_CONTROL;
    if (offset == FETCH_ENABLE) {
        *value = s->fetch_enable;
    } else if (offset >= BOOT_ADDRESS && offset < BOOT_ADDRESS + 4 * CLUSTER_CORES) {
        *value = s->cores[(offset - BOOT_ADDRESS) / 4].boot_address;
    } else {
        return unknown(s, c, address, "load");
    }
    c->cycle += s->timing->cluster_peripheral - 1;
    return STEP_OK;
}

step peripheral_wait(sim *s, core *c, uint32_t address, uint32_t rd) {
    uint32_t offset;
    if ((address & 3) != 0 || c->id == FC || !demux_offset(address, &offset)) {
        fault(s, c, "event-wait", &address,
              "p.elw takes an aligned address in the event unit, from a cluster core");
        return STEP_STOP;
    }
    return event_unit_wait(s, c, offset, rd);
}

static step exit_store(sim *s, core *c, uint32_t value) {
    if ((value & 0x80000000u) == 0) {
        fault(s, c, "unmodelled-register", NULL, "exit register without bit 31: 0x%08x",
              (unsigned)value);
    } else if (dma_complete(s, c, "at the end of the run") && guards_kept(s, c)) {
        s->status = STATUS_EXIT;
        s->exit_code = (int32_t)(value & 0x7fffffffu);
    }
    return STEP_STOP;
}

// Enable and flush; the other registers of the controller have no effect that shows. Cores run
// ahead on what is in their caches, so nothing may be taken from them meanwhile.
static step icache_store(sim *s, core *c, uint32_t offset, uint32_t value) {
    bool flushes = offset == 4, disables = offset == 0 && value == 0 && s->icache_enabled;
    for (uint32_t i = 0; i < CLUSTER_CORES && (flushes || disables); i++) {
        if (&s->cores[i] != c && s->cores[i].state == CORE_RUNNING) {
            fault(s, c, "unmodelled-register", NULL,
                  "instruction caches flushed or disabled while core %u runs", (unsigned)i);
            return STEP_STOP;
        }
    }
    if (flushes) {
        icache_flush(s);
    } else if (offset == 0) {
        s->icache_enabled = value != 0;
    }
    return STEP_OK;
}

step peripheral_store(sim *s, core *c, uint32_t address, uint32_t bytes, uint32_t value) {
    uint32_t offset;
    if (address - STDOUT < STDOUT_BYTES && (address & 7) == 0) { // one port per core, any width
        c->cycle += s->timing->apb - 1;
        return write_output(s, c, s->log, &(uint8_t){(uint8_t)value}, 1);
    }
    if (bytes != 4 || (address & 3) != 0) {
        return unknown(s, c, address, "store (registers take aligned words)");
    }
    if (demux_offset(address, &offset) && c->id != FC) {
        c->cycle += s->timing->demux - 1;
        return offset >= DMA_OFFSET ? dma_store(s, c, offset - DMA_OFFSET, value)
                                    : event_unit_store(s, c, offset, value);
    }
    if (address == SOC_EXIT) {
        return exit_store(s, c, value);
    }
    if (address - FC_ICACHE < ICACHE_BYTES) {
        c->cycle += s->timing->apb - 1;
        return STEP_OK; // caches are transparent
    }
    c->cycle += s->timing->cluster_peripheral - 1;
    if (address - CLUSTER_ICACHE < ICACHE_BYTES) {
        return icache_store(s, c, address - CLUSTER_ICACHE, value);
    }
    offset = address - CLUSTER_EVENT_UNIT_SOFTWARE;
    if (offset < 4 * SOFTWARE_EVENTS) {
        event_unit_trigger(s, c->cycle, 1u << offset / 4, value);
        return STEP_OK;
    }
    return cluster_control_store(s, c, address, value);
}
