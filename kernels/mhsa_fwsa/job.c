// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and mhsa_fwsa: operands and parameters in kernel.yaml's order. */
#include "mhsa_fwsa.h"
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

enum { REQUANTS = 5 };
_Static_assert(offsetof(ts_mhsa_fwsa_args, o) ==
                   offsetof(ts_mhsa_fwsa_args, f) + (REQUANTS - 1) * sizeof(ts_requant),
               "one after the other, f to o");

void ts_job_run(const ts_team *team, const ts_case *c) {
    ts_mhsa_fwsa_args args;
    args.shape = c->shape;
    args.input = c->operands[INPUT];
    args.f_weight = c->operands[F_WEIGHT];
    args.f_bias = c->operands[F_BIAS];
    args.v_weight = c->operands[V_WEIGHT];
    args.v_bias = c->operands[V_BIAS];
    args.o_weight = c->operands[O_WEIGHT];
    args.o_bias = c->operands[O_BIAS];
    ts_case_requants(c->operands + F_MUL, c->params + F_SHIFT, &args.f, &args.f + REQUANTS);
    args.table = (ts_softmax_table){c->operands[SOFTMAX_TABLE], c->params[SOFTMAX_MAX]};
    args.output = c->operands[OUTPUT];
    ts_mhsa_fwsa(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_mhsa_fwsa_scratch(shape, cores);
}
