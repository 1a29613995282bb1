// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and mhsa: operands and parameters in kernel.yaml's order. */
#include "mhsa.h"
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

enum { REQUANTS = 6 };
_Static_assert(offsetof(ts_mhsa_args, o) ==
                   offsetof(ts_mhsa_args, q) + (REQUANTS - 1) * sizeof(ts_requant),
               "one after the other, q to o");

void ts_job_run(const ts_team *team, const ts_case *c) {
    ts_mhsa_args args;
    args.shape = c->shape;
    args.input = c->operands[INPUT];
    args.q_weight = c->operands[Q_WEIGHT];
    args.q_bias = c->operands[Q_BIAS];
    args.k_weight = c->operands[K_WEIGHT];
    args.k_bias = c->operands[K_BIAS];
    args.v_weight = c->operands[V_WEIGHT];
    args.v_bias = c->operands[V_BIAS];
    args.o_weight = c->operands[O_WEIGHT];
    args.o_bias = c->operands[O_BIAS];
    ts_case_requants(c->operands + Q_MUL, c->params + Q_SHIFT, &args.q, &args.q + REQUANTS);
    args.table = (ts_softmax_table){c->operands[SOFTMAX_TABLE], c->params[SOFTMAX_MAX]};
    args.output = c->operands[OUTPUT];
    ts_mhsa(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_mhsa_scratch(shape, cores);
}
