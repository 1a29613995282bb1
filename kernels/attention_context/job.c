// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and attention_context: operands and parameters in kernel.yaml's
 * order. */
#include "attention_context.h"
#include "ts_job.h"

enum { MAP, VALUE, REQUANT_MUL, OUTPUT };
enum { REQUANT_SHIFT, REQUANT_FLAGS };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_attention_context_args args = {
        .shape = c->shape,
        .map = c->operands[MAP],
        .value = c->operands[VALUE],
        .requant = ts_case_requant(c, REQUANT_MUL, REQUANT_SHIFT),
        .output = c->operands[OUTPUT],
        .output_row_stride = c->shape.H * c->shape.P,
    };
    ts_attention_context(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_attention_context_scratch(shape, cores);
}
