/* SPDX-License-Identifier: Apache-2.0 */
/* How a stage requantises, decided once per call from its factors, shift and largest sum. */
#ifndef TS_XPULP_SCALE_H
#define TS_XPULP_SCALE_H

#include "ts_requant.h"
#include "ts_xpulp_call.h"

/* Functions that run once or a few times per call: on a cold instruction cache every 16 bytes of
 * code cost as much as a dozen instructions. */
#ifdef __clang__
#define TS_XP_SMALL __attribute__((minsize))
#else
#define TS_XP_SMALL __attribute__((optimize("Os")))
#endif
#define TS_XP_STAGE static __attribute__((noinline, unused, section(".text.hot.xp"))) TS_XP_SMALL
/* What most shapes do without does not lie among the stages. */
#define TS_XP_SELDOM static __attribute__((noinline, unused)) TS_XP_SMALL

/* Fast and general need |sum * factor + rounding| < 2^31; wide does not. */
typedef enum { TS_XP_FAST, TS_XP_GENERAL, TS_XP_WIDE } ts_xp_path;

TS_XP_SELDOM uint32_t ts_xp_largest_factor(const uint16_t *factors, uint32_t columns) {
    uint32_t largest = 0;
    for (uint32_t i = 0; i < columns; i++)
        largest = factors[i] > largest ? factors[i] : largest;
    return largest;
}

/* Where fast does not do. */
TS_XP_SELDOM void ts_xp_set_general(ts_xp_call *call, const ts_requant *requant, uint32_t columns,
                                    uint32_t bound, uint32_t block) {
    const uint32_t rounding = requant->round_half_up ? 1u << (requant->shift - 1) : 0;
    const uint32_t factor =
        requant->per_channel ? ts_xp_largest_factor(requant->mul, columns) : requant->mul[0];
    call->rounding = (int32_t)rounding;
    call->shift = requant->shift;
    call->factors = requant->mul + (requant->per_channel ? 4 * block : 0);
    call->factors_step = requant->per_channel ? 8 : 0;
    call->path = (uint64_t)bound * factor < (1u << 31) - rounding ? TS_XP_GENERAL : TS_XP_WIDE;
}

/* `requant.mul` in layout factors4, `columns` of them where there is one per channel, the call's
 * from block `block` on. `bound`: no |sum| is larger, bias included. */
TS_XP_STAGE void ts_xp_set_scale(ts_xp_call *call, const ts_requant *requant, uint32_t columns,
                                 uint32_t bound, uint32_t block) {
    call->path = TS_XP_FAST;
    call->factors_step = 0;
    if (!requant->per_channel && !requant->round_half_up && requant->shift <= 16) {
        const uint32_t factor = (uint32_t)requant->mul[0] << (16 - requant->shift);
        call->factor = (int32_t)factor - 1;
        if ((uint64_t)bound * factor < 1u << 31)
            return;
    }
    ts_xp_set_general(call, requant, columns, bound, block);
}

#endif
