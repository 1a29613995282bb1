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

static bool refuse(sim *s, core *c, const char *what, uint32_t value) {
    return fault(s, c, "semihosting", NULL, "%s (0x%x)", what, (unsigned)value);
}

bool write_output(sim *s, const core *c, FILE *file, const void *bytes, uint32_t count) {
    if (file == s->stream && !dma_complete(s, c, "when a result is written")) {
        return false;
    }
    s->output_bytes += count;
    if (s->output_bytes > MAX_OUTPUT_BYTES) {
        return fault(s, c, "output", NULL, "the program wrote more than %d bytes",
                     MAX_OUTPUT_BYTES);
    }
    fwrite(bytes, 1, count, file); // main.c looks for errors at the end
    return true;
}

bool program_exit(sim *s, const core *c, uint32_t code) {
    if (!dma_complete(s, c, "at the end of the run")) {
        return false;
    }
    if (s->guards.trap && !s->guards.announced) {
        return fault(s, c, "semihosting", NULL,
                     "--over-reads trap, but no operands were announced");
    }
    s->status = EXIT;
    s->exit_code = code;
    return false;
}

static bool words_at(sim *s, core *c, uint32_t address, uint32_t *words, uint32_t count) {
    const uint8_t *block = memory_span(s, address, 4 * count);
    if (block == NULL) {
        return fault(s, c, "semihosting", &address, "argument block outside the memories");
    }
    memcpy(words, block, 4 * (size_t)count);
    return true;
}

static bool open_terminal(sim *s, core *c, const uint32_t arguments[3]) {
    const uint8_t *name = memory_span(s, arguments[0], 4);
    if (name == NULL || arguments[2] != 3 || memcmp(name, ":tt", 4) != 0) {
        return refuse(s, c, "open of a name other than :tt", arguments[0]);
    }
    if (arguments[1] != MODE_WRITE && arguments[1] != MODE_APPEND) {
        return refuse(s, c, "open with a mode other than 4 or 8", arguments[1]);
    }
    c->x[A0] = arguments[1] == MODE_WRITE ? HANDLE_STREAM : HANDLE_LOG;
    return true;
}

static bool write_bytes(sim *s, core *c, const uint32_t arguments[3]) {
    FILE *file = arguments[0] == HANDLE_STREAM ? s->stream : s->log;
    if (arguments[0] != HANDLE_STREAM && arguments[0] != HANDLE_LOG) {
        return refuse(s, c, "write to an unknown handle", arguments[0]);
    }
    const uint8_t *bytes = memory_span(s, arguments[1], arguments[2]);
    if (bytes == NULL && arguments[2] != 0) {
        return fault(s, c, "semihosting", &arguments[1], "write of %u bytes outside the memories",
                     (unsigned)arguments[2]);
    }
    c->x[A0] = 0;
    return arguments[2] == 0 || write_output(s, c, file, bytes, arguments[2]);
}

// The call is slli x0,x0,0x1f; ebreak; srai x0,x0,7.
static bool is_call(sim *s, const core *c) {
    static const uint32_t before = 0x01f01013, after = 0x40705013;
    const uint8_t *code = memory_span(s, core_pc(c) - 4, 12);
    return code != NULL && memcmp(code, &before, 4) == 0 && memcmp(code + 8, &after, 4) == 0;
}

bool semihost_call(sim *s, core *c) {
    uint32_t arguments[3], block = c->x[A1];
    if (!is_call(s, c)) {
        return fault(s, c, "breakpoint", NULL, "ebreak that is no semihosting call");
    }
    switch (c->x[A0]) {
    case SYS_OPEN:
        return words_at(s, c, block, arguments, 3) && open_terminal(s, c, arguments);
    case SYS_WRITE:
        return words_at(s, c, block, arguments, 3) && write_bytes(s, c, arguments);
    case SYS_EXIT:
        return program_exit(s, c, block != APPLICATION_EXIT);
    case SYS_EXIT_EXTENDED:
        return words_at(s, c, block, arguments, 2) &&
               program_exit(s, c, arguments[0] == APPLICATION_EXIT ? arguments[1] & INT32_MAX : 1);
    case SYS_GUARDS:
        return guards_announced(s, c, block);
    default:
        return refuse(s, c, "unknown operation", c->x[A0]);
    }
}
