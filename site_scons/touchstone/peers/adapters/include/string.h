/* SPDX-License-Identifier: Apache-2.0 */
/* The string.h that a peer's sources see. A freestanding compiler would call a function for every
 * four bytes that CMSIS-NN copies, which makes it four times slower than any user would see it. */
#ifndef TS_PEERS_STRING_H
#define TS_PEERS_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset

#endif
