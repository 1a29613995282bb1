/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_CRC32_H
#define TS_COMMON_CRC32_H

#include <stdint.h>

/* CRC-32 as in zlib: `crc` is 0 at first, then what the call on the bytes before returned. */
uint32_t ts_crc32(uint32_t crc, const void *bytes, uint32_t count);

#endif
