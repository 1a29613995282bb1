// SPDX-License-Identifier: Apache-2.0
/* The kernel's operands and scratch on the host, so that a stray access is found: between
 * inaccessible pages (buffers_pages.c), or where a sanitizer watches them (buffers_heap.c). */
#ifndef BUFFERS_H
#define BUFFERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *map, *data; /* what is reserved, and the buffer in it */
    size_t map_bytes, bytes;
} guarded;

/* A buffer of exactly `bytes`, full of `poison`. `at_end`: what is guarded by a page is the byte
 * after it, else the byte before. */
guarded guard(size_t bytes, int at_end, int poison);
/* Fill it; from then on it is an input. */
void fill_and_lock(guarded *g, const uint8_t *bytes);
/* Ends the program where a byte around it, which nothing guards, is no longer `poison`. */
void check_slack(const guarded *g, int poison);
void release(guarded *g);

/* Ends the program with a line on stderr. */
void fail(const char *what);

#endif
