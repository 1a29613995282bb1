/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <stdbool.h>

#include "board.h"
#include "semihost.h"

/* Modes of SYS_OPEN: on ":tt", "w" is standard output and "a" standard error. */
enum { MODE_WRITE = 4, MODE_APPEND = 8 };
enum { APPLICATION_EXIT = 0x20026 };

/* Bytes in one line of a console that only passes text. */
enum { LINE_BYTES = 32 };

/* 1 for such a console, else 0: a symbol of the linker script, only its address means anything. */
extern const char ts_console_is_text[];

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

/* The bytes as lines of a prefix and hexadecimal digits; not zero if one was not written. */
static int32_t write_lines(const uint8_t *bytes, uint32_t count) {
    static const char digits[] = "0123456789abcdef";
    int32_t missing = 0;
    for (uint32_t done = 0; done < count && missing == 0; done += LINE_BYTES) {
        char line[4 + 2 * LINE_BYTES + 1] = "#ts ";
        char *at = line + 4;
        for (uint32_t i = done; i < count && i < done + LINE_BYTES; i++) {
            *at++ = digits[bytes[i] >> 4];
            *at++ = digits[bytes[i] & 15];
        }
        *at++ = '\n';
        missing = write_to(stream_handle, line, (uint32_t)(at - line));
    }
    return missing;
}

void ts_stream_write(const void *bytes, uint32_t count) {
    const bool is_text = (uintptr_t)ts_console_is_text == 1;
    if ((is_text ? write_lines(bytes, count) : write_to(stream_handle, bytes, count)) != 0) {
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
