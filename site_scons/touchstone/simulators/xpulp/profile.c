// SPDX-License-Identifier: Apache-2.0
// Counts by (core, call stack, pc), and the JSON file that touchstone/profile.py reads:
// {"causes": [name], "frames": [[parent, call site]], "counts": [[core, frame, pc, executions,
// cycles, stall cycles by cause...]]}. Frame n of counts is frames[n]; frame 0 has no caller.
#include "observe.h"

#include <stdlib.h>

static const char *const cause_names[CAUSE_COUNT] = {
    [CAUSE_LOAD_USE] = "load-use",
    [CAUSE_MULTIPLY_USE] = "multiply-use",
    [CAUSE_BRANCH] = "branch or jump",
    [CAUSE_BANK_CONFLICT] = "bank conflict",
    [CAUSE_WAIT] = "waiting, clock-gated",
    [CAUSE_FETCH] = "instruction cache",
    [CAUSE_L2] = "L2 access",
    [CAUSE_PERIPHERAL] = "peripheral access",
    [CAUSE_MULTI_CYCLE] = "multi-cycle multiply or divide",
    [CAUSE_MISALIGNED] = "misaligned access",
    [CAUSE_OTHER] = "other",
};

static void *grown(void *memory, size_t bytes) {
    void *larger = realloc(memory, bytes);
    if (larger == NULL) {
        fprintf(stderr, "xpulp_sim: out of memory\n");
        exit(3);
    }
    return larger;
}

static profile_entry *slot(profile_entry *entries, size_t capacity, uint32_t core, uint32_t frame,
                           uint32_t pc) {
    uint64_t key = ((uint64_t)frame << 32 | pc) * UINT64_C(0x9E3779B97F4A7C15) + core;
    size_t i = (size_t)(key ^ key >> 29) & (capacity - 1);
    while (entries[i].used &&
           (entries[i].pc != pc || entries[i].core != core || entries[i].frame != frame)) {
        i = (i + 1) & (capacity - 1);
    }
    return &entries[i];
}

static void grow(profile *p) {
    size_t capacity = p->capacity == 0 ? 1 << 12 : 2 * p->capacity;
    profile_entry *entries = grown(NULL, capacity * sizeof *entries);
    for (size_t i = 0; i < capacity; i++) {
        entries[i].used = false;
    }
    for (size_t i = 0; i < p->capacity; i++) {
        const profile_entry *e = &p->entries[i];
        if (e->used) {
            *slot(entries, capacity, e->core, e->frame, e->pc) = *e;
        }
    }
    free(p->entries);
    p->entries = entries;
    p->capacity = capacity;
}

void profile_count(profile *p, uint32_t core, uint32_t frame, uint32_t pc, uint64_t executions,
                   uint64_t cycles, const uint64_t stalls[CAUSE_COUNT]) {
    if (executions == 0 && cycles == 0) {
        return;
    }
    if (2 * p->count >= p->capacity) {
        grow(p);
    }
    profile_entry *e = slot(p->entries, p->capacity, core, frame, pc);
    if (!e->used) {
        *e = (profile_entry){.core = core, .frame = frame, .pc = pc, .used = true};
        p->count++;
    }
    e->executions += executions;
    e->cycles += cycles;
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        e->stalls[i] += stalls[i];
    }
}

static uint32_t add_frame(profile *p, call_frame frame) {
    if (p->frame_count == p->frame_capacity) {
        p->frame_capacity = p->frame_capacity == 0 ? 64 : 2 * p->frame_capacity;
        p->frames = grown(p->frames, p->frame_capacity * sizeof *p->frames);
    }
    p->frames[p->frame_count] = frame;
    return (uint32_t)p->frame_count++;
}

static uint32_t called_frame(profile *p, uint32_t parent, uint32_t site, uint32_t return_address) {
    if (p->frame_count == 0) {
        add_frame(p, (call_frame){0});
    }
    for (size_t i = 1; i < p->frame_count; i++) {
        if (p->frames[i].parent == parent && p->frames[i].call_site == site) {
            return (uint32_t)i;
        }
    }
    uint32_t depth = p->frames[parent].depth + 1;
    return depth > MAX_CALL_DEPTH ? parent
                                  : add_frame(p, (call_frame){parent, site, return_address, depth});
}

// Follows calls (links in ra or t0) and returns (to where some caller wants to go on).
void profile_control(profile *p, const core *c, const insn *in, uint32_t pc) {
    uint32_t *frame = &p->frame[c->id];
    if (row_of(in)->kind == KIND_CALL && (in->rd == 1 || in->rd == 5)) {
        *frame = called_frame(p, *frame, pc, pc + 2u * in->half);
    } else if ((in->op & OPERATION_MASK) == OP_JALR) {
        for (uint32_t i = *frame; i != 0; i = p->frames[i].parent) {
            if (p->frames[i].return_address == core_pc(c)) {
                *frame = p->frames[i].parent;
                return;
            }
        }
    }
}

static void write_counts(const profile *p, FILE *file) {
    const char *separator = "";
    for (size_t i = 0; i < p->capacity; i++) {
        const profile_entry *e = &p->entries[i];
        if (!e->used) {
            continue;
        }
        fprintf(file, "%s\n[%u,%u,%u,%llu,%llu", separator, (unsigned)e->core, (unsigned)e->frame,
                (unsigned)e->pc, (unsigned long long)e->executions, (unsigned long long)e->cycles);
        for (size_t k = 0; k < CAUSE_COUNT; k++) {
            fprintf(file, ",%llu", (unsigned long long)e->stalls[k]);
        }
        fprintf(file, "]");
        separator = ",";
    }
}

bool profile_write(const profile *p, const char *path) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return false;
    }
    fprintf(file, "{\"causes\":[");
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        fprintf(file, "%s\"%s\"", i == 0 ? "" : ",", cause_names[i]);
    }
    fprintf(file, "],\"frames\":[[0,0]");
    for (size_t i = 1; i < p->frame_count; i++) {
        fprintf(file, ",[%u,%u]", (unsigned)p->frames[i].parent, (unsigned)p->frames[i].call_site);
    }
    fprintf(file, "],\"counts\":[");
    write_counts(p, file);
    fprintf(file, "]}\n");
    bool ok = ferror(file) == 0;
    return fclose(file) == 0 && ok;
}

void profile_free(profile *p) {
    free(p->entries);
    free(p->frames);
}
