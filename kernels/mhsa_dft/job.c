// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and mhsa_dft: operands and parameters in kernel.yaml's order. */
#include "mhsa_dft.h"
#include "ts_job.h"

enum {
    INPUT,
    Q_WEIGHT,
    Q_BIAS,
    K_WEIGHT,
    K_BIAS,
    V_WEIGHT,
    V_BIAS,
    O_WEIGHT,
    O_BIAS,
    Q_MUL,
    K_MUL,
    V_MUL,
    SCORES_MUL,
    CONTEXT_MUL,
    O_MUL,
    SOFTMAX_TABLE,
    OUTPUT
};
enum {
    Q_SHIFT,
    Q_FLAGS,
    K_SHIFT,
    K_FLAGS,
    V_SHIFT,
    V_FLAGS,
    SCORES_SHIFT,
    SCORES_FLAGS,
    CONTEXT_SHIFT,
    CONTEXT_FLAGS,
    O_SHIFT,
    O_FLAGS,
    SOFTMAX_MAX
};

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_mhsa_args args = {
        .shape = c->shape,
        .input = c->operands[INPUT],
        .q_weight = c->operands[Q_WEIGHT],
        .q_bias = c->operands[Q_BIAS],
        .k_weight = c->operands[K_WEIGHT],
        .k_bias = c->operands[K_BIAS],
        .v_weight = c->operands[V_WEIGHT],
        .v_bias = c->operands[V_BIAS],
        .o_weight = c->operands[O_WEIGHT],
        .o_bias = c->operands[O_BIAS],
        .q = ts_case_requant(c, Q_MUL, Q_SHIFT),
        .k = ts_case_requant(c, K_MUL, K_SHIFT),
        .v = ts_case_requant(c, V_MUL, V_SHIFT),
        .scores = ts_case_requant(c, SCORES_MUL, SCORES_SHIFT),
        .context = ts_case_requant(c, CONTEXT_MUL, CONTEXT_SHIFT),
        .o = ts_case_requant(c, O_MUL, O_SHIFT),
        .table = {c->operands[SOFTMAX_TABLE], c->params[SOFTMAX_MAX]},
        .output = c->operands[OUTPUT],
    };
    ts_mhsa_dft(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_mhsa_dft_scratch(shape, cores);
}
