// SPDX-License-Identifier: Apache-2.0
/* Rows of int8 times weights in layout panels4, to rows of int8:
 *
 *   output[h](row, c) = requant(bias[h*columns + c] + sum over d of left(row, d) * weight[h](c, d))
 */
#ifndef TS_M4_ROWS_H
#define TS_M4_ROWS_H

#include "ts_m4_product.h"

typedef struct {
    uint32_t heads, rows, depth, columns;
    const int8_t *left;   /* [rows, depth] */
    const int8_t *panels; /* [heads, columns, depth] in layout panels4 */
    const int32_t *bias;  /* [heads*columns] */
    ts_requant requant;   /* heads*columns channels when per channel */
    int8_t *output;       /* [heads, rows, columns] */
} ts_m4_rows;

/* Bytes of scratch. */
uint32_t ts_m4_rows_bytes(uint32_t heads, uint32_t depth, uint32_t columns);

void ts_m4_run_rows(const ts_m4_rows *rows, void *scratch);

/* The first `n` bytes of each of `count` rows, `pitch` bytes apart, to rows of n bytes. */
void ts_m4_copy_rows(const uint8_t *rows, uint32_t pitch, uint32_t count, uint32_t n,
                     uint8_t *output, uint32_t output_row);

#endif
