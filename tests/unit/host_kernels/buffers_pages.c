// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"

guarded guard(size_t bytes, int at_end, int poison) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner = (bytes + page - 1) / page * page;
    guarded g = {.map_bytes = inner + 2 * page, .bytes = bytes};
    g.map = mmap(NULL, g.map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (g.map == MAP_FAILED ||
        (inner && mprotect(g.map + page, inner, PROT_READ | PROT_WRITE) != 0))
        fail("out of memory");
    memset(g.map + page, poison, inner);
    g.data = g.map + page + (at_end ? inner - bytes : 0);
    return g;
}

void fill_and_lock(guarded *g, const uint8_t *bytes) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    memcpy(g->data, bytes, g->bytes);
    if (g->bytes && mprotect(g->map + page, g->map_bytes - 2 * page, PROT_READ) != 0)
        fail("mprotect");
}

/* The slack of the buffer's pages, which no guard page covers, still holds the poison. */
void check_slack(const guarded *g, int poison) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (const uint8_t *p = g->map + page; p < g->map + g->map_bytes - page; p++)
        if ((p < g->data || p >= g->data + g->bytes) && *p != poison)
            fail("write outside the output or the scratch");
}

void release(guarded *g) { munmap(g->map, g->map_bytes); }
