// SPDX-License-Identifier: Apache-2.0
#include "profile.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const cause_names[CAUSE_COUNT] = {
    [CAUSE_MEMORY] = "load or store",  [CAUSE_OPERAND] = "operand not ready",
    [CAUSE_FLASH] = "flash wait",      [CAUSE_BRANCH] = "branch refill",
    [CAUSE_DIVIDE] = "divide",         [CAUSE_MISPREDICTION] = "branch misprediction",
    [CAUSE_DUAL_ISSUE] = "dual issue", [CAUSE_MULTI_CYCLE] = "other multi-cycle",
};

/// Why an instruction alone takes more than a cycle.
static Cause own_cause(const InstructionCost *instruction) {
    if (instruction->flags & INSTRUCTION_MEMORY) {
        return CAUSE_MEMORY;
    }
    return instruction->flags & (INSTRUCTION_UDIV | INSTRUCTION_SDIV) ? CAUSE_DIVIDE
                                                                      : CAUSE_MULTI_CYCLE;
}

/// Add `times` executions of an instruction that moved the pipeline on by `flash` cycles until it
/// was fetched and by `cycles` from then on. What is not its own is the wait for an operand; less
/// than its own is what overlapped with the one before.
static void add(Profile *profile, uint32_t frame, uint32_t pc, int64_t flash, int64_t cycles,
                int64_t times) {
    const InstructionCost *instruction = costs_instruction(profile->costs, pc);
    ProfileEntry *entry = profile_entry(profile, frame, pc);
    int64_t own = instruction->cycles > 0 ? instruction->cycles : 1;
    entry->executions += times;
    entry->cycles += times * (flash + cycles);
    entry->stalls[CAUSE_FLASH] += times * flash;
    if (cycles >= own) {
        entry->stalls[own_cause(instruction)] += times * (own - 1);
        entry->stalls[CAUSE_OPERAND] += times * (cycles - own);
    } else if (cycles >= 1) {
        entry->stalls[own_cause(instruction)] += times * (cycles - 1);
    } else {
        entry->stalls[CAUSE_DUAL_ISSUE] += times * (cycles - 1);
    }
}

/// Issue the instructions of `block` from `pc` on into `state` and add each, if it lies at or
/// behind `first`.
static void add_block(Profile *profile, PipelineState *state, const Block *block, uint32_t first,
                      uint32_t frame, int64_t times) {
    const Costs *costs = profile->costs;
    for (uint32_t pc = block->address; pc < block->end;) {
        const InstructionCost *instruction = costs_instruction(costs, pc);
        int64_t before = costs->model->elapsed(state);
        costs_fetch(costs, state, pc, instruction);
        int64_t fetched = costs->model->elapsed(state);
        costs->model->issue(state, instruction);
        if (pc >= first && times != 0) {
            int64_t cycles = (int64_t)costs->model->elapsed(state) - fetched;
            add(profile, frame, pc, fetched - before, cycles, times);
        }
        pc += instruction->bytes;
    }
}

void profile_add_range(Profile *profile, const Block *block, uint32_t pc, int64_t times) {
    PipelineState state = {0};
    add_block(profile, &state, block, pc, profile->frame, times);
}

/// The instructions of the block that a step goes to, as they flow behind those of the block that
/// it comes from, and the step's branch.
static void add_step(Profile *profile, const ProfileStep *step) {
    const PipelineModel *model = profile->costs->model;
    PipelineState state = {0};
    add_block(profile, &state, step->from, 0, 0, 0);
    uint32_t branch = step->from->address;
    while (branch + costs_instruction(profile->costs, branch)->bytes < step->from->end) {
        branch += costs_instruction(profile->costs, branch)->bytes;
    }
    int64_t refill = 0;
    if (step->to->address != step->from->end) {
        uint32_t before = model->elapsed(&state);
        model->taken(&state);
        refill = (int64_t)model->elapsed(&state) - before;
    }
    add_block(profile, &state, step->to, 0, step->to_frame, (int64_t)step->count);
    int64_t together = model->elapsed(&state);
    int64_t predicted = together - step->from->cycles - step->to->cycles;
    int64_t mispredicted = step->cycles - (int64_t)step->count * predicted;
    ProfileEntry *entry = profile_entry(profile, step->from_frame, branch);
    entry->cycles += (int64_t)step->count * refill + mispredicted;
    entry->stalls[CAUSE_BRANCH] += (int64_t)step->count * refill;
    entry->stalls[CAUSE_MISPREDICTION] += mispredicted;
}

static void write_counts(const Profile *profile, FILE *file) {
    const char *separator = "";
    for (size_t i = 0; i < profile->entry_capacity; i++) {
        const ProfileEntry *entry = &profile->entries[i];
        if (!entry->used) {
            continue;
        }
        fprintf(file, "%s\n[0,%" PRIu32 ",%" PRIu32 ",%" PRId64 ",%" PRId64, separator,
                entry->frame, entry->pc, entry->executions, entry->cycles);
        for (size_t k = 0; k < CAUSE_COUNT; k++) {
            fprintf(file, ",%" PRId64, entry->stalls[k]);
        }
        fputs("]", file);
        separator = ",";
    }
}

bool profile_write(Profile *profile, const char *path) {
    for (size_t i = 0; i < profile->step_capacity; i++) {
        if (profile->steps[i].from != NULL) {
            add_step(profile, &profile->steps[i]);
        }
    }
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return false;
    }
    fputs("{\"causes\":[", file);
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        fprintf(file, "%s\"%s\"", i > 0 ? "," : "", cause_names[i]);
    }
    fputs("],\"frames\":[[0,0]", file);
    for (size_t i = 1; i < profile->frame_count; i++) {
        fprintf(file, ",[%" PRIu32 ",%" PRIu32 "]", profile->frames[i].parent,
                profile->frames[i].call_site);
    }
    fputs("],\"counts\":[", file);
    write_counts(profile, file);
    fputs("]}\n", file);
    bool written = !ferror(file);
    return fclose(file) == 0 && written;
}
