// SPDX-License-Identifier: Apache-2.0
/// \file
/// The cost table made by cortexm_costs.py and the cycle model's bookkeeping: basic blocks, the
/// edges between them, and where inside a block a counter was read.
///
/// The cycles of a path are the sum over its blocks of `Block.cycles` and over its steps of
/// `costs_step`: the step from A to B costs what the pipeline takes for A followed by B beyond the
/// two taken alone. So the figure hardly depends on where the translator cuts the code into blocks.
#ifndef TOUCHSTONE_CORTEXM_COSTS_H
#define TOUCHSTONE_CORTEXM_COSTS_H

#include "pipeline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COSTS_MAX_SEGMENTS = 8, BLOCK_STEPS = 4 };

typedef struct Block Block;

struct Block {
    uint32_t address;
    uint32_t end;
    uint32_t instructions;
    uint32_t cycles;
    uint16_t last_flags; ///< InstructionFlags of the last instruction
    bool floating_point; ///< some instruction needs the FPU
    bool inspected;      ///< some instruction needs a look at its operands when it executes
    bool hooked;         ///< and those are hooked
    uint8_t prediction;  ///< two-bit counter of a conditional branch, 2 and 3 mean taken
    uint32_t target;     ///< where an indirect branch went the last time
    Block *next;         ///< same address, other size
    struct {
        const Block *to;
        int32_t cycles;
    } steps[BLOCK_STEPS]; ///< most recent successor first
};

typedef struct {
    uint32_t address;
    uint32_t bytes;
    uint32_t crc32;
    const uint8_t *indices; ///< u16 for every halfword: which instruction starts there
    Block **blocks;         ///< by halfword
    uint8_t *hooked;        ///< by halfword: costs_mark_hooked has been called
} CostSegment;

typedef struct {
    const PipelineModel *model;
    FlashTiming flash;
    InstructionCost *instructions;
    uint32_t instruction_count;
    CostSegment segments[COSTS_MAX_SEGMENTS];
    uint32_t segment_count;
    uint8_t *file;
} Costs;

/// Read a cost table for `core` ("cortex-m4" or "cortex-m7"). NULL, or what is wrong with it.
const char *costs_read(Costs *costs, const char *path, const char *core);

/// The static facts of the instruction at `address`, or NULL outside the costed code.
const InstructionCost *costs_instruction(const Costs *costs, uint32_t address);

/// The block [address, address + bytes), or NULL outside the costed code.
Block *costs_block(Costs *costs, uint32_t address, uint32_t bytes);

/// Wait until the instruction at `address` has been fetched.
void costs_fetch(const Costs *costs, PipelineState *state, uint32_t address,
                 const InstructionCost *instruction);

/// Whether an instruction's cycles depend on its operands.
bool costs_times_operands(const Costs *costs, const InstructionCost *instruction);

/// True the first time it is called for the instruction at `address`, which several blocks may
/// hold.
bool costs_mark_hooked(Costs *costs, uint32_t address);

/// Address of the first instruction of `block` with one of `flags`; its end if there is none.
uint32_t costs_find(const Costs *costs, const Block *block, uint16_t flags);

/// Cycles of going from `from` to `to`, on top of both blocks' own; may be negative.
int32_t costs_step(Costs *costs, Block *from, const Block *to);

/// Instructions before `pc` in `block`, and what the model charges for them.
void costs_prefix(const Costs *costs, const Block *block, uint32_t pc, uint32_t *instructions,
                  uint32_t *cycles);

#endif
