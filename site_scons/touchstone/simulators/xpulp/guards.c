// SPDX-License-Identifier: Apache-2.0
// Traps accesses beyond operands: the firmware says where they lie before it calls a kernel, and
// that they no longer matter after it (targets/common/guards.h has the same block).
#include "xpulp.h"

#include <string.h>

enum { HEADER_WORDS = 3, MAX_SLOTS = 64 };

// The words {start, bytes, count of slots, {start, bytes} of each}; `block` 0 ends the watch.
step guards_announced(sim *s, core *c, uint32_t block) {
    if (!s->guards.trap) {
        fault(s, c, "semihosting", NULL, "operands are announced without --over-reads trap");
        return STEP_STOP;
    }
    s->guards.on = block != 0;
    s->guards.announced = true;
    if (block == 0) {
        return STEP_OK;
    }
    uint32_t header[HEADER_WORDS], slot[2];
    const uint8_t *words = memory_span(s, block, sizeof header);
    if (words != NULL) {
        memcpy(header, words, sizeof header);
    }
    const uint32_t offset = words == NULL ? 0 : header[0] - L1_BASE;
    if (words == NULL || offset > L1_SIZE || header[1] > L1_SIZE - offset ||
        header[2] > MAX_SLOTS ||
        memory_span(s, block, (HEADER_WORDS + 2 * header[2]) * 4) == NULL) {
        fault(s, c, "semihosting", &block, "operands announced outside L1");
        return STEP_STOP;
    }
    memset(s->guards.forbidden, 0, sizeof s->guards.forbidden);
    memset(s->guards.forbidden + offset, 1, header[1]);
    for (uint32_t i = 0; i < header[2]; i++) {
        memcpy(slot, words + 4 * (HEADER_WORDS + 2 * i), sizeof slot);
        if (slot[0] - L1_BASE > L1_SIZE || slot[1] > L1_SIZE - (slot[0] - L1_BASE)) {
            fault(s, c, "semihosting", &slot[0], "an operand is announced outside L1");
            return STEP_STOP;
        }
        memset(s->guards.forbidden + (slot[0] - L1_BASE), 0, slot[1]);
    }
    return STEP_OK;
}

// False, and a fault, where [address, address + bytes) of L1 holds a byte of no operand.
bool guards_allow(sim *s, const core *c, uint32_t address, uint32_t bytes, const char *what) {
    if (!s->guards.on || address - L1_BASE >= L1_SIZE) {
        return true;
    }
    const uint32_t offset = address - L1_BASE;
    const uint32_t in_l1 = bytes < L1_SIZE - offset ? bytes : L1_SIZE - offset;
    const uint8_t *found = memchr(s->guards.forbidden + offset, 1, in_l1);
    if (found == NULL) {
        return true;
    }
    const uint32_t at = L1_BASE + (uint32_t)(found - s->guards.forbidden);
    fault(s, c, "over-access", &at, "%s of %u bytes reaches beyond an operand", what,
          (unsigned)bytes);
    return false;
}

// False, and a fault, where traps were asked for and the firmware never said what to trap.
bool guards_kept(sim *s, const core *c) {
    if (s->guards.trap && !s->guards.announced) {
        fault(s, c, "semihosting", NULL, "--over-reads trap, but no operands were announced");
        return false;
    }
    return true;
}
