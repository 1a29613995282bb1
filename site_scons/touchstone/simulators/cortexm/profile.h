// SPDX-License-Identifier: Apache-2.0
/// \file
/// Which steps between blocks the timed run takes, how often and within which calls; at the end
/// the model's cycles of these steps are shared out among the instructions.
#ifndef TOUCHSTONE_CORTEXM_PROFILE_H
#define TOUCHSTONE_CORTEXM_PROFILE_H

#include "costs.h"

/// Why an instruction takes other than one cycle; the names are in profile_write.c.
typedef enum {
    CAUSE_MEMORY,
    CAUSE_OPERAND,
    CAUSE_FLASH,
    CAUSE_BRANCH,
    CAUSE_MISPREDICTION,
    CAUSE_DIVIDE,
    CAUSE_MULTI_CYCLE,
    CAUSE_DUAL_ISSUE, ///< negative: the cycle that the older one of a pair has already
    CAUSE_COUNT
} Cause;

/// A call: from where, within which frame. Frame 0 is where the timed run began.
typedef struct {
    uint32_t parent, call_site, return_address, depth;
} CallFrame;

/// From a block to the next one. Frames before and after it: a call or a return lies between.
typedef struct {
    const Block *from;
    const Block *to;
    uint32_t from_frame, to_frame;
    uint64_t count;
    int64_t cycles; ///< of the steps alone, wrong predictions included
} ProfileStep;

/// What one instruction did within one frame.
typedef struct {
    uint32_t frame, pc;
    bool used;
    int64_t executions, cycles, stalls[CAUSE_COUNT];
} ProfileEntry;

typedef struct {
    Costs *costs;
    ProfileStep *steps; ///< open addressing, the capacities are powers of two
    size_t step_capacity, step_count;
    ProfileEntry *entries;
    size_t entry_capacity, entry_count;
    CallFrame *frames;
    size_t frame_capacity, frame_count;
    uint32_t frame;       ///< the current one
    const Block *current; ///< as it was when it began: a counter read may have cut it since
} Profile;

/// The timed run begins with the instruction at `pc` of `block`.
void profile_begin(Profile *profile, const Block *block, uint32_t pc);

/// `from` has executed and `to` begins; the step costs `cycles`.
void profile_step(Profile *profile, const Block *from, const Block *to, int32_t cycles);

/// The divide at `pc` takes `cycles` more because of its operands.
void profile_divide(Profile *profile, uint32_t pc, uint32_t cycles);

/// The timed run ends in front of the instruction at `pc` of the current block.
void profile_end(Profile *profile, uint32_t pc);

/// Add the instructions of `block` from `pc` on, taken alone, `times` times.
void profile_add_range(Profile *profile, const Block *block, uint32_t pc, int64_t times);

/// The entry of the instruction at `pc`.
ProfileEntry *profile_entry(Profile *profile, uint32_t frame, uint32_t pc);

/// The JSON file that touchstone/profile.py reads: {"causes": [name], "frames": [[parent, call
/// site]], "counts": [[core, frame, pc, executions, cycles, stall cycles by cause...]]}.
bool profile_write(Profile *profile, const char *path);

#endif
