// SPDX-License-Identifier: Apache-2.0
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 1 << 10, MAX_CALL_DEPTH = 64 };

#define LINK_REGISTER_MASK ((uint64_t)1 << 14)
#define HASH_FACTOR 0x9E3779B97F4A7C15U

static void *allocated(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fputs("cortexm_sim: out of memory\n", stderr);
        exit(3);
    }
    return memory;
}

static size_t hash(uint64_t a, uint64_t b, size_t capacity) {
    uint64_t mixed = (a * HASH_FACTOR ^ b) * HASH_FACTOR;
    return (size_t)(mixed ^ mixed >> 29) & (capacity - 1);
}

static ProfileEntry *entry_slot(ProfileEntry *entries, size_t capacity, uint32_t frame,
                                uint32_t pc) {
    size_t i = hash(frame, pc, capacity);
    while (entries[i].used && (entries[i].pc != pc || entries[i].frame != frame)) {
        i = (i + 1) & (capacity - 1);
    }
    return &entries[i];
}

ProfileEntry *profile_entry(Profile *profile, uint32_t frame, uint32_t pc) {
    if (2 * profile->entry_count >= profile->entry_capacity) {
        size_t capacity =
            profile->entry_capacity > 0 ? 2 * profile->entry_capacity : FIRST_CAPACITY;
        ProfileEntry *entries = allocated(capacity, sizeof *entries);
        for (size_t i = 0; i < profile->entry_capacity; i++) {
            const ProfileEntry *old = &profile->entries[i];
            if (old->used) {
                *entry_slot(entries, capacity, old->frame, old->pc) = *old;
            }
        }
        free(profile->entries);
        profile->entries = entries;
        profile->entry_capacity = capacity;
    }
    ProfileEntry *entry = entry_slot(profile->entries, profile->entry_capacity, frame, pc);
    if (!entry->used) {
        *entry = (ProfileEntry){.frame = frame, .pc = pc, .used = true};
        profile->entry_count++;
    }
    return entry;
}

static ProfileStep *step_slot(ProfileStep *steps, size_t capacity, uint32_t frame,
                              const Block *from, const Block *to) {
    size_t i = hash((uint64_t)(uintptr_t)from + frame, (uint64_t)(uintptr_t)to, capacity);
    while (steps[i].from != NULL &&
           (steps[i].from != from || steps[i].to != to || steps[i].from_frame != frame)) {
        i = (i + 1) & (capacity - 1);
    }
    return &steps[i];
}

static void grow_steps(Profile *profile) {
    size_t capacity = profile->step_capacity > 0 ? 2 * profile->step_capacity : FIRST_CAPACITY;
    ProfileStep *steps = allocated(capacity, sizeof *steps);
    for (size_t i = 0; i < profile->step_capacity; i++) {
        const ProfileStep *old = &profile->steps[i];
        if (old->from != NULL) {
            *step_slot(steps, capacity, old->from_frame, old->from, old->to) = *old;
        }
    }
    free(profile->steps);
    profile->steps = steps;
    profile->step_capacity = capacity;
}

static uint32_t add_frame(Profile *profile, CallFrame frame) {
    if (profile->frame_count == profile->frame_capacity) {
        size_t capacity = profile->frame_capacity * 2 + 64;
        CallFrame *frames = allocated(capacity, sizeof *frames);
        for (size_t i = 0; i < profile->frame_count; i++) {
            frames[i] = profile->frames[i];
        }
        free(profile->frames);
        profile->frames = frames;
        profile->frame_capacity = capacity;
    }
    profile->frames[profile->frame_count] = frame;
    return (uint32_t)profile->frame_count++;
}

static uint32_t called_frame(Profile *profile, uint32_t site, uint32_t return_address) {
    uint32_t parent = profile->frame;
    for (size_t i = 1; i < profile->frame_count; i++) {
        if (profile->frames[i].parent == parent && profile->frames[i].call_site == site) {
            return (uint32_t)i;
        }
    }
    uint32_t depth = profile->frames[parent].depth + 1;
    return depth > MAX_CALL_DEPTH
               ? parent // deeper calls count where the deepest frame made them
               : add_frame(profile, (CallFrame){parent, site, return_address, depth});
}

static uint32_t last_pc(const Profile *profile, const Block *block) {
    uint32_t pc = block->address;
    uint32_t next = pc;
    while (next < block->end) {
        pc = next;
        next += costs_instruction(profile->costs, pc)->bytes;
    }
    return pc;
}

/// The frame after going from `from` to `to`: a call writes lr and leaves; a return goes to where
/// some caller wants to go on.
static uint32_t next_frame(Profile *profile, const Block *from, const Block *to) {
    uint32_t site = last_pc(profile, from);
    if (to->address == from->end) {
        return profile->frame;
    }
    if (costs_instruction(profile->costs, site)->writes == LINK_REGISTER_MASK) {
        return called_frame(profile, site, from->end);
    }
    for (uint32_t i = profile->frame; i != 0; i = profile->frames[i].parent) {
        if (profile->frames[i].return_address == to->address) {
            return profile->frames[i].parent;
        }
    }
    return profile->frame;
}

void profile_begin(Profile *profile, const Block *block, uint32_t pc) {
    if (profile->frame_count == 0) {
        add_frame(profile, (CallFrame){0});
    }
    profile->frame = 0;
    profile->current = block;
    profile_add_range(profile, block, pc, 1);
}

/// The instructions that `current` lost when it was cut do not execute as part of it.
static void settle_cut(Profile *profile, uint32_t end) {
    if (end < profile->current->end) {
        profile_add_range(profile, profile->current, end, -1);
    }
}

void profile_step(Profile *profile, const Block *from, const Block *to, int32_t cycles) {
    settle_cut(profile, from->end);
    if (2 * profile->step_count >= profile->step_capacity) {
        grow_steps(profile);
    }
    ProfileStep *step = step_slot(profile->steps, profile->step_capacity, profile->frame, from, to);
    if (step->from == NULL) {
        *step = (ProfileStep){.from = from, .to = to, .from_frame = profile->frame};
        step->to_frame = next_frame(profile, from, to);
        profile->step_count++;
    }
    step->count++;
    step->cycles += cycles;
    profile->frame = step->to_frame;
    profile->current = to;
}

void profile_divide(Profile *profile, uint32_t pc, uint32_t cycles) {
    ProfileEntry *entry = profile_entry(profile, profile->frame, pc);
    entry->cycles += cycles;
    entry->stalls[CAUSE_DIVIDE] += cycles;
}

void profile_end(Profile *profile, uint32_t pc) { settle_cut(profile, pc); }
