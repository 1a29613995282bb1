// SPDX-License-Identifier: Apache-2.0
#include "linear_qk.h"
#include "ts_check.h"

ts_status ts_linear_qk_check(const ts_team *team, const ts_linear_qk_args *args,
                             const void *scratch) {
    ts_checker c = ts_check_call(team, args);
    if (c.status != TS_OK)
        return c.status;
    const ts_shape *shape = &args->shape;
    ts_expect_dimension(&c, shape->S);
    ts_expect_dimension(&c, shape->E);
    ts_expect_dimension(&c, shape->P);
    ts_expect_dimension(&c, shape->H);
    const uint32_t channels = shape->H * shape->P;
    ts_expect_operand(&c, args->input);
    ts_expect_operand(&c, args->weight);
    ts_expect_operand(&c, args->output);
    ts_expect_bias(&c, args->bias, channels, shape->E);
    ts_expect_requant(&c, &args->requant, channels);
    ts_expect_apart(&c, args->output, (uint64_t)channels * shape->S, args->input,
                    (uint64_t)shape->S * shape->E);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, ts_linear_qk_scratch(&args->shape, team->cores));
    return c.status;
}
