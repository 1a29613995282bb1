// SPDX-License-Identifier: Apache-2.0
#include "files.h"

#include <stdio.h>
#include <stdlib.h>

uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    uint8_t *bytes = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long end = ftell(file);
        if (end >= 0 && fseek(file, 0, SEEK_SET) == 0) {
            bytes = malloc((size_t)end + 1);
            if (bytes != NULL && fread(bytes, 1, (size_t)end, file) != (size_t)end) {
                free(bytes);
                bytes = NULL;
            }
            *size = (size_t)end;
        }
    }
    fclose(file);
    return bytes;
}

uint32_t crc32_of(const uint8_t *bytes, size_t size) {
    uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) {
            value = value & 1 ? value >> 1 ^ 0xEDB88320U : value >> 1;
        }
        table[i] = value;
    }
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc = table[(crc ^ bytes[i]) & 0xFF] ^ crc >> 8;
    }
    return ~crc;
}
