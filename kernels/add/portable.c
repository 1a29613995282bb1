// SPDX-License-Identifier: Apache-2.0
#include "add.h"
#include "ts_requant.h"

uint32_t ts_add_portable_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

/* Two products below 2^23 and a rounding term of at most 2^30 fit int32. */
void ts_add_portable(const ts_team *team, const ts_add_args *args, void *scratch) {
    (void)scratch;
    const int32_t a_mul = (int32_t)args->a_mul, b_mul = (int32_t)args->b_mul;
    const int32_t rounding = args->round_half_up ? (int32_t)(1u << (args->shift - 1)) : 0;
    const ts_range share = ts_team_share(team, args->shape.S * args->shape.E);
    for (uint32_t i = share.begin; i < share.end; i++) {
        const int32_t sum = args->a[i] * a_mul + args->b[i] * b_mul + rounding;
        args->output[i] = ts_clip_int8(sum >> args->shift);
    }
}
