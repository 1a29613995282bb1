/* SPDX-License-Identifier: Apache-2.0 */
/* What the compositions of CMSIS-NN share: an mhsa job in CMSIS-NN's terms.
 *
 * The job is that of the kernel mhsa (kernels/mhsa/kernel.yaml has operands and parameters), with
 * requantisation per tensor and the accurate softmax table, whose step is 1/16. CMSIS-NN's
 * numerics are its own: a 31-bit multiplier with two roundings, its own exponential, an attention
 * map of int8 with zero point -128. */
#ifndef TS_PEERS_CMSIS_NN_H
#define TS_PEERS_CMSIS_NN_H

#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"
#include "ts_job.h"
#include "ts_kernel.h"

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
    PEER_K_MUL,
    PEER_V_MUL,
    PEER_SCORES_MUL,
    PEER_CONTEXT_MUL,
    PEER_O_MUL,
    PEER_SOFTMAX_TABLE,
    PEER_OUTPUT
};
enum { PEER_Q, PEER_K, PEER_V, PEER_SCORES, PEER_CONTEXT, PEER_O, PEER_REQUANTS };

/* Zero point and range of an int8 attention map: 1.0 is 256 steps above the zero point. */
enum { PEER_MAP_ZERO = -128, PEER_MIN = -128, PEER_MAX = 127 };

/* Softmax input in CMSIS-NN's terms, with 5 integer bits: 1/16 of a unit a step. */
enum { PEER_SOFTMAX_MULT = 1 << 30, PEER_SOFTMAX_SHIFT = 23, PEER_SOFTMAX_DIFF_MIN = -248 };

/* mul / 2^shift as CMSIS-NN has it: a multiplier in [2^30, 2^31) and a left shift. */
static inline cmsis_nn_per_tensor_quant_params peer_quant(const ts_case *c, uint32_t index) {
    const ts_requant requant = ts_case_requant(c, PEER_Q_MUL + index, 2 * index);
    const int32_t zeros = __builtin_clz(requant.mul[0]) - 1;
    return (cmsis_nn_per_tensor_quant_params){(int32_t)requant.mul[0] << zeros,
                                              31 - zeros - requant.shift};
}

static inline void peer_softmax(const int8_t *scores, int32_t rows, int32_t row_size, int8_t *map) {
#ifdef PEER_WITHOUT_SOFTMAX
    (void)scores, (void)rows, (void)row_size, (void)map;
#else
    arm_softmax_s8(scores, rows, row_size, PEER_SOFTMAX_MULT, PEER_SOFTMAX_SHIFT,
                   PEER_SOFTMAX_DIFF_MIN, map);
#endif
}

#endif
