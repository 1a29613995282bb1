// SPDX-License-Identifier: Apache-2.0
/* linear_o as a product of ts_matmul.h, with all heads as one. */
#ifndef TS_LINEAR_O_PRODUCT_H
#define TS_LINEAR_O_PRODUCT_H

#include "linear_o.h"
#include "ts_matmul.h"

static inline ts_matmul ts_linear_o_product(const ts_linear_o_args *args) {
    const ts_shape *shape = &args->shape;
    return (ts_matmul){
        .heads = 1,
        .rows = shape->S,
        .columns = shape->E,
        .depth = shape->H * shape->P,
        .left = args->input,
        .right = args->weight,
        .bias = args->bias,
        .requant = args->requant,
        .output = args->output,
        .output_row = shape->E,
        .output_column = 1,
    };
}

#endif
