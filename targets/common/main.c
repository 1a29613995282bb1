/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The harness: runs the job of the image on core 0's behalf and reports what came of it. Each case
 * runs with poisoned output and scratch; the timed one twice, on two different poisons, so that
 * uninitialised reads and state that leaks from call to call show as outputs that differ.
 */
#include <stdbool.h>

#include "arena.h"
#include "board.h"
#include "console.h"
#include "guards.h"
#include "job.h"
#include "measure.h"
#include "records.h"
#include "stack.h"
#include "ts_job.h"

enum { POISON_COLD = 0xA5, POISON_WARM = 0x5A };

/* What the cases have shown so far. */
typedef struct {
    bool counts_cycles;
    ts_call call; /* the last one */
    ts_record_end end;
} progress;

static ts_arena arena;
static uint32_t params[TS_MAX_PARAMS];

static void log_damage(uint32_t index, const char *what, uint32_t operand, int32_t offset) {
    ts_log("case ");
    ts_log_decimal((int32_t)index);
    ts_log(what);
    ts_log_decimal((int32_t)operand);
    ts_log(", offset ");
    ts_log_decimal(offset);
    ts_log("\n");
}

/* What a call has damaged, unless the record already tells of something. */
static void note_damage(const ts_job *job, const ts_job_case *entry, uint32_t index,
                        ts_record_case *record) {
    ts_damage damage = ts_arena_check_guards(&arena);
    const char *what = ": guard overwritten, operand ";
    ts_status status = TS_STATUS_GUARD_OVERWRITTEN;
    if (!damage.found) {
        damage = ts_arena_check_inputs(&arena, job, entry);
        what = ": input changed, operand ";
        status = TS_STATUS_INPUT_CHANGED;
    }
    if (damage.found && record->status == TS_STATUS_OK) {
        record->status = status;
        record->operand = damage.slot;
        record->offset = damage.offset;
        log_damage(index, what, damage.slot, damage.offset);
    }
}

/* Last of all: damage explains why outputs differ, not the other way round. */
static void compare_runs(const ts_job *job, uint32_t index, ts_record_case *record) {
    if (record->hash_cold != record->hash_warm && record->status == TS_STATUS_OK) {
        record->status = TS_STATUS_RUNS_DIFFER;
        record->operand = job->output_index;
        log_damage(index, ": the two runs differ, operand ", record->operand, record->offset);
    }
}

static void note_stacks(const ts_job *job, const ts_call *call, progress *state) {
    for (uint32_t core = 0; core < job->cores; core++) {
        const uintptr_t from = core == 0 ? call->stack_at : ts_stack_top(core);
        const uint32_t used = ts_stack_used(core, from);
        if (used > state->end.stack_bytes) {
            state->end.stack_bytes = used;
        }
        if (ts_stack_overflowed(core)) {
            ts_log("stack overflow on core ");
            ts_log_decimal((int32_t)core);
            ts_log("\n");
            ts_exit(TS_EXIT_STACK);
        }
    }
}

/* A case's calls, each on a poison of its own: cycles and hashes of its output by their number.
 *
 * Between the two calls of a timed case there is no more than it takes to tell them apart, and in
 * as little code as possible: so that the second one finds its own in the instruction cache. What
 * they did besides is looked at after both. */
TS_GLUE_SMALL void run_calls(const ts_job *job, const ts_case *c, uint32_t calls, bool timed,
                             progress *state, uint32_t *cycles, uint32_t *hashes) {
    const ts_team team = {.core = 0, .cores = job->cores};
    const bool announces = (job->flags & TS_JOB_ANNOUNCES) != 0;
    for (uint32_t i = 0, poison = POISON_COLD; i < calls; i++, poison = POISON_WARM) {
        ts_arena_poison(&arena, job, (uint8_t)poison);
        if (announces) {
            ts_guards_announce(&arena, true);
        }
        state->call = timed ? ts_call_timed(&team, c) : ts_call_untimed(&team, c);
        if (announces) {
            ts_guards_announce(&arena, false);
        }
        cycles[i] = state->call.cycles;
        hashes[i] = ts_arena_hash_output(&arena, job);
    }
}

/* Case `index`: its record, and its output in the arena. */
static ts_record_case run_case(const ts_job *job, const ts_job_case *entry, uint32_t index,
                               progress *state) {
    const bool timed = entry->timed && state->counts_cycles;
    const uint32_t calls = entry->timed ? 2 : 1;
    const ts_case c = {
        .shape = job->shape,
        .params = params,
        .operands = arena.operands,
        .scratch = arena.start[job->operand_count],
    };
    ts_record_case record = {0};
    uint32_t cycles[2], hashes[2];
    for (uint32_t i = 0; i < job->param_count; i++) {
        params[i] = entry->params[i];
    }
    ts_arena_fill(&arena, job, entry);
    ts_stack_paint(0);
    run_calls(job, &c, calls, timed, state, cycles, hashes);
    if (timed) {
        state->end.cycles_cold = cycles[0];
        state->end.cycles_warm = cycles[1];
    }
    record.hash_cold = hashes[0];
    record.hash_warm = hashes[calls - 1];
    note_stacks(job, &state->call, state);
    note_damage(job, entry, index, &record);
    compare_runs(job, index, &record);
    return record;
}

static void report_case(const ts_job *job, uint32_t index, const ts_record_case *record) {
    const uint32_t output = job->output_index;
    ts_record(job, TS_RECORD_OUTPUT, index, output, arena.start[output], arena.bytes[output]);
    ts_record(job, TS_RECORD_CASE, index, 0, record, sizeof(*record));
}

/* Whether the job can run at all; then every case's layout fits. */
static ts_status check_job(const ts_job *job) {
    if (!ts_job_valid(job, ts_job_capacity(), ts_board_max_cores())) {
        ts_log("the job block is damaged or not for this firmware\n");
        return TS_STATUS_BAD_JOB;
    }
    const uint32_t scratch = ts_job_scratch(&job->shape, job->cores);
    if (scratch != job->scratch_bytes) {
        ts_log("the kernel asks for scratch of ");
        ts_log_decimal((int32_t)scratch);
        ts_log(" bytes, the job gives ");
        ts_log_decimal((int32_t)job->scratch_bytes);
        ts_log("\n");
        return TS_STATUS_SCRATCH_MISMATCH;
    }
    for (uint32_t i = 0; i < job->case_count; i++) {
        const ts_job_case entry = ts_job_case_at(job, i);
        if (!ts_arena_lay_out(&arena, job, &entry)) {
            return TS_STATUS_ARENA_TOO_SMALL;
        }
    }
    return TS_STATUS_OK;
}

static void run_cases(const ts_job *job, progress *state) {
    for (uint32_t i = 0; i < job->case_count; i++) {
        const ts_job_case entry = ts_job_case_at(job, i);
        ts_arena_lay_out(&arena, job, &entry);
        const ts_record_case record = run_case(job, &entry, i, state);
        report_case(job, i, &record);
        if (state->end.status == TS_STATUS_OK) {
            state->end.status = record.status;
        }
        state->end.cases_done++;
    }
}

int main(void) {
    const ts_job *job = ts_job_block();
    /* Not in the frame that the kernels' calls go on from: stacks are small. */
    static progress state = {
        .end = {.cycles_cold = (uint32_t)TS_NOT_MEASURED, .cycles_warm = (uint32_t)TS_NOT_MEASURED},
    };
    state.counts_cycles = ts_board_start_counter();
    ts_console_open();
    const ts_record_hello hello = {TS_JOB_ABI, ts_firmware_kernel_tag(), job->cores};
    ts_record(job, TS_RECORD_HELLO, 0, 0, &hello, sizeof(hello));
    state.end.status = check_job(job);
    if (state.end.status == TS_STATUS_OK) {
        run_cases(job, &state);
    }
    ts_record(job, TS_RECORD_END, 0, 0, &state.end, sizeof(state.end));
    ts_exit(TS_EXIT_DONE);
}
