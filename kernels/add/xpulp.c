// SPDX-License-Identifier: Apache-2.0
/* Words shared between the cores; the elements left over are the last core's. */
#include "add.h"
#include "ts_xpulp_pointwise.h"

uint32_t ts_add_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

void ts_add_xpulp(const ts_team *team, const ts_add_args *args, void *scratch) {
    (void)scratch;
    const ts_range share = ts_xp_share_words(team, args->shape.S * args->shape.E);
    const ts_xp_addition add =
        ts_xp_addition_of(args->a_mul, args->b_mul, args->shift, args->round_half_up);
    ts_xp_add(&add, args->a + share.begin, args->b + share.begin, share.end - share.begin,
              args->output + share.begin);
}
