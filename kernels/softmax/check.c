// SPDX-License-Identifier: Apache-2.0
#include "softmax.h"
#include "ts_check.h"

ts_status ts_softmax_check(const ts_team *team, const ts_softmax_args *args, const void *scratch) {
    ts_checker c = ts_check_call(team, args);
    if (c.status != TS_OK)
        return c.status;
    const ts_shape *shape = &args->shape;
    ts_expect_dimension(&c, shape->S);
    ts_expect_dimension(&c, shape->H);
    ts_expect_operand(&c, args->input);
    ts_expect_operand(&c, args->output);
    ts_expect_table(&c, &args->table, shape->S);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, ts_softmax_scratch(&args->shape, team->cores));
    return c.status;
}
