// SPDX-License-Identifier: Apache-2.0
/* mhsa's arguments as a layer of ts_m7_attention.h. */
#ifndef TS_MHSA_CORTEXM7_LAYER_H
#define TS_MHSA_CORTEXM7_LAYER_H

#include "mhsa.h"
#include "ts_m7_attention.h"

static inline ts_m7_layer ts_mhsa_cortexm7_layer(const ts_mhsa_args *args) {
    return (ts_m7_layer){
        .shape = args->shape,
        .width = args->shape.P,
        .input = args->input,
        .query = {(const int16_t *)args->q_weight, args->q_bias, args->q},
        .key = {(const int16_t *)args->k_weight, args->k_bias, args->k},
        .value = {(const int16_t *)args->v_weight, args->v_bias, args->v},
        .output = {(const int16_t *)args->o_weight, args->o_bias, args->o},
        .scores = args->scores,
        .context = args->context,
        .table = args->table,
        .result = args->output,
    };
}

#endif
