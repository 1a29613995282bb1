// SPDX-License-Identifier: Apache-2.0
/* output[s, e] = input[s, e] where it is not negative, else input[s, e] >> shift.
 * Calling convention: ts_kernel.h. */
#ifndef LEAKY_RELU_H
#define LEAKY_RELU_H

#include "ts_kernel.h"

typedef struct {
    ts_shape shape;      /* S, E >= 1 */
    uint32_t shift;      /* 1..7 */
    const int8_t *input; /* [S, E] */
    int8_t *output;      /* [S, E] */
} ts_leaky_relu_args;

void ts_leaky_relu(const ts_team *team, const ts_leaky_relu_args *args, void *scratch);
uint32_t ts_leaky_relu_scratch(const ts_shape *shape, uint32_t cores);

#endif
