// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and fwsa: operands and parameters in kernel.yaml's order. */
#include "fwsa.h"
#include "ts_job.h"

enum { INPUT, WEIGHT, BIAS, REQUANT_MUL, SCORES_REQUANT_MUL, SOFTMAX_TABLE, OUTPUT };
enum { REQUANT_SHIFT, REQUANT_FLAGS, SCORES_REQUANT_SHIFT, SCORES_REQUANT_FLAGS, SOFTMAX_MAX };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_fwsa_args args = {
        .shape = c->shape,
        .input = c->operands[INPUT],
        .weight = c->operands[WEIGHT],
        .bias = c->operands[BIAS],
        .requant = ts_case_requant(c, REQUANT_MUL, REQUANT_SHIFT),
        .scores_requant = ts_case_requant(c, SCORES_REQUANT_MUL, SCORES_REQUANT_SHIFT),
        .table = {c->operands[SOFTMAX_TABLE], c->params[SOFTMAX_MAX]},
        .output = c->operands[OUTPUT],
    };
    ts_fwsa(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_fwsa_scratch(shape, cores);
}
