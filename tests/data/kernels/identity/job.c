/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"
#include "ts_job.h"

enum { INPUT, OUTPUT };
enum { BIAS };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_identity_args args = {
        .shape = c->shape,
        .input = c->operands[INPUT],
        .output = c->operands[OUTPUT],
        .bias = c->params[BIAS],
    };
    ts_identity(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_scratch(shape, cores);
}
