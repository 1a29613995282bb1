// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and layernorm: operands and parameters in kernel.yaml's order. */
#include "layernorm.h"
#include "ts_job.h"

enum { INPUT, WEIGHT, BIAS, OUTPUT };
enum { SHIFT };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_layernorm_args args = {
        .shape = c->shape,
        .input = c->operands[INPUT],
        .weight = c->operands[WEIGHT],
        .bias = c->operands[BIAS],
        .output = c->operands[OUTPUT],
        .shift = c->params[SHIFT],
    };
    ts_layernorm(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_layernorm_scratch(shape, cores);
}
