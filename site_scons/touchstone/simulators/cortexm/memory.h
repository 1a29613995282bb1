// SPDX-License-Identifier: Apache-2.0
/// \file
/// The simulated memories: which pages exist, what may be done to them, and their bytes.
///
/// A page exists only because `--memory` or a loadable segment of the image names it; everything
/// else is unmapped and faults. A memory given without permissions is RAM (read and write), unless
/// a segment that is not writable is loaded into it: then it is flash, readable and, where the
/// segment is code, executable. RAM cannot be executed.
#ifndef TOUCHSTONE_CORTEXM_MEMORY_H
#define TOUCHSTONE_CORTEXM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMORY_PAGE_BYTES = 4096, MEMORY_MAX_RUNS = 64, MEMORY_MAX_DECLARED = 32 };

/// What bytes hold before anything is loaded: not zero, so that a read of memory which nobody
/// initialised is not accidentally right.
enum { MEMORY_POISON = 0xE7 };

/// Permissions as in ELF segment flags.
enum { MEMORY_EXECUTE = 1, MEMORY_WRITE = 2, MEMORY_READ = 4 };

/// Adjacent pages with equal permissions.
typedef struct {
    uint32_t address;
    uint32_t bytes;
    uint8_t permissions;
    uint8_t *host; ///< page-aligned
} MemoryRun;

/// A memory whose permissions follow from what is loaded into it.
typedef struct {
    uint32_t first_page;
    uint32_t end_page;
} MemoryDeclared;

typedef struct {
    uint8_t *pages; ///< one byte of flags for each page of the 4 GiB address space
    MemoryRun runs[MEMORY_MAX_RUNS];
    size_t run_count;
    MemoryDeclared declared[MEMORY_MAX_DECLARED];
    size_t declared_count;
} Memory;

/// False when the host has no memory left.
bool memory_init(Memory *memory);

/// Declare a memory; `permissions` 0 means that they follow from the segments loaded into it. False
/// if there are too many.
bool memory_declare(Memory *memory, uint32_t address, uint32_t bytes, uint8_t permissions);

/// Declare the pages a segment is loaded into.
void memory_declare_segment(Memory *memory, uint32_t address, uint32_t bytes, uint8_t permissions);

/// Allocate every declared page. NULL, or what is wrong.
const char *memory_allocate(Memory *memory);

/// The host address of [address, address + bytes), or NULL where not all of it is mapped with one
/// set of permissions.
uint8_t *memory_host(const Memory *memory, uint32_t address, uint32_t bytes);

#endif
