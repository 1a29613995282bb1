// SPDX-License-Identifier: Apache-2.0
/* Small pieces that the Armv7E-M kernels (Cortex-M4, Cortex-M7) share. */
#ifndef TS_ARMV7EM_H
#define TS_ARMV7EM_H

#include <arm_acle.h>
#include <stdint.h>

typedef struct __attribute__((packed, may_alias)) {
    uint32_t word;
} ts_unaligned_word;

/* Four bytes at any address. LDR allows that, LDRD and LDM do not: the packed type keeps the
 * compiler from merging neighbours, and unlike memcpy it is never a call. */
static inline uint32_t ts_load4(const void *p) { return ((const ts_unaligned_word *)p)->word; }

static inline void ts_store4(void *p, uint32_t word) { ((ts_unaligned_word *)p)->word = word; }

#endif
