// SPDX-License-Identifier: Apache-2.0
/* The checks that mhsa_fwsa and mhsa_fwsa_dft share: all but the scratch's size. */
#ifndef TS_MHSA_FWSA_CHECK_H
#define TS_MHSA_FWSA_CHECK_H

#include "mhsa_fwsa.h"
#include "ts_check.h"

static inline ts_status ts_mhsa_fwsa_check_args(const ts_team *team, const ts_mhsa_fwsa_args *args,
                                                const void *scratch,
                                                uint32_t (*bytes_of)(const ts_shape *, uint32_t)) {
    ts_checker c = ts_check_call(team, args);
    if (c.status != TS_OK)
        return c.status;
    const ts_shape *shape = &args->shape;
    ts_expect_dimension(&c, shape->S);
    ts_expect_dimension(&c, shape->E);
    ts_expect_dimension(&c, shape->P);
    ts_expect_dimension(&c, shape->H);
    const uint32_t channels = shape->H * shape->P;
    const uint64_t bytes = (uint64_t)shape->S * shape->E;
    ts_expect_operand(&c, args->input);
    ts_expect_operand(&c, args->output);
    ts_expect_operand(&c, args->f_weight);
    ts_expect_bias(&c, args->f_bias, shape->H * shape->E, shape->E);
    ts_expect_requant(&c, &args->f, shape->H * shape->E);
    ts_expect_operand(&c, args->v_weight);
    ts_expect_bias(&c, args->v_bias, channels, shape->E);
    ts_expect_requant(&c, &args->v, channels);
    ts_expect_operand(&c, args->o_weight);
    ts_expect_bias(&c, args->o_bias, shape->E, channels);
    ts_expect_requant(&c, &args->o, shape->E);
    ts_expect_depth(&c, shape->P, TS_PRODUCT_S8);
    ts_expect_depth(&c, shape->S, TS_PRODUCT_U8);
    ts_expect_requant(&c, &args->scores, 0);
    ts_expect_requant(&c, &args->context, channels);
    ts_expect_table(&c, &args->table, shape->S);
    ts_expect_apart(&c, args->output, bytes, args->input, bytes);
    ts_expect_schedule(&c, &shape->schedule);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, bytes_of(&args->shape, team->cores));
    return c.status;
}

#endif
