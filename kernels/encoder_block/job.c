// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and encoder_block: operands and parameters in kernel.yaml's order.
 */
#include <stddef.h>

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

enum { REQUANTS = 8 };
_Static_assert(offsetof(ts_encoder_block_args, context) ==
                   offsetof(ts_encoder_block_args, q) + (REQUANTS - 1) * sizeof(ts_requant),
               "one after the other, q to context");

/* All requantisations: their multipliers follow each other in the order q, k, v, scores, context,
 * o, up, down, and so, but for what is between o and up, do their shifts and flags. */
TS_GLUE_SMALL void requants(void *const *mul, const uint32_t *params, ts_requant *first) {
    for (uint32_t places = 0x54376210, i = 0; i < REQUANTS; i++, places >>= 4) {
        if (i == UP_MUL - Q_MUL)
            params += UP_SHIFT - SOFTMAX_MAX;
        first[places & 15] = ts_case_requant_of(*mul++, params);
        params += 2;
    }
}

void ts_job_run(const ts_team *team, const ts_case *c) {
    TS_GLUE_VARIABLE(ts_encoder_block_args, args);
    void *const *operands = c->operands;
    args.shape = c->shape;
    args.input = operands[INPUT];
    args.norm1 = norm(c, NORM1_WEIGHT, NORM1_SHIFT);
    args.norm2 = norm(c, NORM2_WEIGHT, NORM2_SHIFT);
    args.q_weight = operands[Q_WEIGHT];
    args.q_bias = operands[Q_BIAS];
    args.k_weight = operands[K_WEIGHT];
    args.k_bias = operands[K_BIAS];
    args.v_weight = operands[V_WEIGHT];
    args.v_bias = operands[V_BIAS];
    args.o_weight = operands[O_WEIGHT];
    args.o_bias = operands[O_BIAS];
    args.up_weight = operands[UP_WEIGHT];
    args.up_bias = operands[UP_BIAS];
    args.down_weight = operands[DOWN_WEIGHT];
    args.down_bias = operands[DOWN_BIAS];
    args.add1 = add(c, ADD1_RESIDUAL_MUL);
    args.add2 = add(c, ADD2_RESIDUAL_MUL);
    args.softmax = (ts_softmax_table){operands[SOFTMAX_TABLE], c->params[SOFTMAX_MAX]};
    args.gelu_table = operands[GELU_TABLE];
    args.output = operands[OUTPUT];
    requants(operands + Q_MUL, c->params + Q_SHIFT, &args.q);
    ts_encoder_block(team, &args, c->scratch);
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_encoder_block_scratch(shape, cores);
}
