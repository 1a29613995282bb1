// SPDX-License-Identifier: Apache-2.0
#include "add.h"
#include "ts_check.h"

ts_status ts_add_check(const ts_team *team, const ts_add_args *args, const void *scratch) {
    ts_checker c = ts_check_call(team, args);
    if (c.status != TS_OK)
        return c.status;
    const ts_shape *shape = &args->shape;
    ts_expect_dimension(&c, shape->S);
    ts_expect_dimension(&c, shape->E);
    ts_expect_operand(&c, args->a);
    ts_expect_operand(&c, args->b);
    ts_expect_operand(&c, args->output);
    ts_expect_sum(&c, args->a_mul, args->b_mul, args->shift, args->round_half_up);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, ts_add_scratch(&args->shape, team->cores));
    return c.status;
}
