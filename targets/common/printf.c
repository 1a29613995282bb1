/* SPDX-License-Identifier: Apache-2.0 */
#include "ts_printf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "console.h"

/* One call's text; `used` goes on counting where it is full. */
typedef struct {
    char bytes[TS_PRINTF_BYTES + 1];
    uint32_t used;
} text;

/* How a value is shown. */
typedef struct {
    uint32_t width;
    bool left, zeros;
} layout;

static void put(text *to, char sign) {
    if (to->used < TS_PRINTF_BYTES) {
        to->bytes[to->used] = sign;
    }
    to->used++;
}

static void put_field(text *to, const char *from, uint32_t count, layout how) {
    const uint32_t pad = how.width > count ? how.width - count : 0;
    uint32_t at = 0;
    /* A sign stands ahead of zeros. */
    if (how.zeros && count > 0 && from[0] == '-') {
        put(to, from[at++]);
    }
    for (uint32_t i = 0; i < pad && !how.left; i++) {
        put(to, how.zeros ? '0' : ' ');
    }
    while (at < count) {
        put(to, from[at++]);
    }
    for (uint32_t i = 0; i < pad && how.left; i++) {
        put(to, ' ');
    }
}

static void put_number(text *to, uint32_t value, uint32_t base, bool negative, bool upper,
                       layout how) {
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char reversed[11], sign_first[12];
    uint32_t count = 0, length = 0;
    do {
        reversed[count++] = digits[value % base];
        value /= base;
    } while (value != 0);
    if (negative) {
        sign_first[length++] = '-';
    }
    while (count > 0) {
        sign_first[length++] = reversed[--count];
    }
    put_field(to, sign_first, length, how);
}

static void put_string(text *to, const char *from, layout how) {
    uint32_t count = 0;
    while (from[count] != '\0') {
        count++;
    }
    how.zeros = false;
    put_field(to, from, count, how);
}

/* Reads flags and width, skips sizes; returns the conversion's letter's place. */
static const char *read_layout(const char *at, layout *how) {
    *how = (layout){0, false, false};
    for (; *at == '0' || *at == '-'; at++) {
        how->zeros = how->zeros || *at == '0';
        how->left = how->left || *at == '-';
    }
    how->zeros = how->zeros && !how->left;
    for (; *at >= '0' && *at <= '9'; at++) {
        how->width = how->width < TS_PRINTF_BYTES ? how->width * 10 + (uint32_t)(*at - '0')
                                                  : TS_PRINTF_BYTES;
    }
    while (*at == 'l' || *at == 'h') {
        at++;
    }
    return at;
}

static void put_argument(text *to, char conversion, layout how, va_list *arguments) {
    if (conversion == 'd' || conversion == 'i') {
        const int32_t value = va_arg(*arguments, int32_t);
        const uint32_t size = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
        put_number(to, size, 10, value < 0, false, how);
    } else if (conversion == 'u') {
        put_number(to, va_arg(*arguments, uint32_t), 10, false, false, how);
    } else if (conversion == 'x' || conversion == 'X') {
        put_number(to, va_arg(*arguments, uint32_t), 16, false, conversion == 'X', how);
    } else if (conversion == 'p') {
        const uint32_t address = (uint32_t)(uintptr_t)va_arg(*arguments, void *);
        put_string(to, "0x", (layout){0, false, false});
        put_number(to, address, 16, false, false, (layout){8, false, true});
    } else if (conversion == 'c') {
        const char sign = (char)va_arg(*arguments, int);
        how.zeros = false;
        put_field(to, &sign, 1, how);
    } else if (conversion == 's') {
        put_string(to, va_arg(*arguments, const char *), how);
    } else {
        put(to, '%');
        put(to, conversion);
    }
}

void ts_printf(const char *format, ...) {
    text made;
    made.used = 0;
    va_list arguments;
    va_start(arguments, format);
    for (const char *at = format; *at != '\0'; at++) {
        layout how;
        if (*at != '%') {
            put(&made, *at);
        } else if (*(at = read_layout(at + 1, &how)) == '%') {
            put(&made, '%');
        } else if (*at == '\0') {
            break;
        } else {
            put_argument(&made, *at, how, &arguments);
        }
    }
    va_end(arguments);
    if (made.used > TS_PRINTF_BYTES) {
        made.used = TS_PRINTF_BYTES;
        for (uint32_t i = 1; i <= 3; i++) {
            made.bytes[TS_PRINTF_BYTES - 1 - i] = '.';
        }
        made.bytes[TS_PRINTF_BYTES - 1] = '\n';
    }
    made.bytes[made.used] = '\0';
    ts_log(made.bytes);
}
