// SPDX-License-Identifier: Apache-2.0
// Profile and trace of the timed run: what the cluster cores do between the third and the fourth
// time that core 0 reads mcycle. Nothing of this is reached without --profile or --trace.
#ifndef XPULP_OBSERVE_H
#define XPULP_OBSERVE_H

#include "isa.h"
#include "xpulp.h"

enum {
    FIRST_READ = 3,
    LAST_READ = HARNESS_READS,
    TRACE_LIMIT = 200000, // instructions, all cores together
    MAX_CALL_DEPTH = 64   // deeper calls count where the deepest frame made them
};

// Why an instruction took more than one cycle; the names are in profile.c.
typedef enum {
    CAUSE_LOAD_USE,
    CAUSE_MULTIPLY_USE,
    CAUSE_BRANCH,
    CAUSE_BANK_CONFLICT,
    CAUSE_WAIT,
    CAUSE_FETCH,
    CAUSE_L2,
    CAUSE_PERIPHERAL,
    CAUSE_MULTI_CYCLE,
    CAUSE_MISALIGNED,
    CAUSE_OTHER,
    CAUSE_COUNT
} cause;

typedef struct {
    uint32_t core, frame, pc;
    bool used;
    uint64_t executions, cycles, stalls[CAUSE_COUNT];
} profile_entry;

// A call: from where, within which frame. Frame 0 is where the timed run began.
typedef struct {
    uint32_t parent, call_site, return_address, depth;
} call_frame;

typedef struct {
    profile_entry *entries; // open addressing, the capacity is a power of two
    size_t capacity, count;
    call_frame *frames;
    size_t frame_count, frame_capacity;
    uint32_t frame[CLUSTER_CORES];
} profile;

typedef struct {
    FILE *file;
    uint64_t count;
} trace;

// A core as it was when its last step ended.
typedef struct {
    uint64_t cycle;
    uint32_t pc, frame; // of that step
    bool multiplied;    // the step was a multiplication
    bool operand_late;  // the next instruction uses what comes a cycle later
    uint64_t fetch;     // cycles that its fetch takes
    bool asleep;        // and has not gone on since
    bool waits;         // its p.elw is not in the trace yet: the value comes with the event
    uint64_t wait_cycle;
} watched_core;

struct observer {
    const char *profile_path;
    profile profile;
    trace trace;
    watched_core cores[CLUSTER_CORES];
};

// observe.c: as execute(), one instruction at a time.
void observe(sim *s, core *c, uint64_t limit);
bool observer_open(sim *s, const char *profile_path, const char *trace_path);
bool observer_close(sim *s); // writes the files and frees everything; false if that failed

// profile.c
void profile_count(profile *p, uint32_t core, uint32_t frame, uint32_t pc, uint64_t executions,
                   uint64_t cycles, const uint64_t stalls[CAUSE_COUNT]);
void profile_control(profile *p, const core *c, const insn *in, uint32_t pc);
bool profile_write(const profile *p, const char *path);
void profile_free(profile *p);

// trace.c: one line of text for an instruction that was executed from cycle `start` on.
void trace_step(trace *t, const sim *s, const core *c, const insn *in, uint32_t pc, uint64_t start,
                const uint32_t *address);

static inline const instruction *row_of(const insn *in) {
    return &instructions[in->op & OPERATION_MASK];
}

// What the instruction accesses, from the registers before it; false for all others.
bool accessed_address(const insn *in, const uint32_t *x, uint32_t *address);

#endif
