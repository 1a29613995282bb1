// SPDX-License-Identifier: Apache-2.0
// Memories and the ELF loader: every PT_LOAD goes to its physical address, the fabric controller
// starts at the entry.
#include "xpulp.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 52, PROGRAM_HEADER_BYTES = 32, PT_LOAD = 1, MACHINE_RISCV = 243 };

static bool region_allocate(region *r, uint32_t base, uint32_t size) {
    r->base = base;
    r->size = size;
    r->bytes = calloc(size, 1);
    r->code = calloc(size / 2 + 2, sizeof *r->code);
    r->executed = calloc(size / 2, 1);
    r->has_code = calloc(size >> CODE_BLOCK_BITS, 1);
    return r->bytes != NULL && r->code != NULL && r->executed != NULL && r->has_code != NULL;
}

static void region_free(region *r) {
    free(r->bytes);
    free(r->code);
    free(r->executed);
    free(r->has_code);
}

bool sim_allocate(sim *s, uint32_t l1_bytes) {
    return region_allocate(&s->l1, L1_BASE, l1_bytes) &&
           region_allocate(&s->l2, L2_BASE, L2_SIZE) && dma_allocate(s);
}

void sim_free(sim *s) {
    region_free(&s->l1);
    region_free(&s->l2);
    free(s->reads);
    dma_free(s);
}

static uint32_t word_at(const uint8_t *bytes, size_t offset) {
    uint32_t value;
    memcpy(&value, bytes + offset, sizeof value);
    return value;
}

static uint32_t half_at(const uint8_t *bytes, size_t offset) {
    return bytes[offset] | (uint32_t)bytes[offset + 1] << 8;
}

static bool bad(const char *path, const char *reason) {
    fprintf(stderr, "xpulp_sim: %s: %s\n", path, reason);
    return false;
}

static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    uint8_t *data = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long end = ftell(file);
        if (end >= 0 && fseek(file, 0, SEEK_SET) == 0) {
            *size = (size_t)end;
            data = malloc(*size + 1);
            if (data != NULL && fread(data, 1, *size, file) != *size) {
                free(data);
                data = NULL;
            }
        }
    }
    fclose(file);
    return data;
}

static bool load_segments(sim *s, const char *path, const uint8_t *elf, size_t size) {
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    if (size < HEADER_BYTES || memcmp(elf, ident, sizeof ident) != 0 ||
        half_at(elf, 18) != MACHINE_RISCV) {
        return bad(path, "not a 32-bit little-endian RISC-V ELF file");
    }
    uint32_t entry = word_at(elf, 24), table = word_at(elf, 28), count = half_at(elf, 44);
    if (half_at(elf, 42) != PROGRAM_HEADER_BYTES || table > size ||
        (size - table) / PROGRAM_HEADER_BYTES < count) {
        return bad(path, "damaged program header table");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *header = elf + table + (size_t)i * PROGRAM_HEADER_BYTES;
        uint32_t offset = word_at(header, 4), address = word_at(header, 12);
        uint32_t file_bytes = word_at(header, 16), memory_bytes = word_at(header, 20);
        if (word_at(header, 0) != PT_LOAD || memory_bytes == 0) {
            continue;
        }
        uint8_t *memory = memory_span(s, address, memory_bytes);
        if (memory == NULL) {
            return bad(path, "a segment lies outside L1 and L2");
        }
        if (file_bytes > memory_bytes || offset > size || size - offset < file_bytes) {
            return bad(path, "damaged segment");
        }
        memcpy(memory, elf + offset, file_bytes);
    }
    s->entry = entry;
    return true;
}

bool load_image(sim *s, const char *path) {
    size_t size = 0;
    uint8_t *elf = read_file(path, &size);
    if (elf == NULL) {
        return bad(path, "cannot read the file");
    }
    bool ok = load_segments(s, path, elf, size);
    free(elf);
    return ok;
}
