// SPDX-License-Identifier: Apache-2.0
#include "flash.h"

/// When `line` is there: at once, when its prefetch ends, or after a read that begins now.
static uint32_t line_ready(const FlashTiming *timing, const FlashState *state, uint32_t line,
                           uint32_t now) {
    if (!state->known || line == state->line) {
        return now;
    }
    if (timing->prefetch && line == state->line + 1) {
        uint32_t read = state->since + 1 + timing->wait_states;
        return read > now ? read : now;
    }
    return now + timing->wait_states;
}

uint32_t flash_fetch(const FlashTiming *timing, FlashState *state, uint32_t address, uint32_t bytes,
                     uint32_t now) {
    if (timing->wait_states == 0) {
        return now;
    }
    uint32_t last = (address + bytes - 1) / timing->line_bytes;
    for (uint32_t line = address / timing->line_bytes; line <= last; line++) {
        now = line_ready(timing, state, line, now);
        if (!state->known || line != state->line) {
            *state = (FlashState){.known = true, .line = line, .since = now};
        }
    }
    return now;
}
