// SPDX-License-Identifier: Apache-2.0
/* mhsa_fwsa's arguments as a layer of ts_depth_first.h. */
#ifndef TS_MHSA_FWSA_DFT_LAYER_H
#define TS_MHSA_FWSA_DFT_LAYER_H

#include "mhsa_fwsa_dft.h"
#include "ts_depth_first.h"

static inline ts_depth_first ts_mhsa_fwsa_dft_layer(const ts_mhsa_fwsa_args *args) {
    return (ts_depth_first){
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
