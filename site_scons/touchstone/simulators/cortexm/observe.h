// SPDX-License-Identifier: Apache-2.0
/// \file
/// Profile and trace of the timed run: from the third read of CYCCNT (inclusive) to the fourth.
/// Without --profile and --trace there is no Observer and nothing of this is called.
#ifndef TOUCHSTONE_CORTEXM_OBSERVE_H
#define TOUCHSTONE_CORTEXM_OBSERVE_H

#include "machine.h"
#include "profile.h"

enum { OBSERVE_FIRST_READ = 3, OBSERVE_LAST_READ = 4, TRACE_LIMIT = 200000 };

typedef struct {
    FILE *file;
    uint64_t count;
    const InstructionCost *instruction; ///< begun, its results are not known yet; or NULL
    uint32_t pc;
    CounterRead at;
} Trace;

struct Observer {
    const char *profile_path;
    Profile profile;
    Trace trace;
};

/// Give the machine what it needs for the files that are not NULL; after machine_init. NULL, or
/// what is wrong.
const char *observer_open(Machine *machine, const char *profile_path, const char *trace_path);

/// The firmware has read the cycle counter; the read is the last instruction of the current block.
void observer_counter_read(Machine *machine);

/// Write the files. False if that failed.
bool observer_close(Machine *machine);

#endif
