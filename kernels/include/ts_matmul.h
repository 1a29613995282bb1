// SPDX-License-Identifier: Apache-2.0
/* The one product behind every attention stage, for each head h:
 *
 *   output[h](row, column) = requant(bias[h*columns + column]
 *                                    + sum over d of left[h](row, d) * right[h](column, d))
 *
 * Both operands are reduced along their contiguous last axis. This header describes the product
 * and shares its work out; the loops over a tile are an instruction set's own (ts_tile_fn). */
#ifndef TS_MATMUL_H
#define TS_MATMUL_H

#include "ts_kernel.h"

typedef struct {
    uint32_t heads, rows, columns, depth;
    const void *left;     /* per head [rows, depth]; int8, or uint8 where the tile function says */
    const int8_t *right;  /* per head [columns, depth] */
    const int32_t *bias;  /* [heads*columns], or NULL for none */
    ts_requant requant;   /* heads*columns channels when per channel */
    int8_t *output;       /* element (h, row, column) at the sum of the three strides' multiples */
    uint32_t left_head;   /* elements from one head of `left` to the next; 0: shared by all */
    uint32_t right_head;  /* same for `right` */
    uint32_t output_head; /* elements from one head of `output` to the next */
    uint32_t output_row, output_column;
} ts_matmul;

/* Computes the elements rows x columns of one head. */
typedef void ts_tile_fn(const ts_matmul *m, uint32_t head, ts_range rows, ts_range columns);

/* Calls `tile` on this core's share of the flattened (head, row) pairs, whole rows. */
static inline void ts_matmul_by_rows(const ts_team *team, const ts_matmul *m, ts_tile_fn *tile) {
    const ts_range share = ts_team_share(team, m->heads * m->rows);
    for (uint32_t i = share.begin; i < share.end;) {
        const uint32_t head = i / m->rows;
        const uint32_t row = i - head * m->rows;
        const uint32_t end = ts_min(m->rows, row + (share.end - i));
        tile(m, head, (ts_range){row, end}, (ts_range){0, m->columns});
        i += end - row;
    }
}

/* Calls `tile` on this core's share of the flattened (head, column) pairs, whole columns. */
static inline void ts_matmul_by_columns(const ts_team *team, const ts_matmul *m, ts_tile_fn *tile) {
    const ts_range share = ts_team_share(team, m->heads * m->columns);
    for (uint32_t i = share.begin; i < share.end;) {
        const uint32_t head = i / m->columns;
        const uint32_t column = i - head * m->columns;
        const uint32_t end = ts_min(m->columns, column + (share.end - i));
        tile(m, head, (ts_range){0, m->rows}, (ts_range){column, end});
        i += end - column;
    }
}

/* The whole product, split along the axis that leaves the busiest core less to do. */
static inline void ts_matmul_run(const ts_team *team, const ts_matmul *m, ts_tile_fn *tile) {
    const uint32_t by_rows = ts_ceil_div(m->heads * m->rows, team->cores) * m->columns;
    const uint32_t by_columns = ts_ceil_div(m->heads * m->columns, team->cores) * m->rows;
    if (by_rows <= by_columns)
        ts_matmul_by_rows(team, m, tile);
    else
        ts_matmul_by_columns(team, m, tile);
}

#endif
