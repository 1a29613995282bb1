// SPDX-License-Identifier: Apache-2.0
/* mhsa_fwsa's arguments as a layer of ts_m4_attention.h. */
#ifndef TS_MHSA_FWSA_CORTEXM4_LAYER_H
#define TS_MHSA_FWSA_CORTEXM4_LAYER_H

#include "mhsa_fwsa.h"
#include "ts_m4_attention.h"

static inline ts_m4_attention ts_mhsa_fwsa_cortexm4_layer(const ts_mhsa_fwsa_args *args) {
    return (ts_m4_attention){
        .shape = args->shape,
        .input = args->input,
        .width = args->shape.E,
        .query = {args->f_weight, args->f_bias, args->f},
        .value = {args->v_weight, args->v_bias, args->v},
        .output = {args->o_weight, args->o_bias, args->o},
        .scores = args->scores,
        .context = args->context,
        .table = args->table,
        .result = args->output,
    };
}

#endif
