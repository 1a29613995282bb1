/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_CONSOLE_H
#define TS_COMMON_CONSOLE_H

#include <stdint.h>

/* Exit codes; 0 means that the record stream is complete, whatever its verdict. */
enum { TS_EXIT_DONE = 0, TS_EXIT_FAULT = 101, TS_EXIT_STACK = 102, TS_EXIT_CONSOLE = 103 };
enum { TS_EXIT_REGISTER = 104 };

/* Opens the record stream (standard output) and the log (standard error). */
void ts_console_open(void);

/* Appends bytes to the record stream. */
void ts_stream_write(const void *bytes, uint32_t count);

/* Appends to the log: text, a decimal number, a hexadecimal number with 0x and eight digits. */
void ts_log(const char *text);
void ts_log_decimal(int32_t value);
void ts_log_hex(uint32_t value);

/* Ends the program. */
_Noreturn void ts_exit(uint32_t code);

#endif
