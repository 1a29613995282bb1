// SPDX-License-Identifier: Apache-2.0
#include "leaky_relu.h"
#include "ts_job.h"

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_leaky_relu_args args = {c->shape, c->params[0], c->operands[0], c->operands[1]};
    ts_leaky_relu(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_leaky_relu_scratch(shape, cores);
}
