/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for PULP-NN, as arm_nnfunctions.h is one for CMSIS-NN. */
#ifndef STAND_IN_PULP_NN_UTILS_H
#define STAND_IN_PULP_NN_UTILS_H

#include "pmsis.h"

static inline int8_t stand_in_quant(int32_t acc, int16_t mul, uint16_t shift) {
    return (int8_t)__builtin_pulp_clip_r((acc * mul) >> shift, 127);
}

#define STAND_IN_DOT(acc, depth, a, b)                                                             \
    for (int j = 0; j < (depth); j++)                                                              \
        (acc) += (a)[j] * (b)[j];

#define STAND_IN_LINEAR(name, T)                                                                   \
    void name(T *in, int8_t *bias, int8_t *out, int8_t *weight, int32_t *kappa, int32_t *lambda,   \
              uint16_t mul, uint16_t shift, uint16_t depth, uint16_t neurons, uint8_t relu,        \
              uint8_t norm) {                                                                      \
        for (int i = pi_core_id(); i < neurons; i += NUM_CORES) {                                  \
            int acc = bias ? ((int32_t *)bias)[i] : 0;                                             \
            STAND_IN_DOT(acc, depth, in, weight + i * depth)                                       \
            out[i] = stand_in_quant(acc, (int16_t)mul, shift);                                     \
        }                                                                                          \
        pi_cl_team_barrier(0);                                                                     \
    }

#define STAND_IN_MATMUL(name, T)                                                                   \
    int8_t *name(T *in, int8_t *bias, int8_t *out, int8_t *out2, int8_t *weight, int32_t *kappa,   \
                 int32_t *lambda, uint16_t mul, uint16_t shift, uint16_t depth, uint16_t channels, \
                 uint8_t relu, uint8_t norm) {                                                     \
        for (int row = 0; row < 2; row++)                                                          \
            for (int i = 0; i < channels; i++) {                                                   \
                int acc = bias ? ((int32_t *)bias)[i] : 0;                                         \
                STAND_IN_DOT(acc, depth, in + row * depth, weight + i * depth)                     \
                (row ? out2 : out)[i] = stand_in_quant(acc, (int16_t)mul, shift);                  \
            }                                                                                      \
        return out;                                                                                \
    }

#endif
