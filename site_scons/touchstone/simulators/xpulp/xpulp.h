// SPDX-License-Identifier: Apache-2.0
// State of the simulated system: eight cluster cores and a fabric controller (FC), L1 and L2.
#ifndef XPULP_H
#define XPULP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// Memory words are read with memcpy, so the host has to share the byte order of the target.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the host must be little-endian");

enum {
    CLUSTER_CORES = 8,
    FC = CLUSTER_CORES, // index of the fabric controller
    ALL_CORES = CLUSTER_CORES + 1,
    STACK_POINTER = 2,
    SINK = 32, // register that takes results for x0
    BARRIERS = 9,
    BARRIER_AREA = 0x200, // in the event unit
    BARRIER_BYTES = 0x20,
    MUTEXES = 8,
    SOFTWARE_EVENTS = 8,
    // More than any instruction takes: bounds the cycles of a run by its instructions.
    CYCLES_PER_INSTRUCTION = 256,
    // What a runaway program may leave behind before it faults.
    MAX_COUNTER_READS = 1 << 16,
    HARNESS_READS = 4, // of mcycle, by an image of the harness: around its cold and its warm run
    MAX_OUTPUT_BYTES = 1 << 28,
    L1_BANKS = 16, // word interleaved
    ICACHE_WAYS = 4,
    PRIVATE_SETS = 8, // 512 bytes per core
    SHARED_SETS = 32, // per bank, 2 KB each
    FETCH_LINE_BYTES = 16,
    FETCH_LAST_INDEX = FETCH_LINE_BYTES - 4, // beyond it an instruction needs the next line too
    CODE_BLOCK_BITS = 8 // granule of the coarse "holds executed code" map, log2 bytes
};

// As far as cycles are bounded: shifted by eight bits, they fit into keys.
#define MAX_INSTRUCTIONS UINT64_C(10000000000000)
#define L1_BASE 0x10000000u
#define L1_SIZE 0x00020000u // at most: --l1-bytes
#define L2_BASE 0x1C000000u // 64 KB private, then 1.5 MB shared, one range
#define L2_SIZE 0x00190000u

// A decoded instruction. rd is SINK when it writes none, or x0.
typedef struct {
    uint16_t op;      // isa.h
    uint8_t half;     // length in half-words, 0 until it is decoded
    uint8_t loop_end; // some core has named this address as the end of a hardware loop
    uint8_t rd, rs1, rs2, rs3;
    uint32_t imm;
    uint32_t uses; // mask of the registers read
} insn;

// One memory and the decoded form of what was executed from it.
typedef struct {
    uint32_t base, size;
    uint8_t *bytes;
    insn *code;        // one entry per half-word, two spare ones at the end
    uint8_t *has_code; // per block of 2^CODE_BLOCK_BITS bytes: something was executed there
} region;

// Cycles. "extra" and "use" count those beyond the first, of an instruction and of the next one if
// it needs the result. Columns: GVSOC's pulp-open as measured (RI5CY model, caches warm, no bank
// conflicts); the RI5CY user manual where it differs, with the same memories around the core.
// clang-format off
#define XPULP_LATENCIES(X)                                                                         \
    X(load_use, 1, 1)                                                                              \
    X(mul_extra, 1, 0)                                                                             \
    X(mul_use, 1, 0)                                                                               \
    X(mulh_extra, 4, 4)                                                                            \
    X(mulh_use, 1, 0)                                                                              \
    X(branch_taken_extra, 2, 2)                                                                    \
    X(jump_extra, 1, 1)                                                                            \
    X(split_target, 0, 1)  /* jump or branch to a word-crossing 32-bit instruction */              \
    X(l1, 1, 1)            /* per access; one that crosses a word counts twice */                  \
    X(l2, 15, 15)                                                                                  \
    X(cluster_peripheral, 3, 3)                                                                    \
    X(demux, 1, 1)                                                                                 \
    X(apb, 23, 23)                                                                                 \
    X(fc_memory, 1, 1)                                                                             \
    X(event_wait, 5, 5)    /* p.elw, from its issue or the event, whichever is later */            \
    X(elw_extra, 2, 2)     /* p.elw that need not wait */                                          \
    X(div_positive, 3, 3)  /* + leading zeros of the divisor */                                    \
    X(div_negative, 2, 2)  /* + leading zeros of its absolute value */                             \
    X(div_by_zero, 1, 35)                                                                          \
    X(divu_by_zero, 34, 35)                                                                        \
    X(refill, 2, 2)        /* instruction cache, per level */                                      \
    X(fetch_l2, 14, 14)    /* instruction line from L2 */                                          \
    X(core_start, 1, 1)    /* fetch enable to first instruction */
// clang-format on
#define LATENCY_FIELD(name, gvsoc, rtl) uint32_t name;
typedef struct {
    XPULP_LATENCIES(LATENCY_FIELD)
} latency;

extern const latency latencies[2]; // gvsoc, rtl
uint32_t latency_divide(const latency *t, uint32_t divisor, bool is_signed);

typedef enum {
    CORE_OFF,
    CORE_RUNNING,
    CORE_EVENT_WAIT,
    CORE_MUTEX_WAIT,
    CORE_WFI,
    CORE_DMA_QUEUE,
    CORE_DMA_COUNTER
} core_state;

typedef struct {
    uint32_t tag[ICACHE_WAYS];   // line number + 1, 0 for none
    uint64_t ready[ICACHE_WAYS]; // cycle at which its refill is complete
} icache_set;

typedef struct {
    icache_set sets[SHARED_SETS]; // a private cache uses the first ones
    uint8_t lfsr;                 // chooses the way to replace
    uint64_t busy_until;
} icache;

typedef struct {
    uint32_t x[33];
    uint32_t l1_bytes; // what it reaches without memory.c
    region *region;    // where its code lies
    insn *at;          // its next instruction
    uint64_t cycle;
    uint64_t instructions;
    uint32_t pending; // registers whose use costs a stall in the next instruction
    uint32_t late;    // stalls of the current instruction: it acts at once, they follow
    uint32_t id;      // 0..7, FC
    uint32_t rank;    // order among the cores that act in the same cycle
    core_state state;
    uint32_t lpstart[2], lpend[2], lpcount[2];
    uint32_t mstatus, mtvec, mepc, mcause, mscratch;
    uint64_t sleep_cycles;
    uint32_t pcer, pcmr, pccr[2]; // of active cycles, of instructions
    uint64_t counted[2];          // what of them is in pccr, or was not to be counted
    uint32_t fetch_base;          // address of the line in the prefetch buffer
    bool entered;                 // the fetch of its next instruction has been charged
    bool has_stack;               // its stack pointer has been in its own stack
    uint32_t loaded;              // value that its first half has loaded
    bool split;                   // the first half of its access has been made
    uint64_t fetch_cycles;        // of all fetches so far
    icache private_icache;
    // Event unit, this core's part.
    uint32_t boot_address;
    uint32_t event_mask, event_buffer;
    bool wait_clears;
    uint32_t wait_rd, wait_pc, wait_register; // the last: offset in the event unit
    uint64_t wait_since;
} core;

typedef struct {
    uint32_t trigger_mask, target_mask, status;
} barrier;

typedef struct {
    bool locked;
    uint32_t waiting;
} mutex;

typedef struct {
    uint64_t cycles, instructions;
} counter_read;

// Bytes of L1 that a kernel may not touch while it runs (guards.c).
typedef struct {
    bool trap;      // option: the firmware has to announce its operands
    bool announced; // it has
    bool on;        // a kernel runs
    uint8_t forbidden[L1_SIZE];
} guard_map;

typedef enum { RUNNING, EXIT, LIMIT, DEADLOCK, FAULT } sim_status;

typedef struct {
    const char *kind;
    uint32_t core, pc, address;
    bool has_address;
    char detail[600];
} fault_record;

typedef struct {
    region l1, l2;
    core cores[ALL_CORES];
    // Cycle, rank and core of the next step; UINT64_MAX for who sleeps or has its turn; DMA last.
    uint64_t key[ALL_CORES + 1];
    uint64_t next_key;         // the least of them, unless `reschedule`
    uint8_t ranked[ALL_CORES]; // core of each rank
    struct dma *dma;
    barrier barriers[BARRIERS];
    uint32_t barrier_skew, releases; // cycles a core is late per place; barriers released so far
    mutex mutexes[MUTEXES];
    uint32_t entry, fetch_enable;
    bool reschedule; // another core's key changed: next_key and the running core's limit are stale
    const latency *timing;
    bool model_conflicts, model_icache; // options of the timing
    bool untimed;                       // no time will be asked for: cores take longer turns
    bool icache_enabled;
    icache shared_icache[2];
    uint64_t bank_free[L1_BANKS];     // first cycle in which the bank takes another access
    uint32_t stack_base, stack_bytes; // core n's stack is the n-th; no check without bytes
    uint64_t max_instructions, max_cycles;
    uint64_t left;                         // instructions until the limit
    counter_read reads[MAX_COUNTER_READS]; // of mcycle by core 0
    uint32_t read_count;
    FILE *stream, *log;
    uint64_t output_bytes;
    guard_map guards;
    struct observer *observer; // profile and trace, NULL without (observe.h)
    sim_status status;
    uint32_t exit_code;
    fault_record fault;
} sim;

// Outcome of an access or an instruction: the run stops (as from a bool: false), it is done, the
// core sleeps, or it has to come back for the second half.
typedef enum { STEP_STOP, STEP_OK, STEP_SLEEP, STEP_SPLIT } step;

// loader.c
bool sim_allocate(sim *s, uint32_t l1_bytes);
bool load_image(sim *s, const char *path); // prints the reason and returns false

// memory.c: an access stores *value or loads it. A fault ends the run and returns false.
region *region_find(sim *s, uint32_t address);
uint8_t *memory_span(sim *s, uint32_t address, uint32_t bytes);
step bus_access(sim *s, core *c, uint32_t address, uint32_t bytes, bool store, uint32_t *value);
bool hits_code(const region *r, uint32_t offset, uint32_t bytes);
bool fault(sim *s, const core *c, const char *kind, const uint32_t *address, const char *format,
           ...);

// Cycles that an L1 access at `offset` waits for its bank from cycle `now` on; books the bank.
static inline uint64_t bank_delay(sim *s, uint32_t offset, uint64_t now) {
    uint64_t *free_at = &s->bank_free[offset / 4 % L1_BANKS];
    uint64_t start = *free_at > now ? *free_at : now;
    *free_at = start + 1;
    return start - now;
}

// guards.c
bool guards_announced(sim *s, core *c, uint32_t block);
bool guards_allow(sim *s, const core *c, uint32_t address, uint32_t bytes, const char *what);

static inline uint32_t address_of(const region *r, const insn *at) {
    return r->base + (uint32_t)(at - r->code) * 2;
}
static inline insn *insn_at(const region *r, uint32_t address) {
    return r->code + (address - r->base) / 2;
}
static inline uint32_t core_pc(const core *c) { return address_of(c->region, c->at); }

// icache.c: cycles that the fetch of the instruction at `pc` takes beyond the pipeline's own. What
// is not in the core's own cache has to wait for its turn.
#define NOT_THIS_CORES_TURN UINT32_MAX
uint32_t fetch_latency(sim *s, core *c, uint32_t pc, uint64_t now, bool turn);
void icache_flush(sim *s);

// decode.c
bool decode_at(sim *s, core *c, insn *at); // an instruction of the core's region
void mark_loop_end(sim *s, uint32_t address);
bool jump_region(sim *s, const core *c, uint32_t target); // faults if it cannot hold code

// execute.c: runs `c` until `limit` (cycle of the first shared action it may not yet do) and then
// whoever is next, as long as only the cores act; with `single` one instruction of `c`.
void execute(sim *s, core *c, uint64_t limit, bool single);

// dma.c: registers by offset from its base; `now` is the cycle that schedule_dma was told.
bool dma_allocate(sim *s);
step dma_access(sim *s, core *c, uint32_t offset, bool store, uint32_t *value);
void dma_step(sim *s, uint64_t now);
bool dma_complete(sim *s, const core *c, const char *when); // faults if a transfer is in flight

// csr.c
bool csr_access(sim *s, core *c, const insn *in); // the whole instruction

// event_unit.c
bool event_unit_load(sim *s, core *c, uint32_t offset, uint32_t *value);
bool event_unit_store(sim *s, core *c, uint32_t offset, uint32_t value);
step event_unit_wait(sim *s, core *c, uint32_t address, uint32_t rd);
void event_unit_trigger(sim *s, uint64_t now, uint32_t events, uint32_t core_mask);

// peripherals.c
step peripheral_access(sim *s, core *c, uint32_t address, uint32_t bytes, bool store,
                       uint32_t *value);
step peripheral_wait(sim *s, core *c, uint32_t address, uint32_t rd); // p.elw

// scheduler.c
void run_system(sim *s);
void core_set_pc(sim *s, core *c, uint32_t pc); // which jump_region has accepted
void schedule_dma(sim *s, uint64_t at);
step core_sleep(sim *s, core *c, core_state state);
void core_wake(sim *s, core *c, uint64_t at);

// semihost.c: what an ebreak asks for (a fault if it is no semihosting call); bytes for the stream
// or the log, which may not be more than MAX_OUTPUT_BYTES; the end of the program.
bool semihost_call(sim *s, core *c);
bool write_output(sim *s, const core *c, FILE *file, const void *bytes, uint32_t count);
bool program_exit(sim *s, const core *c, uint32_t code);

// report.c
bool write_report(const sim *s, const char *path);

#endif
