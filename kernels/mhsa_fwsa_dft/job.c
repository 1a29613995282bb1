// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and mhsa_fwsa_dft: operands and parameters in kernel.yaml's order.
 */
#include "mhsa_fwsa_dft.h"
#include "ts_job.h"

enum {
    INPUT,
    F_WEIGHT,
    F_BIAS,
    V_WEIGHT,
    V_BIAS,
    O_WEIGHT,
    O_BIAS,
    F_MUL,
    SCORES_MUL,
    V_MUL,
    CONTEXT_MUL,
    O_MUL,
    SOFTMAX_TABLE,
    OUTPUT
};
enum {
    F_SHIFT,
    F_FLAGS,
    SCORES_SHIFT,
    SCORES_FLAGS,
    V_SHIFT,
    V_FLAGS,
    CONTEXT_SHIFT,
    CONTEXT_FLAGS,
    O_SHIFT,
    O_FLAGS,
    SOFTMAX_MAX
};

void ts_job_run(const ts_team *team, const ts_case *c) {
    const ts_mhsa_fwsa_args args = {
        .shape = c->shape,
        .input = c->operands[INPUT],
        .f_weight = c->operands[F_WEIGHT],
        .f_bias = c->operands[F_BIAS],
        .v_weight = c->operands[V_WEIGHT],
        .v_bias = c->operands[V_BIAS],
        .o_weight = c->operands[O_WEIGHT],
        .o_bias = c->operands[O_BIAS],
        .f = ts_case_requant(c, F_MUL, F_SHIFT),
        .scores = ts_case_requant(c, SCORES_MUL, SCORES_SHIFT),
        .v = ts_case_requant(c, V_MUL, V_SHIFT),
        .context = ts_case_requant(c, CONTEXT_MUL, CONTEXT_SHIFT),
        .o = ts_case_requant(c, O_MUL, O_SHIFT),
        .table = {c->operands[SOFTMAX_TABLE], c->params[SOFTMAX_MAX]},
        .output = c->operands[OUTPUT],
    };
    ts_mhsa_fwsa_dft(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_mhsa_fwsa_dft_scratch(shape, cores);
}
