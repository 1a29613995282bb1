// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and encoder_block: operands and parameters in kernel.yaml's order.
 */
#include "encoder_block.h"
#include "ts_job.h"

enum {
    INPUT,
    NORM1_WEIGHT,
    NORM1_BIAS,
    Q_WEIGHT,
    Q_BIAS,
    K_WEIGHT,
    K_BIAS,
    V_WEIGHT,
    V_BIAS,
    O_WEIGHT,
    O_BIAS,
    NORM2_WEIGHT,
    NORM2_BIAS,
    UP_WEIGHT,
    UP_BIAS,
    DOWN_WEIGHT,
    DOWN_BIAS,
    Q_MUL,
    K_MUL,
    V_MUL,
    SCORES_MUL,
    CONTEXT_MUL,
    O_MUL,
    UP_MUL,
    DOWN_MUL,
    SOFTMAX_TABLE,
    GELU_TABLE,
    OUTPUT
};
enum {
    NORM1_SHIFT,
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
    SOFTMAX_MAX,
    ADD1_RESIDUAL_MUL,
    ADD1_LAYER_MUL,
    ADD1_SHIFT,
    ADD1_FLAGS,
    NORM2_SHIFT,
    UP_SHIFT,
    UP_FLAGS,
    DOWN_SHIFT,
    DOWN_FLAGS,
    ADD2_RESIDUAL_MUL,
    ADD2_LAYER_MUL,
    ADD2_SHIFT,
    ADD2_FLAGS
};

/* Shift, weight and bias lie one after the other. */
static ts_encoder_norm norm(const ts_case *c, uint32_t weight, uint32_t shift) {
    return (ts_encoder_norm){c->operands[weight], c->operands[weight + 1], c->params[shift]};
}

static ts_encoder_add add(const ts_case *c, uint32_t first) {
    const uint32_t *p = c->params + first;
    return (ts_encoder_add){p[0], p[1], p[2], p[3] & TS_REQUANT_ROUND_HALF_UP};
}

void ts_job_run(const ts_team *team, const ts_case *c) {
    TS_GLUE_ARGUMENTS(ts_encoder_block_args, args,
                      {
                          .shape = c->shape,
                          .input = c->operands[INPUT],
                          .norm1 = norm(c, NORM1_WEIGHT, NORM1_SHIFT),
                          .q_weight = c->operands[Q_WEIGHT],
                          .q_bias = c->operands[Q_BIAS],
                          .k_weight = c->operands[K_WEIGHT],
                          .k_bias = c->operands[K_BIAS],
                          .v_weight = c->operands[V_WEIGHT],
                          .v_bias = c->operands[V_BIAS],
                          .o_weight = c->operands[O_WEIGHT],
                          .o_bias = c->operands[O_BIAS],
                          .norm2 = norm(c, NORM2_WEIGHT, NORM2_SHIFT),
                          .up_weight = c->operands[UP_WEIGHT],
                          .up_bias = c->operands[UP_BIAS],
                          .down_weight = c->operands[DOWN_WEIGHT],
                          .down_bias = c->operands[DOWN_BIAS],
                          .q = ts_case_requant(c, Q_MUL, Q_SHIFT),
                          .k = ts_case_requant(c, K_MUL, K_SHIFT),
                          .v = ts_case_requant(c, V_MUL, V_SHIFT),
                          .scores = ts_case_requant(c, SCORES_MUL, SCORES_SHIFT),
                          .context = ts_case_requant(c, CONTEXT_MUL, CONTEXT_SHIFT),
                          .o = ts_case_requant(c, O_MUL, O_SHIFT),
                          .up = ts_case_requant(c, UP_MUL, UP_SHIFT),
                          .down = ts_case_requant(c, DOWN_MUL, DOWN_SHIFT),
                          .add1 = add(c, ADD1_RESIDUAL_MUL),
                          .add2 = add(c, ADD2_RESIDUAL_MUL),
                          .softmax = {c->operands[SOFTMAX_TABLE], c->params[SOFTMAX_MAX]},
                          .gelu_table = c->operands[GELU_TABLE],
                          .output = c->operands[OUTPUT],
                      });
    ts_encoder_block(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_encoder_block_scratch(shape, cores);
}
