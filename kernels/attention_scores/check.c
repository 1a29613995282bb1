// SPDX-License-Identifier: Apache-2.0
#include "attention_scores.h"
#include "ts_check.h"

ts_status ts_attention_scores_check(const ts_team *team, const ts_attention_scores_args *args,
                                    const void *scratch) {
    ts_checker c = ts_check_call(team, args);
    if (c.status != TS_OK)
        return c.status;
    const ts_shape *shape = &args->shape;
    ts_expect_dimension(&c, shape->S);
    ts_expect_dimension(&c, shape->P);
    ts_expect_dimension(&c, shape->H);
    const uint32_t head = shape->S * shape->P;
    const uint64_t map = (uint64_t)shape->H * shape->S * shape->S;
    const uint64_t keys = args->key_head_stride ? (uint64_t)shape->H * head : head;
    ts_expect_operand(&c, args->query);
    ts_expect_operand(&c, args->key);
    ts_expect_operand(&c, args->output);
    ts_expect(&c, args->key_head_stride == 0 || args->key_head_stride == head, TS_ERROR_RANGE);
    ts_expect_depth(&c, shape->P, TS_PRODUCT_S8);
    ts_expect_requant(&c, &args->requant, 0);
    ts_expect_table(&c, &args->table, shape->S);
    ts_expect_apart(&c, args->output, map, args->query, (uint64_t)shape->H * head);
    ts_expect_apart(&c, args->output, map, args->key, keys);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, ts_attention_scores_scratch(&args->shape, team->cores));
    return c.status;
}
