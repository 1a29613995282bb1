// SPDX-License-Identifier: Apache-2.0
#include "pipeline.h"

#include <stddef.h>

/// Pipeline refill of a taken branch: the manual says 1 to 3 depending on the target's alignment
/// and width.
enum { REFILL_CYCLES = 2 };

/// A divide takes 2 to 12 cycles; early termination goes by the leading bits of the operands.
enum { DIVIDE_MINIMUM = 2, DIVIDE_START = 4, QUOTIENT_BITS_PER_CYCLE = 4 };

static bool addresses_with(const InstructionCost *instruction, uint64_t registers) {
    return (instruction->flags & INSTRUCTION_MEMORY) && (instruction->early & registers) != 0;
}

static void issue(PipelineState *state, const InstructionCost *instruction) {
    enum { SINGLE_ACCESS = INSTRUCTION_LOAD | INSTRUCTION_STORE };
    const InstructionCost *previous = state->previous;
    uint32_t cycles = instruction->cycles;
    if (previous != NULL) {
        uint64_t operands = instruction->reads | instruction->early | instruction->late;
        if ((previous->flags & INSTRUCTION_DATA) && addresses_with(instruction, previous->writes)) {
            cycles++; // no forwarding from the ALU to the address generation
        }
        if ((previous->flags & INSTRUCTION_LOAD) && (instruction->flags & SINGLE_ACCESS) &&
            cycles > 1 && !addresses_with(instruction, previous->writes)) {
            cycles--; // its address phase overlaps the load's data phase
        }
        if ((previous->flags & INSTRUCTION_FP_LATE) && (previous->writes & operands) != 0) {
            cycles++;
        }
    }
    state->cycle += cycles;
    state->previous = instruction;
}

static uint32_t next(const PipelineState *state) { return state->cycle; }

static void wait(PipelineState *state, uint32_t cycle) {
    if (cycle > state->cycle) {
        state->cycle = cycle;
        state->previous = NULL; // it has left the pipeline
    }
}

static void taken(PipelineState *state) {
    state->cycle += REFILL_CYCLES;
    state->previous = NULL;
}

static uint32_t elapsed(const PipelineState *state) { return state->cycle; }

static uint32_t significant_bits(uint32_t value) {
    uint32_t bits = 0;
    for (; value != 0; value >>= 1) {
        bits++;
    }
    return bits;
}

uint32_t pipeline_m4_divide(uint32_t dividend, uint32_t divisor, bool is_signed) {
    if (is_signed) {
        dividend = dividend >> 31 ? 0U - dividend : dividend;
        divisor = divisor >> 31 ? 0U - divisor : divisor;
    }
    if (divisor == 0 || dividend < divisor) {
        return 0;
    }
    uint32_t bits = significant_bits(dividend) - significant_bits(divisor) + 1;
    uint32_t steps = (bits + QUOTIENT_BITS_PER_CYCLE - 1) / QUOTIENT_BITS_PER_CYCLE;
    return DIVIDE_START + steps - DIVIDE_MINIMUM;
}

const PipelineModel pipeline_m4 = {
    .core = "cortex-m4",
    .id = 4,
    .issue = issue,
    .next = next,
    .wait = wait,
    .taken = taken,
    .elapsed = elapsed,
    .mispredict = 0,
    .operand_dependent_divide = true,
};
