// SPDX-License-Identifier: Apache-2.0
/* The functions of ts_depth_first.h in plain C. */
#ifndef TS_DEPTH_FIRST_PORTABLE_H
#define TS_DEPTH_FIRST_PORTABLE_H

#include "ts_depth_first.h"
#include "ts_matmul_portable.h"

static inline void ts_accumulate_portable(const int8_t *left, uint32_t rows, uint32_t depth,
                                          const int8_t *weight, uint32_t weight_row,
                                          uint32_t columns, int32_t *acc) {
    for (uint32_t row = 0; row < rows; row++) {
        const int8_t *restrict a = left + row * depth;
        for (uint32_t column = 0; column < columns; column++) {
            const int8_t *restrict b = weight + column * weight_row;
            int32_t sum = acc[row * columns + column];
#pragma GCC unroll 4
            for (uint32_t d = 0; d < depth; d++)
                sum += a[d] * b[d];
            acc[row * columns + column] = sum;
        }
    }
}

static const ts_depth_first_functions ts_depth_first_portable = {
    .tile = ts_tile_portable,
    .tile_u8 = ts_tile_u8_portable,
    .softmax_row = ts_softmax_row,
    .accumulate = ts_accumulate_portable,
};

#endif
