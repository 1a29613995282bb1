/* SPDX-License-Identifier: Apache-2.0 */
/* What the compositions of PULP-NN share: an mhsa job in PULP-NN's terms.
 *
 * The job is that of the kernel mhsa with floor rounding per tensor. PULP-NN multiplies and shifts
 * in 32 bits, so that multipliers are cut to as many bits as its accumulators leave. It has no
 * softmax: this one reads the job's table and divides once an element. */
#ifndef TS_PEERS_PULP_NN_H
#define TS_PEERS_PULP_NN_H

#include "pmsis.h"
#include "ts_job.h"

enum {
    PEER_INPUT,
    PEER_Q_WEIGHT,
    PEER_Q_BIAS,
    PEER_K_WEIGHT,
    PEER_K_BIAS,
    PEER_V_WEIGHT,
    PEER_V_BIAS,
    PEER_O_WEIGHT,
    PEER_O_BIAS,
    PEER_Q_MUL,
    PEER_SOFTMAX_TABLE = 15,
    PEER_OUTPUT
};
enum { PEER_Q, PEER_K, PEER_V, PEER_SCORES, PEER_CONTEXT, PEER_O };

void pulp_nn_linear_i8_i8_i8(int8_t *input, int8_t *bias, int8_t *output, int8_t *weight,
                             int32_t *kappa, int32_t *lambda, uint16_t mul, uint16_t shift,
                             uint16_t depth, uint16_t neurons, uint8_t relu, uint8_t norm);
void pulp_nn_linear_u8_i8_i8(uint8_t *input, int8_t *bias, int8_t *output, int8_t *weight,
                             int32_t *kappa, int32_t *lambda, uint16_t mul, uint16_t shift,
                             uint16_t depth, uint16_t neurons, uint8_t relu, uint8_t norm);
int8_t *pulp_nn_matmul_i8_i8_i8(int8_t *input, int8_t *bias, int8_t *output, int8_t *output2,
                                int8_t *weight, int32_t *kappa, int32_t *lambda, uint16_t mul,
                                uint16_t shift, uint16_t depth, uint16_t channels, uint8_t relu,
                                uint8_t norm);
int8_t *pulp_nn_matmul_u8_i8_i8(uint8_t *input, int8_t *bias, int8_t *output, int8_t *output2,
                                int8_t *weight, int32_t *kappa, int32_t *lambda, uint16_t mul,
                                uint16_t shift, uint16_t depth, uint16_t channels, uint8_t relu,
                                uint8_t norm);

typedef struct {
    uint16_t mul, shift;
} peer_quant;

/* What a deployment knows of its biases; a larger one overflows and shows as noise. */
enum { PEER_BIAS_BOUND = 1 << 16 };

/* The largest accumulator of `depth` products with weights. */
static inline uint32_t peer_bound(uint32_t depth) { return PEER_BIAS_BOUND + depth * 128 * 128; }

/* PULP-NN's multiplier and shift, with an accumulator of at most `bound`. */
static inline peer_quant peer_requant(const ts_case *c, uint32_t index, uint32_t bound) {
    const ts_requant requant = ts_case_requant(c, PEER_Q_MUL + index, 2 * index);
    peer_quant quant = {requant.mul[0], requant.shift};
    while (quant.mul > INT16_MAX || quant.mul > INT32_MAX / bound) {
        quant.mul >>= 1;
        quant.shift--;
    }
    return quant;
}

static inline void peer_softmax(const ts_case *c, const int8_t *scores, uint32_t count,
                                uint8_t *map) {
#ifdef PEER_WITHOUT_SOFTMAX
    (void)c, (void)scores, (void)count, (void)map;
#else
    const uint32_t *table = c->operands[PEER_SOFTMAX_TABLE];
    int32_t max = scores[0];
    uint32_t sum = 0;
    for (uint32_t i = 1; i < count; i++)
        max = scores[i] > max ? scores[i] : max;
    for (uint32_t i = 0; i < count; i++)
        sum += table[max - scores[i]];
    for (uint32_t i = 0; i < count; i++)
        map[i] = (uint8_t)(255 * table[max - scores[i]] / sum);
#endif
}

#endif
