/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_MEMORY_H
#define TS_COMMON_MEMORY_H

#include <stddef.h>

/* As in the C library, of which a freestanding build has no <string.h>. */
void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);

#endif
