// SPDX-License-Identifier: Apache-2.0
// Semihosting: open ":tt" as record stream (mode "w") or log (mode "a"), write, exit.
#include "xpulp.h"

#include <string.h>

enum {
    SYS_OPEN = 0x01,
    SYS_WRITE = 0x05,
    SYS_EXIT = 0x18,
    SYS_EXIT_EXTENDED = 0x20,
    SYS_GUARDS = 0x101, // ours
    APPLICATION_EXIT = 0x20026,
    MODE_WRITE = 4,
    MODE_APPEND = 8,
    HANDLE_STREAM = 1,
    HANDLE_LOG = 2,
    A0 = 10,
    A1 = 11
};

static step refuse(sim *s, core *c, const char *what, uint32_t value) {
    fault(s, c, "semihosting", NULL, "%s (0x%x)", what, (unsigned)value);
    return STEP_STOP;
}

static bool words_at(sim *s, core *c, uint32_t address, uint32_t *words, uint32_t count) {
    const uint8_t *block = memory_span(s, address, 4 * count);
    if (block == NULL) {
        fault(s, c, "semihosting", &address, "argument block outside the memories");
        return false;
    }
    memcpy(words, block, 4 * (size_t)count);
    return true;
}

static step open_terminal(sim *s, core *c) {
    uint32_t arguments[3];
    if (!words_at(s, c, c->x[A1], arguments, 3)) {
        return STEP_STOP;
    }
    const uint8_t *name = memory_span(s, arguments[0], 4);
    if (name == NULL || arguments[2] != 3 || memcmp(name, ":tt", 4) != 0) {
        return refuse(s, c, "open of a name other than :tt", arguments[0]);
    }
    if (arguments[1] != MODE_WRITE && arguments[1] != MODE_APPEND) {
        return refuse(s, c, "open with a mode other than 4 or 8", arguments[1]);
    }
    c->x[A0] = arguments[1] == MODE_WRITE ? HANDLE_STREAM : HANDLE_LOG;
    return STEP_OK;
}

static step write_bytes(sim *s, core *c) {
    uint32_t arguments[3];
    if (!words_at(s, c, c->x[A1], arguments, 3)) {
        return STEP_STOP;
    }
    if (arguments[0] != HANDLE_STREAM && arguments[0] != HANDLE_LOG) {
        return refuse(s, c, "write to an unknown handle", arguments[0]);
    }
    if (arguments[2] != 0) {
        const uint8_t *bytes = memory_span(s, arguments[1], arguments[2]);
        if (bytes == NULL) {
            fault(s, c, "semihosting", &arguments[1], "write of %u bytes outside the memories",
                  (unsigned)arguments[2]);
            return STEP_STOP;
        }
        FILE *file = arguments[0] == HANDLE_STREAM ? s->stream : s->log;
        if (write_output(s, c, file, bytes, arguments[2]) != STEP_OK) {
            return STEP_STOP;
        }
    }
    c->x[A0] = 0;
    return STEP_OK;
}

static step stop(sim *s, const core *c, uint32_t reason, uint32_t code) {
    if (!dma_complete(s, c, "at the end of the run") || !guards_kept(s, c)) {
        return STEP_STOP;
    }
    s->status = STATUS_EXIT;
    s->exit_code = reason == APPLICATION_EXIT ? (int32_t)(code & 0x7fffffffu) : 1;
    return STEP_STOP;
}

// The call is slli x0,x0,0x1f; ebreak; srai x0,x0,7.
static bool is_call(sim *s, const core *c) {
    uint32_t before, after;
    const uint8_t *code = memory_span(s, core_pc(c) - 4, 12);
    if (code == NULL) {
        return false;
    }
    memcpy(&before, code, 4);
    memcpy(&after, code + 8, 4);
    return before == 0x01f01013u && after == 0x40705013u;
}

step semihost_call(sim *s, core *c) {
    uint32_t arguments[2];
    if (!is_call(s, c)) {
        fault(s, c, "breakpoint", NULL, "ebreak that is no semihosting call");
        return STEP_STOP;
    }
    switch (c->x[A0]) {
    case SYS_OPEN:
        return open_terminal(s, c);
    case SYS_WRITE:
        return write_bytes(s, c);
    case SYS_EXIT:
        return stop(s, c, c->x[A1], 0);
    case SYS_EXIT_EXTENDED:
        return words_at(s, c, c->x[A1], arguments, 2) ? stop(s, c, arguments[0], arguments[1])
                                                      : STEP_STOP;
    case SYS_GUARDS:
        return guards_announced(s, c, c->x[A1]);
    default:
        return refuse(s, c, "unknown operation", c->x[A0]);
    }
}
