// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_COUNT = 1 << 20 };
enum { PERMISSIONS = 7, MAPPED = 1 << 3, FIXED = 1 << 4, LOADED = 1 << 5 };

bool memory_init(Memory *memory) {
    memset(memory, 0, sizeof *memory);
    memory->pages = calloc(PAGE_COUNT, 1);
    return memory->pages != NULL;
}

static uint32_t first_page(uint32_t address) { return address / MEMORY_PAGE_BYTES; }

static uint32_t end_page(uint32_t address, uint32_t bytes) {
    uint64_t end = (uint64_t)address + bytes + MEMORY_PAGE_BYTES - 1;
    uint64_t page = end / MEMORY_PAGE_BYTES;
    return page < PAGE_COUNT ? (uint32_t)page : PAGE_COUNT;
}

bool memory_declare(Memory *memory, uint32_t address, uint32_t bytes, uint8_t permissions) {
    uint32_t first = first_page(address);
    uint32_t end = end_page(address, bytes);
    uint8_t flags = permissions != 0 ? FIXED | permissions : MEMORY_READ | MEMORY_WRITE;
    for (uint32_t page = first; page < end; page++) {
        memory->pages[page] |= MAPPED | flags;
    }
    if (permissions == 0) {
        if (memory->declared_count == MEMORY_MAX_DECLARED) {
            return false;
        }
        memory->declared[memory->declared_count++] = (MemoryDeclared){first, end};
    }
    return true;
}

void memory_declare_segment(Memory *memory, uint32_t address, uint32_t bytes, uint8_t permissions) {
    for (uint32_t page = first_page(address); page < end_page(address, bytes); page++) {
        uint8_t flags = memory->pages[page];
        if (flags & FIXED) {
            continue;
        }
        if (!(flags & LOADED)) {
            flags = 0;
        }
        memory->pages[page] = flags | MAPPED | LOADED | permissions;
    }
}

/// A memory that holds a segment which is not writable is flash, all of it.
static void protect_flash(Memory *memory, const MemoryDeclared *declared) {
    bool flash = false;
    for (uint32_t page = declared->first_page; page < declared->end_page; page++) {
        uint8_t flags = memory->pages[page];
        flash |= (flags & LOADED) && !(flags & (MEMORY_WRITE | FIXED));
    }
    for (uint32_t page = declared->first_page; flash && page < declared->end_page; page++) {
        if (!(memory->pages[page] & (LOADED | FIXED))) {
            memory->pages[page] &= (uint8_t)~MEMORY_WRITE;
        }
    }
}

static uint8_t *allocate_pages(uint32_t bytes) {
    uint8_t *host = aligned_alloc(MEMORY_PAGE_BYTES, bytes);
    if (host == NULL) {
        return NULL;
    }
    memset(host, MEMORY_POISON, bytes);
    return host;
}

const char *memory_allocate(Memory *memory) {
    enum { COMPARED = PERMISSIONS | MAPPED };
    for (size_t i = 0; i < memory->declared_count; i++) {
        protect_flash(memory, &memory->declared[i]);
    }
    for (uint32_t page = 0; page < PAGE_COUNT;) {
        uint8_t flags = memory->pages[page] & COMPARED;
        uint32_t end = page + 1;
        if (!(flags & MAPPED)) {
            page = end;
            continue;
        }
        while (end < PAGE_COUNT && (memory->pages[end] & COMPARED) == flags) {
            end++;
        }
        if (memory->run_count == MEMORY_MAX_RUNS) {
            return "the image and --memory describe too many separate memories";
        }
        MemoryRun *run = &memory->runs[memory->run_count++];
        run->address = page * MEMORY_PAGE_BYTES;
        run->bytes = (end - page) * MEMORY_PAGE_BYTES;
        run->permissions = flags & PERMISSIONS;
        run->host = allocate_pages(run->bytes);
        if (run->host == NULL) {
            return "out of memory";
        }
        page = end;
    }
    return NULL;
}

uint8_t *memory_host(const Memory *memory, uint32_t address, uint32_t bytes) {
    for (size_t i = 0; i < memory->run_count; i++) {
        const MemoryRun *run = &memory->runs[i];
        uint32_t offset = address - run->address;
        if (address >= run->address && offset < run->bytes && bytes <= run->bytes - offset) {
            return run->host + offset;
        }
    }
    return NULL;
}
