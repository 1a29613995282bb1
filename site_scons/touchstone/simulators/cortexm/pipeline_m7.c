// SPDX-License-Identifier: Apache-2.0
#include "pipeline.h"

enum { ISSUE_WIDTH = 2, TAKEN_CYCLES = 1, MISPREDICT_CYCLES = 7, UNIT_BITS = 2, UNIT_MASK = 3 };

static const uint8_t capacity[UNIT_COUNT] = {
    [UNIT_ALU] = 2,    [UNIT_SHIFT] = 1, [UNIT_MAC] = 1,     [UNIT_LOAD] = 2, [UNIT_STORE] = 1,
    [UNIT_BRANCH] = 1, [UNIT_FP] = 1,    [UNIT_FP_PORT] = 2, [UNIT_SIMD] = 1,
};

static bool fits(uint32_t taken_units, uint32_t wanted_units) {
    for (int unit = 0; unit < UNIT_COUNT; unit++) {
        uint32_t taken = taken_units >> (unit * UNIT_BITS) & UNIT_MASK;
        uint32_t wanted = wanted_units >> (unit * UNIT_BITS) & UNIT_MASK;
        if (taken + wanted > capacity[unit]) {
            return false;
        }
    }
    return true;
}

/// The first cycle at which every operand is there.
static uint32_t operands_ready(const PipelineState *state, const InstructionCost *instruction) {
    uint32_t latest = 0;
    uint64_t all = instruction->reads | instruction->early | instruction->late;
    for (uint32_t reg = 0; reg < PIPELINE_REGISTERS && all >> reg != 0; reg++) {
        uint64_t bit = (uint64_t)1 << reg;
        uint32_t ready = state->ready[reg];
        if (!(all & bit) || ready == 0) {
            continue;
        }
        if (instruction->early & bit) {
            ready++;
        } else if (!(instruction->reads & bit)) {
            ready -= ready < instruction->late_advance ? ready : instruction->late_advance;
        }
        latest = ready > latest ? ready : latest;
    }
    return latest;
}

static void mark_ready(PipelineState *state, uint64_t registers, uint32_t when) {
    for (uint32_t reg = 0; reg < PIPELINE_REGISTERS && registers >> reg != 0; reg++) {
        if (registers >> reg & 1) {
            state->ready[reg] = when;
        }
    }
}

static void advance(PipelineState *state, uint32_t cycle) {
    state->cycle = cycle;
    state->issued = 0;
    state->uses = 0;
}

static void issue(PipelineState *state, const InstructionCost *instruction) {
    enum { FIRST_ONLY = INSTRUCTION_SLOT0 | INSTRUCTION_SINGLE };
    uint32_t ready = operands_ready(state, instruction);
    if (ready > state->cycle) {
        advance(state, ready);
    }
    if (state->issued == ISSUE_WIDTH ||
        (state->issued > 0 &&
         ((instruction->flags & FIRST_ONLY) || !fits(state->uses, instruction->uses)))) {
        advance(state, state->cycle + 1);
    }
    state->uses += instruction->uses;
    state->issued++;
    mark_ready(state, instruction->base, state->cycle);
    state->cycle += instruction->cycles - 1U;
    mark_ready(state, instruction->writes, state->cycle + instruction->latency);
    if (instruction->flags & INSTRUCTION_SINGLE) {
        state->issued = ISSUE_WIDTH;
    }
}

static uint32_t next(const PipelineState *state) {
    return state->cycle + (state->issued == ISSUE_WIDTH ? 1 : 0);
}

static void wait(PipelineState *state, uint32_t cycle) {
    if (cycle > next(state)) {
        advance(state, cycle);
    }
}

static uint32_t elapsed(const PipelineState *state) {
    return state->cycle + (state->issued > 0 ? 1 : 0);
}

static void taken(PipelineState *state) { advance(state, elapsed(state) + TAKEN_CYCLES); }

const PipelineModel pipeline_m7 = {
    .core = "cortex-m7",
    .id = 7,
    .issue = issue,
    .next = next,
    .wait = wait,
    .taken = taken,
    .elapsed = elapsed,
    .mispredict = MISPREDICT_CYCLES,
    .operand_dependent_divide = false,
};
