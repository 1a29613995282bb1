// SPDX-License-Identifier: Apache-2.0
/// \file
/// Loading an image: a little-endian ELF32 executable for ARM of which only the loadable segments
/// matter. Bytes go to the physical (load) addresses, as a flash programmer would put them; copying
/// .data and clearing .bss is the reset handler's work.
#ifndef TOUCHSTONE_CORTEXM_IMAGE_H
#define TOUCHSTONE_CORTEXM_IMAGE_H

#include "memory.h"

enum { IMAGE_MAX_SEGMENTS = 32 };

typedef struct {
    uint32_t virtual_address;
    uint32_t load_address;
    uint32_t file_offset;
    uint32_t file_bytes;
    uint32_t memory_bytes;
    uint8_t permissions;
} ImageSegment;

typedef struct {
    uint8_t *bytes; ///< the whole file
    size_t size;
    uint32_t entry;
    ImageSegment segments[IMAGE_MAX_SEGMENTS];
    size_t segment_count;
} Image;

/// Read and check the file. NULL, or what is wrong with it.
const char *image_read(Image *image, const char *path);

/// Declare the pages of every segment.
void image_declare(const Image *image, Memory *memory);

/// Copy the segments into the allocated memory and find the reset state: the vector table is the
/// first word pair at the lowest load address; its second word (the reset vector) must be the ELF
/// entry. NULL, or what is wrong.
const char *image_load(const Image *image, const Memory *memory, uint32_t *stack_pointer,
                       uint32_t *entry);

#endif
