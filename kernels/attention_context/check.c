// SPDX-License-Identifier: Apache-2.0
#include "attention_context.h"
#include "ts_check.h"

ts_status ts_attention_context_check(const ts_team *team, const ts_attention_context_args *args,
                                     const void *scratch) {
    ts_checker c = ts_check_call(team, args);
    if (c.status != TS_OK)
        return c.status;
    const ts_shape *shape = &args->shape;
    ts_expect_dimension(&c, shape->S);
    ts_expect_dimension(&c, shape->P);
    ts_expect_dimension(&c, shape->H);
    const uint32_t channels = shape->H * shape->P;
    ts_expect_operand(&c, args->map);
    ts_expect_operand(&c, args->value);
    ts_expect_operand(&c, args->output);
    ts_expect(&c, args->output_row_stride >= channels, TS_ERROR_RANGE);
    ts_expect_depth(&c, shape->S, TS_PRODUCT_U8);
    ts_expect_requant(&c, &args->requant, channels);
    const uint64_t bytes = (uint64_t)(shape->S - 1) * args->output_row_stride + channels;
    ts_expect_apart(&c, args->output, bytes, args->map, (uint64_t)shape->H * shape->S * shape->S);
    ts_expect_apart(&c, args->output, bytes, args->value, (uint64_t)channels * shape->S);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, ts_attention_context_scratch(&args->shape, team->cores));
    return c.status;
}
