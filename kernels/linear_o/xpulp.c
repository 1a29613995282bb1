/* SPDX-License-Identifier: Apache-2.0 */
/* Operands in layout panels. Scratch: ts_xpulp_linear.h. */
#include "linear_o.h"

#define TS_XP_TRANSPOSED 0
#include "ts_xpulp_linear.h"

static inline ts_xp_linear_shape linear_shape(const ts_shape *shape) {
    return (ts_xp_linear_shape){1, shape->S, shape->E, shape->H * shape->P};
}

uint32_t ts_linear_o_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    const ts_xp_linear_shape all = linear_shape(shape);
    return ts_xp_linear_bytes(&all, cores);
}

TS_XP_SMALL void ts_linear_o_xpulp(const ts_team *team, const ts_linear_o_args *args,
                                   void *scratch) {
    const ts_xp_linear_shape shape = linear_shape(&args->shape);
    ts_xp_linear linear;
    linear.product.left = args->input;
    linear.product.right = args->weight;
    linear.product.bias = args->bias;
    linear.product.requant = args->requant;
    linear.product.output = args->output;
    ts_xp_linear_run(team, &linear, &shape, scratch);
}
