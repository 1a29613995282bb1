// SPDX-License-Identifier: Apache-2.0
/* One self-attention layer in a plain program: no harness, no operating system, no C library. */
#include "layer.h" /* weights and constants, made by make_layer.py */
#include "mhsa/mhsa.h"

/* From startup.c. */
void say(const char *text);

/* All of the layer's memory besides input and output; ts_mhsa_scratch() says how much is needed. */
static uint8_t scratch[LAYER_SCRATCH_BYTES] __attribute__((aligned(16)));
static int8_t output[LAYER_S * LAYER_E] __attribute__((aligned(4)));

/* The kernels ask for one function: here the team is one core, which waits for nobody. */
void ts_team_barrier(const ts_team *team) { (void)team; }

static const ts_mhsa_args layer = {
    .shape = {.S = LAYER_S, .E = LAYER_E, .P = LAYER_P, .H = LAYER_H},
    .input = layer_input,
    .q_weight = (const void *)layer_q_weight,
    .q_bias = layer_q_bias,
    .k_weight = (const void *)layer_k_weight,
    .k_bias = layer_k_bias,
    .v_weight = (const void *)layer_v_weight,
    .v_bias = layer_v_bias,
    .o_weight = (const void *)layer_o_weight,
    .o_bias = layer_o_bias,
    .q = {.mul = layer_q_mul, .shift = LAYER_Q_SHIFT},
    .k = {.mul = layer_k_mul, .shift = LAYER_K_SHIFT},
    .v = {.mul = layer_v_mul, .shift = LAYER_V_SHIFT},
    .scores = {.mul = layer_scores_mul, .shift = LAYER_SCORES_SHIFT},
    .context = {.mul = layer_context_mul, .shift = LAYER_CONTEXT_SHIFT},
    .o = {.mul = layer_o_mul, .shift = LAYER_O_SHIFT},
    .table = {.entries = layer_softmax_table, .max = LAYER_SOFTMAX_MAX},
    .output = output,
};

static int wrong_elements(void) {
    int wrong = 0;
    for (uint32_t i = 0; i < sizeof output; i++)
        wrong += output[i] != layer_expected[i];
    return wrong;
}

int main(void) {
    const ts_team team = {.core = 0, .cores = 1};
    if (ts_mhsa_scratch(&layer.shape, team.cores) > sizeof scratch) {
        say("the scratch is too small\n");
        return 1;
    }
    if (TS_CALL(mhsa, &team, &layer, scratch) != TS_OK) {
        say("the arguments are wrong\n");
        return 2;
    }
    if (wrong_elements() != 0) {
        say("the output is wrong\n");
        return 3;
    }
#ifndef NDEBUG
    ts_mhsa_args mistaken = layer;
    mistaken.q.shift = 0;
    if (TS_CALL(mhsa, &team, &mistaken, scratch) != TS_ERROR_RANGE) {
        say("a mistake was not found\n");
        return 4;
    }
    say("a mistaken call was refused\n");
#endif
    say("the output is as expected\n");
    return 0;
}
