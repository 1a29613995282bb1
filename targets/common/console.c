/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include "board.h"
#include "semihost.h"

/* Modes of SYS_OPEN: on ":tt", "w" is standard output and "a" standard error. */
enum { MODE_WRITE = 4, MODE_APPEND = 8 };
enum { APPLICATION_EXIT = 0x20026 };

static int32_t stream_handle;
static int32_t log_handle;

static int32_t open_terminal(uint32_t mode) {
    static const char name[] = ":tt";
    const uint32_t arguments[3] = {(uint32_t)(uintptr_t)name, mode, sizeof(name) - 1};
    return ts_semihost(TS_SYS_OPEN, arguments);
}

/* Returns the number of bytes not written. */
static int32_t write_to(int32_t handle, const void *bytes, uint32_t count) {
    const uint32_t arguments[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)bytes, count};
    return count == 0 ? 0 : ts_semihost(TS_SYS_WRITE, arguments);
}

void ts_console_open(void) {
    stream_handle = open_terminal(MODE_WRITE);
    log_handle = open_terminal(MODE_APPEND);
    if (stream_handle == -1 || log_handle == -1) {
        ts_exit(TS_EXIT_CONSOLE);
    }
}

void ts_stream_write(const void *bytes, uint32_t count) {
    if (write_to(stream_handle, bytes, count) != 0) {
        ts_exit(TS_EXIT_CONSOLE);
    }
}

void ts_log(const char *text) {
    uint32_t count = 0;
    while (text[count] != '\0') {
        count++;
    }
    write_to(log_handle, text, count);
}

void ts_log_decimal(int32_t value) {
    char text[12];
    char *at = text + sizeof(text) - 1;
    uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    *at = '\0';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0) {
        *--at = '-';
    }
    ts_log(at);
}

void ts_log_hex(uint32_t value) {
    char text[11] = "0x";
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t digit = value >> (28 - 4 * i) & 15;
        text[2 + i] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
    text[10] = '\0';
    ts_log(text);
}

_Noreturn void ts_exit(uint32_t code) {
    const uint32_t arguments[2] = {APPLICATION_EXIT, code};
    /* First the machine's own way, where it has one: GVSOC stops at a semihosting call it lacks. */
    ts_board_exit(code);
    ts_semihost(TS_SYS_EXIT_EXTENDED, arguments);
    for (;;) {
        __asm__ volatile("" ::: "memory");
    }
}
