// SPDX-License-Identifier: Apache-2.0
#include "ffn.h"
#include "ts_check.h"

ts_status ts_ffn_check(const ts_team *team, const ts_ffn_args *args, const void *scratch) {
    ts_checker c = ts_check_call(team, args);
    if (c.status != TS_OK)
        return c.status;
    const ts_shape *shape = &args->shape;
    ts_expect_dimension(&c, shape->S);
    ts_expect_dimension(&c, shape->E);
    ts_expect_dimension(&c, shape->F);
    const uint64_t bytes = (uint64_t)shape->S * shape->E;
    ts_expect_operand(&c, args->input);
    ts_expect_operand(&c, args->table);
    ts_expect_operand(&c, args->output);
    ts_expect_linear(&c, args->up_weight, args->up_bias, &args->up, shape->F, shape->E);
    ts_expect_linear(&c, args->down_weight, args->down_bias, &args->down, shape->E, shape->F);
    ts_expect_apart(&c, args->output, bytes, args->input, bytes);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, ts_ffn_scratch(&args->shape, team->cores));
    return c.status;
}
