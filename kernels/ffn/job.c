// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and ffn: operands and parameters in kernel.yaml's order. */
#include "ffn.h"
#include "ts_job.h"

enum { INPUT, UP_WEIGHT, UP_BIAS, DOWN_WEIGHT, DOWN_BIAS, UP_MUL, DOWN_MUL, GELU_TABLE, OUTPUT };
enum { UP_SHIFT, UP_FLAGS, DOWN_SHIFT, DOWN_FLAGS };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_ffn_args args = {
        .shape = c->shape,
        .input = c->operands[INPUT],
        .up_weight = c->operands[UP_WEIGHT],
        .up_bias = c->operands[UP_BIAS],
        .down_weight = c->operands[DOWN_WEIGHT],
        .down_bias = c->operands[DOWN_BIAS],
        .up = ts_case_requant(c, UP_MUL, UP_SHIFT),
        .down = ts_case_requant(c, DOWN_MUL, DOWN_SHIFT),
        .table = c->operands[GELU_TABLE],
        .output = c->operands[OUTPUT],
    };
    ts_ffn(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_ffn_scratch(shape, cores);
}
