// SPDX-License-Identifier: Apache-2.0
#include "image.h"
#include "files.h"

#include <string.h>

enum { EHDR_BYTES = 52, PHDR_BYTES = 32, PT_LOAD = 1, ET_EXEC = 2, EM_ARM = 40 };

static const char *read_segments(Image *image) {
    const uint8_t *header = image->bytes;
    uint64_t table = read_u32(header + 28);
    uint32_t entry_bytes = read_u16(header + 42);
    uint32_t count = read_u16(header + 44);
    if (entry_bytes != PHDR_BYTES || table + (uint64_t)count * PHDR_BYTES > image->size) {
        return "its program header table is damaged";
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *record = image->bytes + table + i * PHDR_BYTES;
        if (read_u32(record) != PT_LOAD) {
            continue;
        }
        if (image->segment_count == IMAGE_MAX_SEGMENTS) {
            return "it has too many loadable segments";
        }
        ImageSegment *segment = &image->segments[image->segment_count++];
        segment->file_offset = read_u32(record + 4);
        segment->virtual_address = read_u32(record + 8);
        segment->load_address = read_u32(record + 12);
        segment->file_bytes = read_u32(record + 16);
        segment->memory_bytes = read_u32(record + 20);
        segment->permissions = read_u32(record + 24) & 7;
        if ((uint64_t)segment->file_offset + segment->file_bytes > image->size ||
            segment->file_bytes > segment->memory_bytes ||
            (uint64_t)segment->load_address + segment->memory_bytes > UINT32_MAX) {
            return "a loadable segment lies outside the file or the address space";
        }
    }
    return image->segment_count > 0 ? NULL : "it has no loadable segment";
}

const char *image_read(Image *image, const char *path) {
    static const uint8_t elf32_le[7] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
    memset(image, 0, sizeof *image);
    image->bytes = read_file(path, &image->size);
    if (image->bytes == NULL) {
        return "it cannot be read";
    }
    if (image->size < EHDR_BYTES || memcmp(image->bytes, elf32_le, sizeof elf32_le) != 0 ||
        read_u16(image->bytes + 16) != ET_EXEC || read_u16(image->bytes + 18) != EM_ARM) {
        return "it is not a little-endian 32-bit ARM ELF executable";
    }
    image->entry = read_u32(image->bytes + 24);
    return read_segments(image);
}

void image_declare(const Image *image, Memory *memory) {
    for (size_t i = 0; i < image->segment_count; i++) {
        const ImageSegment *segment = &image->segments[i];
        uint8_t permissions = segment->permissions | MEMORY_READ;
        if (segment->load_address == segment->virtual_address) {
            memory_declare_segment(memory, segment->load_address, segment->memory_bytes,
                                   permissions);
            continue;
        }
        // Initialised data: constants where it is loaded, read-write where it is used.
        memory_declare_segment(memory, segment->load_address, segment->file_bytes, MEMORY_READ);
        memory_declare_segment(memory, segment->virtual_address, segment->memory_bytes,
                               permissions);
    }
}

const char *image_load(const Image *image, const Memory *memory, uint32_t *stack_pointer,
                       uint32_t *entry) {
    const ImageSegment *lowest = NULL;
    for (size_t i = 0; i < image->segment_count; i++) {
        const ImageSegment *segment = &image->segments[i];
        for (uint32_t done = 0; done < segment->file_bytes;) {
            // Page by page: pages of one segment may differ in permissions and so in their run.
            uint32_t address = segment->load_address + done;
            uint32_t chunk = MEMORY_PAGE_BYTES - address % MEMORY_PAGE_BYTES;
            if (chunk > segment->file_bytes - done) {
                chunk = segment->file_bytes - done;
            }
            uint8_t *host = memory_host(memory, address, chunk);
            memcpy(host, image->bytes + segment->file_offset + done, chunk);
            done += chunk;
        }
        if (segment->file_bytes > 0 &&
            (lowest == NULL || segment->load_address < lowest->load_address)) {
            lowest = segment;
        }
    }
    if (lowest == NULL || lowest->file_bytes < 8) {
        return "it has no vector table";
    }
    const uint8_t *vectors = image->bytes + lowest->file_offset;
    *stack_pointer = read_u32(vectors);
    *entry = read_u32(vectors + 4);
    if ((*entry & 1) == 0 || (image->entry | 1) != *entry) {
        return "the reset vector at its lowest load address is not its entry point";
    }
    return NULL;
}
