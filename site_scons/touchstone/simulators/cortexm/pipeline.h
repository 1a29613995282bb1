// SPDX-License-Identifier: Apache-2.0
/// \file
/// The two pipeline models. Both are pure functions of the sequence of instructions; README.md in
/// this folder lists every rule with its source.
#ifndef TOUCHSTONE_CORTEXM_PIPELINE_H
#define TOUCHSTONE_CORTEXM_PIPELINE_H

#include "flash.h"

#include <stdbool.h>
#include <stdint.h>

/// Facts about an instruction; cortexm_costs.py writes the same bits.
enum InstructionFlags {
    INSTRUCTION_LOAD = 1 << 0,        ///< single load whose next neighbour can be pipelined
    INSTRUCTION_STORE = 1 << 1,       ///< single store that can be pipelined after a load
    INSTRUCTION_MEMORY = 1 << 2,      ///< generates an address from registers
    INSTRUCTION_DATA = 1 << 3,        ///< integer data processing
    INSTRUCTION_FP_LATE = 1 << 4,     ///< FP result costs a cycle when consumed at once (M4)
    INSTRUCTION_UDIV = 1 << 5,        ///< cycles depend on the operands
    INSTRUCTION_SDIV = 1 << 6,        ///< likewise, signed
    INSTRUCTION_FP = 1 << 7,          ///< needs the FPU switched on
    INSTRUCTION_CONDITIONAL = 1 << 8, ///< conditional branch
    INSTRUCTION_INDIRECT = 1 << 9,    ///< branch to a computed address, not a return
    INSTRUCTION_SINGLE = 1 << 10,     ///< never issued together with another (M7)
    INSTRUCTION_SLOT0 = 1 << 11,      ///< only as the first of a pair (M7)
    INSTRUCTION_UNKNOWN = 1 << 12,    ///< not an instruction of this core
    INSTRUCTION_ALIGNED = 1 << 13,    ///< faults unless its base register is a multiple of four
    INSTRUCTION_IT = 1 << 14          ///< makes up to four following instructions conditional
};

enum { PIPELINE_REGISTERS = 64 };

/// Register masks: bits 0..14 r0..lr, 16 the flags, 17 FPSCR, 32..63 s0..s31.
typedef struct {
    uint8_t bytes;        ///< 2 or 4
    uint8_t cycles;       ///< M4: its cost alone; M7: cycles it occupies the issue stage
    uint8_t latency;      ///< M7: cycles from issue until `writes` can be read
    uint8_t late_advance; ///< M7: how much later than issue `late` is read
    uint8_t operand;      ///< register number: dividend of a divide, base of an aligned access
    uint8_t divisor;      ///< register number, of a divide
    uint16_t flags;       ///< InstructionFlags
    uint32_t uses;        ///< M7: two bits for each PipelineUnit, how many of it
    uint64_t reads;       ///< operands needed when it issues
    uint64_t early;       ///< operands needed a cycle before: addresses, shifted operands
    uint64_t late;        ///< operands needed later: accumulators, stored values
    uint64_t writes;      ///< results
    uint64_t base;        ///< updated base register, available at once
} InstructionCost;

/// Execution resources of the M7 and, in the same order, how many there are.
enum PipelineUnit {
    UNIT_ALU,
    UNIT_SHIFT,
    UNIT_MAC,
    UNIT_LOAD,
    UNIT_STORE,
    UNIT_BRANCH,
    UNIT_FP,
    UNIT_FP_PORT,
    UNIT_SIMD,
    UNIT_COUNT
};

typedef struct {
    uint32_t cycle;                     ///< cycle of the youngest issue
    uint32_t issued;                    ///< how many instructions issued in it
    uint32_t uses;                      ///< resources taken in it
    uint32_t ready[PIPELINE_REGISTERS]; ///< M7: when each register can be read
    const InstructionCost *previous;    ///< M4: the instruction before
    FlashState flash;                   ///< where its fetches have come to
} PipelineState;

/// A core's timing. A state of zeros is an idle pipeline.
typedef struct {
    const char *core;
    uint32_t id; ///< in the cost table: 4 or 7
    void (*issue)(PipelineState *state, const InstructionCost *instruction);
    uint32_t (*next)(const PipelineState *state);       ///< when the next one can issue at best
    void (*wait)(PipelineState *state, uint32_t cycle); ///< the next one issues not before
    void (*taken)(PipelineState *state); ///< a taken branch refills the front of the pipeline
    uint32_t (*elapsed)(const PipelineState *state);
    uint32_t mispredict; ///< cycles of a wrongly predicted branch, 0 without prediction
    bool operand_dependent_divide;
} PipelineModel;

extern const PipelineModel pipeline_m4;
extern const PipelineModel pipeline_m7;

/// Cycles of an M4 divide beyond the cost table's minimum.
uint32_t pipeline_m4_divide(uint32_t dividend, uint32_t divisor, bool is_signed);

#endif
