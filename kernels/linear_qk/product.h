// SPDX-License-Identifier: Apache-2.0
/* linear_qk as a product of ts_matmul.h: rows are the sequence, columns a head's projection. */
#ifndef TS_LINEAR_QK_PRODUCT_H
#define TS_LINEAR_QK_PRODUCT_H

#include "linear_qk.h"
#include "ts_matmul.h"

static inline ts_matmul ts_linear_qk_product(const ts_linear_qk_args *args) {
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
        .output_row = shape->P,
        .output_column = 1,
    };
}

#endif
