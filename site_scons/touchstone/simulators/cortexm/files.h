// SPDX-License-Identifier: Apache-2.0
/// \file
/// Reading files and little-endian numbers.
#ifndef TOUCHSTONE_CORTEXM_FILES_H
#define TOUCHSTONE_CORTEXM_FILES_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t read_u16(const uint8_t *bytes) {
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t read_u32(const uint8_t *bytes) {
    return read_u16(bytes) | (uint32_t)read_u16(bytes + 2) << 16;
}

static inline uint64_t read_u64(const uint8_t *bytes) {
    return read_u32(bytes) | (uint64_t)read_u32(bytes + 4) << 32;
}

/// The whole file in memory that the caller owns, or NULL.
uint8_t *read_file(const char *path, size_t *size);

/// The CRC-32 of zlib.
uint32_t crc32_of(const uint8_t *bytes, size_t size);

#endif
