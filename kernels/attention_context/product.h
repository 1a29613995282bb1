// SPDX-License-Identifier: Apache-2.0
/* attention_context as a product of ts_matmul.h, the left operand uint8. */
#ifndef TS_ATTENTION_CONTEXT_PRODUCT_H
#define TS_ATTENTION_CONTEXT_PRODUCT_H

#include "attention_context.h"
#include "ts_matmul.h"

static inline ts_matmul ts_attention_context_product(const ts_attention_context_args *args) {
    const ts_shape *shape = &args->shape;
    return (ts_matmul){
        .heads = shape->H,
        .rows = shape->S,
        .columns = shape->P,
        .depth = shape->S,
        .left = args->map,
        .right = args->value,
        .bias = NULL,
        .requant = args->requant,
        .output = args->output,
        .left_head = shape->S * shape->S,
        .right_head = shape->P * shape->S,
        .output_head = shape->P,
        .output_row = args->output_row_stride,
        .output_column = 1,
    };
}

#endif
