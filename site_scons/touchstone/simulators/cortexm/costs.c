// SPDX-License-Identifier: Apache-2.0
#include "costs.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>

// The file, all little endian: magic, core, number of instructions, number of segments; one
// segment record each {address, bytes, crc32 of its bytes, 0}; one instruction record each; then
// per segment a u16 for every halfword, the instruction's number, padded to 4 bytes.
enum { HEADER_BYTES = 20, SEGMENT_BYTES = 16, INSTRUCTION_BYTES = 52 };
static const uint8_t magic[8] = {'T', 'S', 'C', 'O', 'S', 'T', '0', '1'};

static void read_instruction(InstructionCost *instruction, const uint8_t *record) {
    instruction->bytes = record[0];
    instruction->cycles = record[1];
    instruction->latency = record[2];
    instruction->late_advance = record[3];
    instruction->operand = record[4];
    instruction->divisor = record[5];
    instruction->flags = read_u16(record + 6);
    instruction->uses = read_u32(record + 8);
    instruction->reads = read_u64(record + 12);
    instruction->early = read_u64(record + 20);
    instruction->late = read_u64(record + 28);
    instruction->writes = read_u64(record + 36);
    instruction->base = read_u64(record + 44);
}

static const char *read_tables(Costs *costs, size_t size) {
    static const char damaged[] = "it is damaged";
    uint64_t position = HEADER_BYTES + (uint64_t)costs->segment_count * SEGMENT_BYTES;
    uint64_t indices = position + (uint64_t)costs->instruction_count * INSTRUCTION_BYTES;
    if (costs->segment_count > COSTS_MAX_SEGMENTS || indices > size) {
        return damaged;
    }
    costs->instructions = calloc(costs->instruction_count + 1U, sizeof *costs->instructions);
    if (costs->instructions == NULL) {
        return "out of memory";
    }
    for (uint32_t i = 0; i < costs->instruction_count; i++) {
        const uint8_t *record = costs->file + position + (uint64_t)i * INSTRUCTION_BYTES;
        read_instruction(&costs->instructions[i], record);
    }
    for (uint32_t i = 0; i < costs->segment_count; i++) {
        CostSegment *segment = &costs->segments[i];
        const uint8_t *record = costs->file + HEADER_BYTES + i * SEGMENT_BYTES;
        segment->address = read_u32(record);
        segment->bytes = read_u32(record + 4);
        segment->crc32 = read_u32(record + 8);
        segment->indices = costs->file + indices;
        indices += ((uint64_t)segment->bytes + 3) / 4 * 4;
        segment->blocks = calloc(segment->bytes / 2 + 1, sizeof(Block *));
        segment->hooked = calloc(segment->bytes / 2 + 1, 1);
        if (segment->blocks == NULL || segment->hooked == NULL) {
            return "out of memory";
        }
        if (indices > size) {
            return damaged;
        }
    }
    return NULL;
}

const char *costs_read(Costs *costs, const char *path, const char *core) {
    size_t size = 0;
    memset(costs, 0, sizeof *costs);
    costs->model = strcmp(core, pipeline_m7.core) == 0 ? &pipeline_m7 : &pipeline_m4;
    costs->file = read_file(path, &size);
    if (costs->file == NULL) {
        return "it cannot be read";
    }
    if (size < HEADER_BYTES || memcmp(costs->file, magic, sizeof magic) != 0) {
        return "it is not a cost table";
    }
    if (read_u32(costs->file + 8) != costs->model->id) {
        return "it was made for another core";
    }
    costs->instruction_count = read_u32(costs->file + 12);
    costs->segment_count = read_u32(costs->file + 16);
    return read_tables(costs, size);
}

static CostSegment *segment_of(const Costs *costs, uint32_t address) {
    for (uint32_t i = 0; i < costs->segment_count; i++) {
        const CostSegment *segment = &costs->segments[i];
        if (address - segment->address < segment->bytes) {
            return (CostSegment *)segment;
        }
    }
    return NULL;
}

const InstructionCost *costs_instruction(const Costs *costs, uint32_t address) {
    const CostSegment *segment = segment_of(costs, address);
    if (segment == NULL) {
        return NULL;
    }
    uint32_t index = read_u16(segment->indices + ((address - segment->address) & ~1U));
    return index < costs->instruction_count ? &costs->instructions[index] : NULL;
}

void costs_fetch(const Costs *costs, PipelineState *state, uint32_t address,
                 const InstructionCost *instruction) {
    uint32_t next = costs->model->next(state);
    uint32_t cycle = flash_fetch(&costs->flash, &state->flash, address, instruction->bytes, next);
    costs->model->wait(state, cycle);
}

/// Fetch and issue the instruction at `address`.
static void issue_at(const Costs *costs, PipelineState *state, uint32_t address,
                     const InstructionCost *instruction) {
    costs_fetch(costs, state, address, instruction);
    costs->model->issue(state, instruction);
}

/// Issue the instructions of [address, end); false outside the costed code.
static bool issue_range(const Costs *costs, PipelineState *state, uint32_t address, uint32_t end) {
    while (address < end) {
        const InstructionCost *instruction = costs_instruction(costs, address);
        if (instruction == NULL) {
            return false;
        }
        issue_at(costs, state, address, instruction);
        address += instruction->bytes;
    }
    return true;
}

bool costs_times_operands(const Costs *costs, const InstructionCost *instruction) {
    enum { DIVIDES = INSTRUCTION_UDIV | INSTRUCTION_SDIV };
    return costs->model->operand_dependent_divide && (instruction->flags & DIVIDES);
}

bool costs_mark_hooked(Costs *costs, uint32_t address) {
    CostSegment *segment = segment_of(costs, address);
    uint8_t *mark = &segment->hooked[(address - segment->address) / 2];
    bool first = *mark == 0;
    *mark = 1;
    return first;
}

static Block *new_block(const Costs *costs, uint32_t address, uint32_t bytes) {
    PipelineState state = {0};
    if (!issue_range(costs, &state, address, address + bytes)) {
        return NULL;
    }
    Block *block = calloc(1, sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    block->address = address;
    block->end = address + bytes;
    block->cycles = costs->model->elapsed(&state);
    for (uint32_t pc = address; pc < block->end;) {
        const InstructionCost *instruction = costs_instruction(costs, pc);
        block->instructions++;
        block->last_flags = instruction->flags;
        block->floating_point |= (instruction->flags & INSTRUCTION_FP) != 0;
        block->inspected |= (instruction->flags & INSTRUCTION_ALIGNED) != 0 ||
                            costs_times_operands(costs, instruction);
        pc += instruction->bytes;
    }
    block->prediction = 1;
    return block;
}

Block *costs_block(Costs *costs, uint32_t address, uint32_t bytes) {
    CostSegment *segment = segment_of(costs, address);
    if (segment == NULL) {
        return NULL;
    }
    Block **first = &segment->blocks[(address - segment->address) / 2];
    for (Block *block = *first; block != NULL; block = block->next) {
        if (block->end - address == bytes) {
            return block;
        }
    }
    Block *block = new_block(costs, address, bytes);
    if (block != NULL) {
        block->next = *first;
        *first = block;
    }
    return block;
}

uint32_t costs_find(const Costs *costs, const Block *block, uint16_t flags) {
    uint32_t address = block->address;
    while (address < block->end && !(costs_instruction(costs, address)->flags & flags)) {
        address += costs_instruction(costs, address)->bytes;
    }
    return address;
}

/// What A followed by B takes beyond A and B alone.
static int32_t junction(const Costs *costs, const Block *from, const Block *to) {
    PipelineState state = {0};
    issue_range(costs, &state, from->address, from->end);
    if (to->address != from->end) {
        costs->model->taken(&state);
    }
    issue_range(costs, &state, to->address, to->end);
    uint32_t together = costs->model->elapsed(&state);
    return (int32_t)(together - from->cycles - to->cycles);
}

/// A two-bit counter for conditional branches and the last target for indirect ones; returns are
/// taken from a return stack and unconditional branches from the target buffer, both always right.
static bool mispredicted(Block *from, const Block *to) {
    if (from->last_flags & INSTRUCTION_CONDITIONAL) {
        bool taken = to->address != from->end;
        bool wrong = taken != (from->prediction >= 2);
        if (taken) {
            from->prediction += from->prediction < 3;
        } else {
            from->prediction -= from->prediction > 0;
        }
        return wrong;
    }
    if (from->last_flags & INSTRUCTION_INDIRECT) {
        bool wrong = from->target != to->address;
        from->target = to->address;
        return wrong;
    }
    return false;
}

int32_t costs_step(Costs *costs, Block *from, const Block *to) {
    int32_t penalty = 0;
    if (costs->model->mispredict != 0 && mispredicted(from, to)) {
        penalty = (int32_t)costs->model->mispredict;
    }
    if (from->steps[0].to == to) {
        return from->steps[0].cycles + penalty;
    }
    int found = 1;
    while (found < BLOCK_STEPS - 1 && from->steps[found].to != to) {
        found++;
    }
    int32_t cycles = from->steps[found].cycles;
    if (from->steps[found].to != to) {
        cycles = junction(costs, from, to);
    }
    for (; found > 0; found--) {
        from->steps[found] = from->steps[found - 1];
    }
    from->steps[0].to = to;
    from->steps[0].cycles = cycles;
    return cycles + penalty;
}

void costs_prefix(const Costs *costs, const Block *block, uint32_t pc, uint32_t *instructions,
                  uint32_t *cycles) {
    PipelineState state = {0};
    *instructions = 0;
    for (uint32_t address = block->address; address < pc && address < block->end;) {
        const InstructionCost *instruction = costs_instruction(costs, address);
        issue_at(costs, &state, address, instruction);
        ++*instructions;
        address += instruction->bytes;
    }
    *cycles = costs->model->elapsed(&state);
}
