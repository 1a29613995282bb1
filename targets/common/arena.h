/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_ARENA_H
#define TS_COMMON_ARENA_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"

/*
 * Where a case's operands and scratch lie: each starts on 16 bytes and has its exact size, with
 * guard bytes before the first and from each one's end to the start of the next. Slot
 * `operand_count` is the scratch.
 */
typedef struct {
    void *operands[TS_MAX_OPERANDS]; /* What the kernel is given. */
    uint32_t count;
    void *start[TS_MAX_OPERANDS + 1];
    uint32_t bytes[TS_MAX_OPERANDS + 1];
    uint8_t *end; /* One past the last guard byte. */
} ts_arena;

/* A byte that is not what it should be. */
typedef struct {
    bool found;
    uint32_t slot;
    int32_t offset; /* From the slot's start: negative in the guard before it. */
} ts_damage;

/* Weights of at least TS_FAR_WEIGHT_BYTES stay in the job where the arena cannot hold everything,
 * those of at least TS_FAR_SMALL_BYTES where that does not do or the job asks for it (a flag);
 * their slots are then empty. site_scons/touchstone/sizes.py decides alike. */
enum { TS_FAR_WEIGHT_BYTES = 8192, TS_FAR_SMALL_BYTES = 64 };

/* Lays out a case; false if the arena is too small. Touches no memory of the arena. */
bool ts_arena_lay_out(ts_arena *arena, const ts_job *job, const ts_job_case *entry);

/* Copies the inputs in and writes the guards. */
void ts_arena_fill(const ts_arena *arena, const ts_job *job, const ts_job_case *entry);

/* Fills output and scratch with a byte, so that a kernel that reads either gives itself away. */
void ts_arena_poison(const ts_arena *arena, const ts_job *job, uint8_t pattern);

/* The first guard byte that was overwritten. */
ts_damage ts_arena_check_guards(const ts_arena *arena);

/* The first input byte that differs from the job's copy. */
ts_damage ts_arena_check_inputs(const ts_arena *arena, const ts_job *job, const ts_job_case *entry);

/* A hash of the output that every change within one word changes. */
uint32_t ts_arena_hash_output(const ts_arena *arena, const ts_job *job);

#endif
