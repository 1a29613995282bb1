// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and gelu: operands and parameters in kernel.yaml's order. */
#include "gelu.h"
#include "ts_job.h"

enum { INPUT, TABLE, OUTPUT };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_gelu_args args = {
        .shape = c->shape,
        .input = c->operands[INPUT],
        .table = c->operands[TABLE],
        .output = c->operands[OUTPUT],
    };
    ts_gelu(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_gelu_scratch(shape, cores);
}
