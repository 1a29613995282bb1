// SPDX-License-Identifier: Apache-2.0
// Control and status registers. Interrupts and traps are not modelled: the trap registers only
// hold what was written. Two performance counters exist: PCCR0 counts cycles in which the core
// was not clock-gated, PCCR1 instructions, each while its PCER bit and PCMR bit 0 are set.
#include "isa.h"
#include "xpulp.h"

#include <stdlib.h>

enum {
    CSR_HARTID_USER = 0x014,
    CSR_MSTATUS = 0x300,
    CSR_MIE = 0x304,
    CSR_MTVEC = 0x305,
    CSR_MSCRATCH = 0x340,
    CSR_MEPC = 0x341,
    CSR_MCAUSE = 0x342,
    CSR_PCCR0 = 0x780,
    CSR_PCCR1 = 0x781,
    CSR_LOOP = 0x7c0,
    CSR_PCER = 0x7e0,
    CSR_PCMR = 0x7e1,
    CSR_PCER_GVSOC = 0xcc0,
    CSR_PCMR_GVSOC = 0xcc1,
    CSR_MCYCLE = 0xb00,
    CSR_MINSTRET = 0xb02,
    CSR_MCYCLEH = 0xb80,
    CSR_MINSTRETH = 0xb82,
    CSR_HARTID = 0xf14
};

static uint32_t hart_id(const core *c) {
    return c->id == FC ? 0x3e0u : c->id; // cluster number << 5 | core
}

static step unknown(sim *s, core *c, uint32_t number, const char *what) {
    fault(s, c, "unmodelled-register", NULL, "%s of CSR 0x%03x", what, (unsigned)number);
    return STEP_STOP;
}

// Remembers what core 0 saw, with the instructions of the whole cluster so far.
static step note_counter_read(sim *s, const core *c) {
    if (s->read_count == MAX_COUNTER_READS) {
        fault(s, c, "counter-reads", NULL, "core 0 read mcycle more than %d times",
              MAX_COUNTER_READS);
        return STEP_STOP;
    }
    // The harness, whose stacks were named, reads twice per run of a kernel.
    bool ends_kernel = s->stack_bytes != 0 && s->read_count % 2 == 1;
    if (ends_kernel && !dma_complete(s, c, "when the kernel has returned")) {
        return STEP_STOP;
    }
    if (s->read_count == s->read_capacity) {
        size_t capacity = s->read_capacity == 0 ? 16 : 2 * s->read_capacity;
        counter_read *grown = realloc(s->reads, capacity * sizeof *grown);
        if (grown == NULL) {
            fprintf(stderr, "xpulp_sim: out of memory\n");
            exit(3);
        }
        s->reads = grown;
        s->read_capacity = capacity;
    }
    uint64_t instructions = 0;
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        instructions += s->cores[i].instructions;
    }
    s->reads[s->read_count++] = (counter_read){c->cycle, instructions};
    if (s->stack_bytes != 0 && s->read_count == HARNESS_READS) {
        // The rest of the job is not timed: values matter, the order of steps does not.
        s->untimed = true;
        s->model_conflicts = s->model_icache = false;
    }
    return STEP_OK;
}

static uint64_t counted(const core *c, uint32_t which) {
    return which == 0 ? c->cycle - c->sleep_cycles : c->instructions;
}

static bool counting(const core *c, uint32_t which) {
    return (c->pcmr & 1) != 0 && (c->pcer >> which & 1) != 0;
}

static uint64_t counter_value(const core *c, uint32_t which) {
    return c->pccr[which] + (counting(c, which) ? counted(c, which) - c->pccr_start[which] : 0);
}

// Applies a change of the enables: what was counted so far is kept.
static void counter_enable(core *c, uint32_t pcer, uint32_t pcmr) {
    for (uint32_t i = 0; i < 2; i++) {
        c->pccr[i] = counter_value(c, i);
        c->pccr_start[i] = counted(c, i);
    }
    c->pcer = pcer;
    c->pcmr = pcmr;
}

static uint32_t *loop_register(core *c, uint32_t number) {
    uint32_t loop = (number - CSR_LOOP) / 4;
    switch ((number - CSR_LOOP) % 4) {
    case 0:
        return &c->lpstart[loop];
    case 1:
        return &c->lpend[loop];
    case 2:
        return &c->lpcount[loop];
    default:
        return NULL;
    }
}

static uint32_t *plain_register(core *c, uint32_t number) {
    switch (number) {
    case CSR_MSTATUS:
        return &c->mstatus;
    case CSR_MTVEC:
        return &c->mtvec;
    case CSR_MSCRATCH:
        return &c->mscratch;
    case CSR_MEPC:
        return &c->mepc;
    case CSR_MCAUSE:
        return &c->mcause;
    default:
        return number >= CSR_LOOP && number < CSR_LOOP + 8 ? loop_register(c, number) : NULL;
    }
}

static step csr_read(sim *s, core *c, uint32_t number, uint32_t *value) {
    const uint32_t *plain = plain_register(c, number);
    if (plain != NULL) {
        *value = *plain;
        return STEP_OK;
    }
    switch (number) {
    case CSR_HARTID:
    case CSR_HARTID_USER:
        *value = hart_id(c);
        return STEP_OK;
    case CSR_MCYCLE:
        *value = (uint32_t)c->cycle;
        return c->id == 0 ? note_counter_read(s, c) : STEP_OK;
    case CSR_MCYCLEH:
        *value = (uint32_t)(c->cycle >> 32);
        return STEP_OK;
    case CSR_MINSTRET:
        *value = (uint32_t)c->instructions;
        return STEP_OK;
    case CSR_MINSTRETH:
        *value = (uint32_t)(c->instructions >> 32);
        return STEP_OK;
    case CSR_MIE:
        *value = 0;
        return STEP_OK;
    case CSR_PCCR0:
    case CSR_PCCR1:
        *value = (uint32_t)counter_value(c, number - CSR_PCCR0);
        return STEP_OK;
    case CSR_PCER:
    case CSR_PCER_GVSOC:
        *value = c->pcer;
        return STEP_OK;
    case CSR_PCMR:
    case CSR_PCMR_GVSOC:
        *value = c->pcmr;
        return STEP_OK;
    default:
        return unknown(s, c, number, "read");
    }
}

static step csr_write(sim *s, core *c, uint32_t number, uint32_t value) {
    uint32_t *plain = plain_register(c, number);
    if (plain != NULL) {
        *plain = value;
        if (number == CSR_LOOP + 1 || number == CSR_LOOP + 5) {
            mark_loop_end(s, value);
        }
        return STEP_OK;
    }
    switch (number) {
    case CSR_MIE:
        return value == 0 ? STEP_OK : unknown(s, c, number, "interrupts enabled by a write");
    case CSR_PCCR0:
    case CSR_PCCR1:
        c->pccr[number - CSR_PCCR0] = value;
        c->pccr_start[number - CSR_PCCR0] = counted(c, number - CSR_PCCR0);
        return STEP_OK;
    case CSR_PCER:
    case CSR_PCER_GVSOC:
        if ((value & ~3u) != 0) {
            return unknown(s, c, number, "events other than cycles and instructions in a write");
        }
        counter_enable(c, value, c->pcmr);
        return STEP_OK;
    case CSR_PCMR:
    case CSR_PCMR_GVSOC:
        counter_enable(c, c->pcer, value);
        return STEP_OK;
    default:
        return unknown(s, c, number, "write");
    }
}

step csr_access(sim *s, core *c, const insn *in) {
    uint32_t op = in->op & OPERATION_MASK;
    uint32_t operand = op >= OP_CSRRWI ? in->rs1 : c->x[in->rs1];
    bool replaces = op == OP_CSRRW || op == OP_CSRRWI;
    bool sets = op == OP_CSRRS || op == OP_CSRRSI;
    uint32_t old = 0;
    if (!(replaces && in->rd == SINK) && csr_read(s, c, in->imm, &old) != STEP_OK) {
        return STEP_STOP;
    }
    if (replaces || in->rs1 != 0) {
        uint32_t value = replaces ? operand : sets ? old | operand : old & ~operand;
        if (csr_write(s, c, in->imm, value) != STEP_OK) {
            return STEP_STOP;
        }
    }
    c->x[in->rd] = old;
    return STEP_OK;
}
