// SPDX-License-Identifier: Apache-2.0
#include "add.h"
#include "ts_m4_pointwise.h"

uint32_t ts_add_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

void ts_add_cortexm4(const ts_team *team, const ts_add_args *args, void *scratch) {
    (void)scratch;
    const ts_range share = ts_team_share(team, args->shape.S * args->shape.E);
    const ts_m4_addition add = {
        .a_mul = (int32_t)args->a_mul,
        .b_mul = (int32_t)args->b_mul,
        .rounding = args->round_half_up ? (int32_t)(1u << (args->shift - 1)) : 0,
        .shift = args->shift,
    };
    ts_m4_add(&add, args->a + share.begin, args->b + share.begin, share.end - share.begin,
              args->output + share.begin);
}
