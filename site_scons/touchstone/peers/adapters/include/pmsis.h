/* SPDX-License-Identifier: Apache-2.0 */
/* What PULP-NN takes from its vendor's SDK and compiler, made of ours: the team, and the vendor's
 * built-in functions as the same instructions (xpulpv2.h). Our compilers know neither hardware
 * loops nor post-increment loads, so that the vendor's would make faster code of the same text. */
#ifndef TS_PEERS_PMSIS_H
#define TS_PEERS_PMSIS_H

#include <stddef.h>
#include <stdint.h>

#include "ts_kernel.h"
#include "xpulpv2.h"

typedef int8_t v4s __attribute__((vector_size(4)));
typedef uint8_t v4u __attribute__((vector_size(4)));

/* The library shares its work among this many. */
#define NUM_CORES 8

static inline int pi_core_id(void) {
    uint32_t hart;
    __asm__("csrr %0, mhartid" : "=r"(hart));
    return (int)(hart & 31);
}

static inline void peer_barrier(void) {
    const ts_team team = {.core = (uint32_t)pi_core_id(), .cores = NUM_CORES};
    ts_team_barrier(&team);
}
#define pi_cl_team_barrier(...) peer_barrier()

#define __builtin_pulp_fl1(x) ((int)p_fl1((uint32_t)(x)))
#define __builtin_pulp_clip_r(x, y) p_clipr((int32_t)(x), (int32_t)(y))
#define __builtin_pulp_clipu_r(x, y) p_clipur((int32_t)(x), (int32_t)(y))
#define __builtin_pulp_sdotsp4(a, b, c)                                                            \
    ((int)pv_sdotsp_b((uint32_t)(c), (uint32_t)(a), (uint32_t)(b)))
#define __builtin_pulp_sdotusp4(a, b, c)                                                           \
    ((int)pv_sdotusp_b((uint32_t)(c), (uint32_t)(a), (uint32_t)(b)))

/* For functions of the library's header that int8 does not call. */
#define __builtin_pulp_pack4(x, y, z, t) ((v4s){(int8_t)(x), (int8_t)(y), (int8_t)(z), (int8_t)(t)})
#define __builtin_pulp_bextract(x, size, off) ((int)(x) << (32 - (size) - (off)) >> (32 - (size)))
#define __builtin_pulp_bextractu(x, size, off) ((unsigned)(x) >> (off) & ((1u << (size)) - 1))
#define __builtin_pulp_binsert(dst, not_mask, src, mask, off)                                      \
    (((dst) & (not_mask)) | (((src) << (off)) & (mask)))
#define __builtin_pulp_maxu4(a, b) ((v4u)pv_maxu_b((uint32_t)(a), (uint32_t)(b)))
#define __builtin_pulp_max4(a, b) ((v4s)pv_max_b((uint32_t)(a), (uint32_t)(b)))
#define __builtin_pulp_avgu4(a, b) ((v4u)pv_avgu_b((uint32_t)(a), (uint32_t)(b)))
#define __builtin_binsert __builtin_pulp_binsert
/* Instructions on 4 and 2 bits, which this core does not have: nothing that runs may call them. */
void peer_not_on_this_core(void);
#define PEER_NOT_HERE(a, b) (peer_not_on_this_core(), (a))
#define __builtin_pulp_maxu8 PEER_NOT_HERE
#define __builtin_pulp_max8 PEER_NOT_HERE
#define __builtin_pulp_maxu16 PEER_NOT_HERE
#define __builtin_pulp_max16 PEER_NOT_HERE
#define __builtin_pulp_avgu8 PEER_NOT_HERE
#define __builtin_pulp_avgu16 PEER_NOT_HERE

#endif
