// SPDX-License-Identifier: Apache-2.0
/* Text from kernels into a cell's log (build/cells/<cell>/log.txt), while looking for a defect. */
#ifndef TS_PRINTF_H
#define TS_PRINTF_H

/* As printf, without floating point: %d %i %u %x %X %c %s %p %%, each with `0`, `-`, a width and
 * `l` or `h` or `hh` if you like. At most TS_PRINTF_BYTES bytes a call; what is longer ends with
 * "...". Any core may call it; a call's text is never mixed with another core's. It costs cycles
 * where it is called in the timed run, and its stack. The log keeps its last 4096 characters. */
enum { TS_PRINTF_BYTES = 160 };

__attribute__((format(printf, 1, 2))) void ts_printf(const char *format, ...);

#endif
