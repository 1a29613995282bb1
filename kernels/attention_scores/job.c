// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and attention_scores: operands and parameters in kernel.yaml's
 * order. */
#include "attention_scores.h"
#include "ts_job.h"

enum { QUERY, KEY, REQUANT_MUL, SOFTMAX_TABLE, OUTPUT };
enum { REQUANT_SHIFT, REQUANT_FLAGS, SOFTMAX_MAX };

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_attention_scores_args args = {
        .shape = c->shape,
        .query = c->operands[QUERY],
        .key = c->operands[KEY],
        .requant = ts_case_requant(c, REQUANT_MUL, REQUANT_SHIFT),
        .table = {c->operands[SOFTMAX_TABLE], c->params[SOFTMAX_MAX]},
        .output = c->operands[OUTPUT],
        .key_head_stride = c->shape.S * c->shape.P,
    };
    ts_attention_scores(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_attention_scores_scratch(shape, cores);
}
