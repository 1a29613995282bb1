// SPDX-License-Identifier: Apache-2.0
#include "encoder_block.h"
#include "ts_check.h"

ts_status ts_encoder_block_check(const ts_team *team, const ts_encoder_block_args *args,
                                 const void *scratch) {
    ts_checker c = ts_check_call(team, args);
    if (c.status != TS_OK)
        return c.status;
    const ts_shape *shape = &args->shape;
    ts_expect_dimension(&c, shape->S);
    ts_expect_dimension(&c, shape->E);
    ts_expect_dimension(&c, shape->P);
    ts_expect_dimension(&c, shape->H);
    ts_expect_dimension(&c, shape->F);
    const uint32_t channels = shape->H * shape->P;
    const uint64_t bytes = (uint64_t)shape->S * shape->E;
    ts_expect_operand(&c, args->input);
    ts_expect_operand(&c, args->output);
    ts_expect_linear(&c, args->q_weight, args->q_bias, &args->q, channels, shape->E);
    ts_expect_linear(&c, args->k_weight, args->k_bias, &args->k, channels, shape->E);
    ts_expect_linear(&c, args->v_weight, args->v_bias, &args->v, channels, shape->E);
    ts_expect_linear(&c, args->o_weight, args->o_bias, &args->o, shape->E, channels);
    ts_expect_maps(&c, shape, &args->scores, &args->softmax, &args->context);
    ts_expect(&c, shape->E < 1u << 15, TS_ERROR_SHAPE);
    ts_expect_norm(&c, args->norm1.weight, args->norm1.bias, shape->E, args->norm1.shift);
    ts_expect_norm(&c, args->norm2.weight, args->norm2.bias, shape->E, args->norm2.shift);
    ts_expect_linear(&c, args->up_weight, args->up_bias, &args->up, shape->F, shape->E);
    ts_expect_linear(&c, args->down_weight, args->down_bias, &args->down, shape->E, shape->F);
    ts_expect_operand(&c, args->gelu_table);
    const ts_encoder_add *const sums[] = {&args->add1, &args->add2};
    for (uint32_t i = 0; i < 2; i++)
        ts_expect_sum(&c, sums[i]->residual_mul, sums[i]->layer_mul, sums[i]->shift,
                      sums[i]->round_half_up);
    ts_expect_apart(&c, args->output, bytes, args->input, bytes);
    ts_expect_schedule(&c, &shape->schedule);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, ts_encoder_block_scratch(&args->shape, team->cores));
    return c.status;
}
