// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and add: operands and parameters in kernel.yaml's order. */
#include "add.h"
#include "ts_job.h"

enum { A, B, OUTPUT };
enum { A_MUL, B_MUL, SHIFT, FLAGS };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_add_args args = {
        .shape = c->shape,
        .a = c->operands[A],
        .b = c->operands[B],
        .output = c->operands[OUTPUT],
        .a_mul = c->params[A_MUL],
        .b_mul = c->params[B_MUL],
        .shift = c->params[SHIFT],
        .round_half_up = c->params[FLAGS] & 1u,
    };
    ts_add(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_add_scratch(shape, cores);
}
