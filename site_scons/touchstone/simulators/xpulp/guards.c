// SPDX-License-Identifier: Apache-2.0
// Traps accesses beyond operands: the firmware says where they lie before it calls a kernel, and
// that they no longer matter after it (targets/common/guards.h has the same block).
#include "xpulp.h"

#include <string.h>

typedef struct {
    uint32_t start, bytes;
} extent;

enum { MAX_SLOTS = 64, HEADER_BYTES = 12 };

// Marks the bytes of L1 as forbidden or not; a fault if they lie elsewhere.
static bool mark(sim *s, core *c, extent e, bool forbidden) {
    uint32_t offset = e.start - L1_BASE;
    if (offset > L1_SIZE || e.bytes > L1_SIZE - offset) {
        return fault(s, c, "semihosting", &e.start, "an operand is announced outside L1");
    }
    memset(s->guards.forbidden + offset, forbidden, e.bytes);
    return true;
}

// At `block` lie an extent (the arena), a count and the extents of so many operands; 0 ends the
// watch.
bool guards_announced(sim *s, core *c, uint32_t block) {
    if (!s->guards.trap) {
        return fault(s, c, "semihosting", NULL, "operands are announced without --over-reads trap");
    }
    s->guards.on = block != 0;
    s->guards.announced = true;
    if (block == 0) {
        return true;
    }
    extent arena, slots[MAX_SLOTS];
    uint32_t count = MAX_SLOTS + 1;
    const uint8_t *words = memory_span(s, block, HEADER_BYTES);
    if (words != NULL) {
        memcpy(&arena, words, sizeof arena);
        memcpy(&count, words + sizeof arena, sizeof count);
    }
    if (count > MAX_SLOTS || memory_span(s, block, HEADER_BYTES + count * sizeof *slots) == NULL) {
        return fault(s, c, "semihosting", &block, "operands are announced outside the memories");
    }
    memcpy(slots, words + HEADER_BYTES, count * sizeof *slots);
    memset(s->guards.forbidden, 0, sizeof s->guards.forbidden);
    bool ok = mark(s, c, arena, true);
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = mark(s, c, slots[i], false);
    }
    return ok;
}

// False, and a fault, where [address, address + bytes) of L1 holds a byte of no operand.
bool guards_allow(sim *s, const core *c, uint32_t address, uint32_t bytes, const char *what) {
    const uint32_t offset = address - L1_BASE;
    if (offset >= L1_SIZE) {
        return true;
    }
    const uint32_t in_l1 = bytes < L1_SIZE - offset ? bytes : L1_SIZE - offset;
    const uint8_t *found = memchr(s->guards.forbidden + offset, 1, in_l1);
    if (found == NULL) {
        return true;
    }
    const uint32_t at = L1_BASE + (uint32_t)(found - s->guards.forbidden);
    return fault(s, c, "over-access", &at, "%s of %u bytes reaches beyond an operand", what,
                 (unsigned)bytes);
}
