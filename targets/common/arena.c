/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include "memory.h"
#include "ts_job.h"

/* The linker script's ARENA region. */
extern uint8_t __ts_arena_start[];
extern uint8_t __ts_arena_end[];

enum { ALIGNMENT = 16, GUARD = 16 };

/* Further bytes guarded behind the last slot, as far as the arena goes: wild writes end here. */
enum { TAIL_GUARD = 1024 };

/* Differs from byte to byte: a kernel that spills a constant cannot blend in. */
static uint8_t guard_byte(const uint8_t *at) { return (uint8_t)((uintptr_t)at * 29u + 0x6Du); }

static uint8_t *slot_end(const ts_arena *arena, uint32_t slot) {
    return (uint8_t *)arena->start[slot] + arena->bytes[slot];
}

static uint8_t *guard_end(const ts_arena *arena, uint32_t slot) {
    return slot + 1 < arena->count ? arena->start[slot + 1] : arena->end;
}

/* Whether everything has found room; weights of at least `far` bytes stay where they are. */
static bool place(ts_arena *arena, const ts_job *job, const ts_job_case *entry, uint32_t far) {
    uint32_t room = (uint32_t)(__ts_arena_end - __ts_arena_start);
    uint8_t *at = __ts_arena_start + GUARD;
    if (room < GUARD) {
        return false;
    }
    room -= GUARD;
    arena->count = job->operand_count + 1;
    for (uint32_t i = 0; i < arena->count; i++) {
        const bool scratch = i == job->operand_count;
        const ts_job_operand *operand = &entry->operands[i];
        const bool stays = !scratch && operand->role == TS_ROLE_WEIGHT && operand->bytes >= far;
        const uint32_t bytes = scratch ? job->scratch_bytes : stays ? 0 : operand->bytes;
        const uint32_t used = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + GUARD;
        if (bytes > room || used > room) {
            return false;
        }
        arena->start[i] = at;
        if (!scratch) {
            arena->operands[i] = stays ? (uint8_t *)(uintptr_t)job + operand->offset : at;
        }
        arena->bytes[i] = bytes;
        at += used;
        room -= used;
    }
    arena->end = at + (room < TAIL_GUARD ? room : TAIL_GUARD);
    return true;
}

bool ts_arena_lay_out(ts_arena *arena, const ts_job *job, const ts_job_case *entry) {
    const bool all_far = (job->flags & TS_JOB_FAR_WEIGHTS) != 0;
    return (!all_far && (place(arena, job, entry, UINT32_MAX) ||
                         place(arena, job, entry, TS_FAR_WEIGHT_BYTES))) ||
           place(arena, job, entry, TS_FAR_SMALL_BYTES);
}

void ts_arena_fill(const ts_arena *arena, const ts_job *job, const ts_job_case *entry) {
    for (uint8_t *at = __ts_arena_start; at < __ts_arena_start + GUARD; at++) {
        *at = guard_byte(at);
    }
    for (uint32_t i = 0; i < arena->count; i++) {
        if (i != job->output_index && i != job->operand_count) {
            const uint8_t *source = (const uint8_t *)job + entry->operands[i].offset;
            memcpy(arena->start[i], source, arena->bytes[i]);
        }
        for (uint8_t *at = slot_end(arena, i); at < guard_end(arena, i); at++) {
            *at = guard_byte(at);
        }
    }
}

/* This and ts_arena_hash_output run between two timed calls: little code rather than fast code,
 * which would take the calls' place in an instruction cache. Whole words, then what is left. */
TS_GLUE_SMALL void poison(void *start, uint32_t bytes, uint32_t pattern) {
    uint32_t *word = start;
    for (const uint32_t *end = word + bytes / 4; word < end; word++) {
        *word = pattern * 0x01010101u;
        __asm__ volatile("" ::: "memory"); /* no call of memset */
    }
    for (bytes %= 4; bytes > 0; bytes--) {
        ((uint8_t *)word)[bytes - 1] = (uint8_t)pattern;
        __asm__ volatile("" ::: "memory");
    }
}

void ts_arena_poison(const ts_arena *arena, const ts_job *job, uint8_t pattern) {
    poison(arena->start[job->output_index], arena->bytes[job->output_index], pattern);
    poison(arena->start[job->operand_count], arena->bytes[job->operand_count], pattern);
}

ts_damage ts_arena_check_guards(const ts_arena *arena) {
    for (const uint8_t *at = __ts_arena_start; at < __ts_arena_start + GUARD; at++) {
        if (*at != guard_byte(at)) {
            return (ts_damage){true, 0, (int32_t)(at - (const uint8_t *)arena->start[0])};
        }
    }
    for (uint32_t i = 0; i < arena->count; i++) {
        for (const uint8_t *at = slot_end(arena, i); at < guard_end(arena, i); at++) {
            if (*at != guard_byte(at)) {
                return (ts_damage){true, i, (int32_t)(at - (const uint8_t *)arena->start[i])};
            }
        }
    }
    return (ts_damage){0};
}

ts_damage ts_arena_check_inputs(const ts_arena *arena, const ts_job *job,
                                const ts_job_case *entry) {
    for (uint32_t i = 0; i < job->operand_count; i++) {
        const uint8_t *found = arena->start[i];
        const uint8_t *expected = (const uint8_t *)job + entry->operands[i].offset;
        if (i == job->output_index || memcmp(found, expected, arena->bytes[i]) == 0) {
            continue;
        }
        uint32_t offset = 0;
        while (found[offset] == expected[offset]) {
            offset++;
        }
        return (ts_damage){true, i, (int32_t)offset};
    }
    return (ts_damage){0};
}

/* A bijection of the hash and of the word. */
static uint32_t mix(uint32_t hash, uint32_t word) {
    hash = (hash ^ word) * 0x9E3779B1u;
    return hash ^ hash >> 15;
}

TS_GLUE_SMALL uint32_t hash(const uint32_t *word, uint32_t bytes) {
    uint32_t result = bytes, last = 0;
    for (const uint32_t *end = word + bytes / 4; word < end; word++) {
        result = mix(result, *word);
    }
    for (bytes %= 4; bytes > 0; bytes--) {
        last = last << 8 | ((const uint8_t *)word)[bytes - 1];
    }
    return mix(result, last);
}

uint32_t ts_arena_hash_output(const ts_arena *arena, const ts_job *job) {
    return hash(arena->start[job->output_index], arena->bytes[job->output_index]);
}
