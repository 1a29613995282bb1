// SPDX-License-Identifier: Apache-2.0
/// \file
/// Flash that is slower than the core: fetches of code wait for its lines. README.md has the rules.
#ifndef TOUCHSTONE_CORTEXM_FLASH_H
#define TOUCHSTONE_CORTEXM_FLASH_H

#include <stdbool.h>
#include <stdint.h>

/// With no wait states nothing of this has an effect.
typedef struct {
    uint32_t wait_states; ///< cycles of a read beyond the first
    uint32_t line_bytes;  ///< what one read brings, a power of two
    bool prefetch;        ///< the next line is read while one is executed
} FlashTiming;

/// The line that is executed. A state of zeros knows none: the first instruction finds its line.
typedef struct {
    bool known;
    uint32_t line;  ///< its number
    uint32_t since; ///< the cycle from which on it is there
} FlashState;

/// The cycle at which the instruction [address, address + bytes) has come whole, if the core would
/// issue it at `now`.
uint32_t flash_fetch(const FlashTiming *timing, FlashState *state, uint32_t address, uint32_t bytes,
                     uint32_t now);

#endif
