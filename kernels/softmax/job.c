// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and softmax: operands and parameters in kernel.yaml's order. */
#include "softmax.h"
#include "ts_job.h"

enum { INPUT, SOFTMAX_TABLE, OUTPUT };
enum { SOFTMAX_MAX };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_softmax_args args = {
        .shape = c->shape,
        .input = c->operands[INPUT],
        .table = {c->operands[SOFTMAX_TABLE], c->params[SOFTMAX_MAX]},
        .output = c->operands[OUTPUT],
    };
    ts_softmax(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_softmax_scratch(shape, cores);
}
