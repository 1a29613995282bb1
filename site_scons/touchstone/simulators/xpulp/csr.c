// SPDX-License-Identifier: Apache-2.0
// Control and status registers. Interrupts and traps are not modelled: the trap registers only
// hold what was written. Two performance counters exist: PCCR0 counts cycles in which the core
// was not clock-gated, PCCR1 instructions, each while its PCER bit and PCMR bit 0 are set.
#include "isa.h"
#include "xpulp.h"

enum {
    HARTID_USER = 0x014,
    MIE = 0x304,
    LPEND0 = 0x7c1,
    LPEND1 = 0x7c5,
    PCER = 0x7e0,
    PCER_GVSOC = 0xcc0,
    MCYCLE = 0xb00,
    MINSTRET = 0xb02,
    HIGH = 0x80, // added to these two
    HARTID = 0xf14,
    FC_HART = 0x3e0 // cluster number << 5 | core
};

// Those that hold what was written.
static const struct {
    uint32_t number;
    size_t at;
} plain[] = {
    {0x300, offsetof(core, mstatus)},    {0x305, offsetof(core, mtvec)},
    {0x340, offsetof(core, mscratch)},   {0x341, offsetof(core, mepc)},
    {0x342, offsetof(core, mcause)},     {0x780, offsetof(core, pccr[0])},
    {0x781, offsetof(core, pccr[1])},    {0x7c0, offsetof(core, lpstart[0])},
    {LPEND0, offsetof(core, lpend[0])},  {0x7c2, offsetof(core, lpcount[0])},
    {0x7c4, offsetof(core, lpstart[1])}, {LPEND1, offsetof(core, lpend[1])},
    {0x7c6, offsetof(core, lpcount[1])}, {PCER, offsetof(core, pcer)},
    {PCER_GVSOC, offsetof(core, pcer)},  {0x7e1, offsetof(core, pcmr)},
    {0xcc1, offsetof(core, pcmr)},
};

static uint32_t *plain_register(core *c, uint32_t number) {
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (plain[i].number == number) {
            return (uint32_t *)((char *)c + plain[i].at);
        }
    }
    return NULL;
}

static bool unknown(sim *s, core *c, uint32_t number, const char *what) {
    return fault(s, c, "unmodelled-register", NULL, "%s of CSR 0x%03x", what, (unsigned)number);
}

// Remembers what core 0 saw, with the instructions of the whole cluster so far.
static bool note_counter_read(sim *s, const core *c) {
    if (s->read_count == MAX_COUNTER_READS) {
        return fault(s, c, "counter-reads", NULL, "core 0 read mcycle more than %d times",
                     MAX_COUNTER_READS);
    }
    // The harness, whose stacks were named, reads twice per run of a kernel.
    bool ends_kernel = s->stack_bytes != 0 && s->read_count % 2 == 1;
    if (ends_kernel && !dma_complete(s, c, "when the kernel has returned")) {
        return false;
    }
    counter_read *read = &s->reads[s->read_count++];
    read->cycles = c->cycle;
    for (uint32_t i = 0; i < CLUSTER_CORES; i++) {
        read->instructions += s->cores[i].instructions;
    }
    if (s->stack_bytes != 0 && s->read_count == HARNESS_READS) {
        // The rest of the job is not timed: values matter, the order of steps does not.
        s->untimed = true;
        s->model_conflicts = s->model_icache = false;
    }
    return true;
}

// Brings the performance counters up to date.
static void count(core *c) {
    const uint64_t now[2] = {c->cycle - c->sleep_cycles, c->instructions};
    for (uint32_t i = 0; i < 2; i++) {
        bool counts = (c->pcmr & 1) != 0 && (c->pcer >> i & 1) != 0;
        c->pccr[i] += counts ? (uint32_t)(now[i] - c->counted[i]) : 0;
        c->counted[i] = now[i];
    }
}

static bool csr_read(sim *s, core *c, uint32_t number, uint32_t *value) {
    const uint32_t *at = plain_register(c, number);
    uint64_t counter = (number & ~HIGH) == MCYCLE ? c->cycle : c->instructions;
    if (at != NULL) {
        *value = *at;
    } else if (number == HARTID || number == HARTID_USER) {
        *value = c->id == FC ? FC_HART : c->id;
    } else if ((number & ~HIGH) == MCYCLE || (number & ~HIGH) == MINSTRET) {
        *value = (uint32_t)((number & HIGH) != 0 ? counter >> 32 : counter);
    } else if (number != MIE) {
        return unknown(s, c, number, "read");
    }
    return number != MCYCLE || c->id != 0 || note_counter_read(s, c);
}

static bool csr_write(sim *s, core *c, uint32_t number, uint32_t value) {
    uint32_t *at = plain_register(c, number);
    if ((number == PCER || number == PCER_GVSOC) && (value & ~3u) != 0) {
        return unknown(s, c, number, "events other than cycles and instructions in a write");
    }
    if (at == NULL) {
        return (number == MIE && value == 0) ||
               unknown(s, c, number, number == MIE ? "interrupts enabled by a write" : "write");
    }
    *at = value;
    if (number == LPEND0 || number == LPEND1) {
        mark_loop_end(s, value);
    }
    return true;
}

bool csr_access(sim *s, core *c, const insn *in) {
    uint32_t op = in->op & OPERATION_MASK, old = 0;
    uint32_t operand = op >= OP_CSRRWI ? in->rs1 : c->x[in->rs1];
    bool replaces = op == OP_CSRRW || op == OP_CSRRWI;
    bool sets = op == OP_CSRRS || op == OP_CSRRSI;
    count(c);
    if (!(replaces && in->rd == SINK) && !csr_read(s, c, in->imm, &old)) {
        return false;
    }
    uint32_t value = replaces ? operand : sets ? old | operand : old & ~operand;
    if ((replaces || in->rs1 != 0) && !csr_write(s, c, in->imm, value)) {
        return false;
    }
    c->x[in->rd] = old;
    return true;
}
