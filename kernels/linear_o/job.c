// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and linear_o: operands and parameters in kernel.yaml's order. */
#include "linear_o.h"
#include "ts_job.h"

enum { INPUT, WEIGHT, BIAS, REQUANT_MUL, OUTPUT };
enum { REQUANT_SHIFT, REQUANT_FLAGS };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_linear_o_args args = {
        .shape = c->shape,
        .input = c->operands[INPUT],
        .weight = c->operands[WEIGHT],
        .bias = c->operands[BIAS],
        .requant = ts_case_requant(c, REQUANT_MUL, REQUANT_SHIFT),
        .output = c->operands[OUTPUT],
    };
    ts_linear_o(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_linear_o_scratch(shape, cores);
}
