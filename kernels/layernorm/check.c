// SPDX-License-Identifier: Apache-2.0
#include "layernorm.h"
#include "ts_check.h"

ts_status ts_layernorm_check(const ts_team *team, const ts_layernorm_args *args,
                             const void *scratch) {
    ts_checker c = ts_check_call(team, args);
    if (c.status != TS_OK)
        return c.status;
    const ts_shape *shape = &args->shape;
    ts_expect_dimension(&c, shape->S);
    ts_expect_dimension(&c, shape->E);
    ts_expect(&c, shape->E < 1u << 15, TS_ERROR_SHAPE);
    ts_expect_operand(&c, args->input);
    ts_expect_operand(&c, args->output);
    ts_expect_norm(&c, args->weight, args->bias, shape->E, args->shift);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, ts_layernorm_scratch(&args->shape, team->cores));
    return c.status;
}
