// SPDX-License-Identifier: Apache-2.0
/* linear_v as a product of ts_matmul.h: rows are the sequence, columns a head's projection. */
#ifndef TS_LINEAR_V_PRODUCT_H
#define TS_LINEAR_V_PRODUCT_H

#include "linear_v.h"
#include "ts_matmul.h"

static inline ts_matmul ts_linear_v_product(const ts_linear_v_args *args) {
    const ts_shape *shape = &args->shape;
    return (ts_matmul){
        .heads = shape->H,
        .rows = shape->S,
        .columns = shape->P,
        .depth = shape->E,
        .left = args->input,
        .right = args->weight,
        .bias = args->bias,
        .requant = args->requant,
        .output = args->output,
        .left_head = 0,
        .right_head = shape->P * shape->E,
        .output_head = shape->S * shape->P,
        .output_row = 1,
        .output_column = shape->S,
    };
}

#endif
