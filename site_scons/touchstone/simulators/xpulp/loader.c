// SPDX-License-Identifier: Apache-2.0
// Memories and the ELF loader: every PT_LOAD goes to its physical address, the fabric controller
// starts at the entry.
#include "xpulp.h"

#include <stdlib.h>
#include <string.h>

enum { PT_LOAD = 1, MACHINE_RISCV = 243 };

typedef struct {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version, entry, segments, sections, flags;
    uint16_t bytes, segment_bytes, segment_count, section_bytes, section_count, names;
} elf_header;

typedef struct {
    uint32_t type, offset, virtual_address, address, file_bytes, memory_bytes, flags, alignment;
} elf_segment;

static bool region_allocate(region *r, uint32_t base, uint32_t size) {
    r->base = base;
    r->size = size;
    r->bytes = calloc(size, 1);
    r->code = calloc(size / 2 + 2, sizeof *r->code);
    r->has_code = calloc(size >> CODE_BLOCK_BITS, 1);
    return r->bytes != NULL && r->code != NULL && r->has_code != NULL;
}

bool sim_allocate(sim *s, uint32_t l1_bytes) {
    return region_allocate(&s->l1, L1_BASE, l1_bytes) &&
           region_allocate(&s->l2, L2_BASE, L2_SIZE) && dma_allocate(s);
}

static bool read_at(FILE *file, uint32_t offset, void *to, size_t bytes) {
    return fseek(file, (long)offset, SEEK_SET) == 0 && fread(to, 1, bytes, file) == bytes;
}

// NULL, or what is wrong with the image.
static const char *load(sim *s, FILE *file) {
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    elf_header header;
    elf_segment segment;
    if (!read_at(file, 0, &header, sizeof header) ||
        memcmp(header.ident, ident, sizeof ident) != 0 || header.machine != MACHINE_RISCV) {
        return "not a 32-bit little-endian RISC-V ELF file";
    }
    for (uint32_t i = 0; i < header.segment_count; i++) {
        if (header.segment_bytes != sizeof segment ||
            !read_at(file, header.segments + i * sizeof segment, &segment, sizeof segment)) {
            return "damaged program header table";
        }
        if (segment.type != PT_LOAD || segment.memory_bytes == 0) {
            continue;
        }
        uint8_t *memory = memory_span(s, segment.address, segment.memory_bytes);
        if (memory == NULL) {
            return "a segment lies outside L1 and L2";
        }
        if (segment.file_bytes > segment.memory_bytes ||
            !read_at(file, segment.offset, memory, segment.file_bytes)) {
            return "damaged segment";
        }
    }
    s->entry = header.entry;
    return NULL;
}

bool load_image(sim *s, const char *path) {
    FILE *file = fopen(path, "rb");
    const char *problem = file != NULL ? load(s, file) : "cannot read the file";
    if (problem != NULL) {
        fprintf(stderr, "xpulp_sim: %s: %s\n", path, problem);
    }
    if (file != NULL) {
        fclose(file);
    }
    return problem == NULL;
}
