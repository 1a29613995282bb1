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
    ts_expect_linear(&c, args->f_weight, args->f_bias, &args->f, shape->H * shape->E, shape->E);
    ts_expect_linear(&c, args->v_weight, args->v_bias, &args->v, channels, shape->E);
    ts_expect_linear(&c, args->o_weight, args->o_bias, &args->o, shape->E, channels);
    ts_expect_maps(&c, shape, &args->scores, &args->table, &args->context);
    ts_expect_apart(&c, args->output, bytes, args->input, bytes);
    ts_expect_schedule(&c, &shape->schedule);
    if (c.status == TS_OK)
        ts_expect_scratch(&c, scratch, bytes_of(&args->shape, team->cores));
    return c.status;
}

#endif
