// SPDX-License-Identifier: Apache-2.0
// Registers outside the memories. A register that is not listed here faults.
#include "xpulp.h"

#define FETCH_ENABLE 0x10200008u
#define BOOT_ADDRESS 0x10200040u
#define SOFTWARE_EVENT 0x10200E00u // through the peripheral bus
#define CLUSTER_ICACHE 0x10201400u
#define EVENT_DEMUX 0x10204000u
#define EVENT_DEMUX_ALIAS 0x00204000u
#define SOC_EXIT 0x1A1040A0u
#define FC_ICACHE 0x1A108800u
#define STDOUT 0x1A10F000u

enum {
    DMA_OFFSET = 0x400, // from the demultiplexer's base
    DEMUX_BYTES = 0x800,
    ICACHE_BYTES = 0x400,
    STDOUT_BYTES = 0x1000
};

static step unknown(sim *s, core *c, uint32_t address, const char *what) {
    return fault(s, c, "memory-access", &address, "%s: no memory or modelled register there", what);
}

static bool demux_offset(const core *c, uint32_t address, uint32_t *offset) {
    bool alias = address - EVENT_DEMUX_ALIAS < DEMUX_BYTES;
    *offset = address - (alias ? EVENT_DEMUX_ALIAS : EVENT_DEMUX);
    return c->id != FC && *offset < DEMUX_BYTES;
}

static uint32_t *boot_address(sim *s, uint32_t address) {
    uint32_t number = (address - BOOT_ADDRESS) / 4;
    return number < CLUSTER_CORES ? &s->cores[number].boot_address : NULL;
}

static bool start_cores(sim *s, core *c, uint32_t value) {
    if ((value >> CLUSTER_CORES) != 0 || (s->fetch_enable & ~value) != 0) {
        return fault(s, c, "unmodelled-register", NULL,
                     "fetch enable 0x%x: only cores 0..%d, and a running core is not stopped",
                     (unsigned)value, CLUSTER_CORES - 1);
    }
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        core *started = &s->cores[i];
        if ((value >> i & 1) != 0 && started->state == CORE_OFF) {
            if (!jump_region(s, c, started->boot_address)) {
                return false;
            }
            started->wait_since = 0;
            core_set_pc(s, started, started->boot_address);
            core_wake(s, started, c->cycle + s->timing->core_start);
        }
    }
    s->fetch_enable = value;
    return true;
}

static bool register_load(sim *s, core *c, uint32_t address, uint32_t *value) {
    const uint32_t *boot = boot_address(s, address);
    if (address != FETCH_ENABLE && boot == NULL) {
        return unknown(s, c, address, "load");
    }
    *value = boot != NULL ? *boot : s->fetch_enable;
    c->cycle += s->timing->cluster_peripheral - 1;
    return true;
}

step peripheral_wait(sim *s, core *c, uint32_t address, uint32_t rd) {
    uint32_t offset;
    if ((address & 3) != 0 || !demux_offset(c, address, &offset)) {
        return fault(s, c, "event-wait", &address,
                     "p.elw takes an aligned address in the event unit, from a cluster core");
    }
    return event_unit_wait(s, c, offset, rd);
}

// Enable and flush; the other registers of the controller have no effect that shows. Cores run
// ahead on what is in their caches, so nothing may be taken from them meanwhile.
static bool icache_store(sim *s, core *c, uint32_t offset, uint32_t value) {
    bool flushes = offset == 4, disables = offset == 0 && value == 0 && s->icache_enabled;
    for (uint32_t i = 0; i < CLUSTER_CORES && (flushes || disables); i++) {
        if (&s->cores[i] != c && s->cores[i].state == CORE_RUNNING) {
            return fault(s, c, "unmodelled-register", NULL,
                         "instruction caches flushed or disabled while core %u runs", (unsigned)i);
        }
    }
    if (flushes) {
        icache_flush(s);
    } else if (offset == 0) {
        s->icache_enabled = value != 0;
    }
    return true;
}

static bool register_store(sim *s, core *c, uint32_t address, uint32_t value) {
    uint32_t *boot = boot_address(s, address);
    if (address == SOC_EXIT) {
        return (value & 0x80000000u) != 0
                   ? program_exit(s, c, value & INT32_MAX)
                   : fault(s, c, "unmodelled-register", NULL,
                           "exit register without bit 31: 0x%08x", (unsigned)value);
    }
    if (address - FC_ICACHE < ICACHE_BYTES) {
        c->cycle += s->timing->apb - 1;
        return true; // caches are transparent
    }
    c->cycle += s->timing->cluster_peripheral - 1;
    if (address - CLUSTER_ICACHE < ICACHE_BYTES) {
        return icache_store(s, c, address - CLUSTER_ICACHE, value);
    }
    if (address == FETCH_ENABLE) {
        return start_cores(s, c, value);
    }
    if (address - SOFTWARE_EVENT < 4 * SOFTWARE_EVENTS) {
        event_unit_trigger(s, c->cycle, 1u << (address - SOFTWARE_EVENT) / 4, value);
    } else if (boot != NULL) {
        *boot = value;
    } else {
        return unknown(s, c, address, "store");
    }
    return true;
}

step peripheral_access(sim *s, core *c, uint32_t address, uint32_t bytes, bool store,
                       uint32_t *value) {
    uint32_t offset;
    if (store && address - STDOUT < STDOUT_BYTES && (address & 7) == 0) {
        c->cycle += s->timing->apb - 1; // one port per core, any width
        return write_output(s, c, s->log, &(uint8_t){(uint8_t)*value}, 1);
    }
    if (bytes != 4 || (address & 3) != 0) {
        return unknown(s, c, address,
                       store ? "store (registers take aligned words)"
                             : "load (registers take aligned words)");
    }
    if (demux_offset(c, address, &offset)) {
        c->cycle += s->timing->demux - 1;
        return offset >= DMA_OFFSET ? dma_access(s, c, offset - DMA_OFFSET, store, value)
               : store              ? event_unit_store(s, c, offset, *value)
                                    : event_unit_load(s, c, offset, value);
    }
    return store ? register_store(s, c, address, *value) : register_load(s, c, address, value);
}
