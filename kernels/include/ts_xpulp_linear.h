/* SPDX-License-Identifier: Apache-2.0 */
/* A linear layer for XpulpV2 that stands alone, its heads' columns behind each other or apart. */
#ifndef TS_XPULP_LINEAR_H
#define TS_XPULP_LINEAR_H

#include "ts_xpulp_exact.h"

/* [rows, depth] by weights of [heads, columns, depth] to [heads, rows, columns], or [heads,
 * columns, rows] if TS_XP_TRANSPOSED. Weights in layout words4, biases in bounded4, factors in
 * factors4. */
typedef struct {
    uint32_t heads, rows, columns, depth;
} ts_xp_linear_shape;

typedef struct {
    ts_xp_exact product;
    uint32_t parts; /* of a head's columns; 0: cores have columns, else rows of parts */
} ts_xp_linear;

/* Whether the input needs a copy with padding. */
static inline int ts_xp_linear_copies(const ts_xp_linear_shape *shape) {
    return (shape->depth & 3) != 0 || (ts_xp_exact_is_low(shape->rows) && shape->rows > 1);
}

static inline uint32_t ts_xp_linear_bytes(const ts_xp_linear_shape *shape, uint32_t cores) {
    const uint32_t copy = ts_xp_whole_tiles(shape->rows) * ts_xp_align4(shape->depth);
    return (ts_xp_linear_copies(shape) ? copy : 0) +
           cores * ts_xp_exact_bytes(shape->rows, shape->columns);
}

/* All rows of some columns of a head, or some rows of a part of the columns. */
TS_XP_STAGE void ts_xp_linear_piece(void *context, uint32_t group, uint32_t first, uint32_t count) {
    const ts_xp_linear *linear = context;
    const ts_xp_exact *x = &linear->product;
    const uint32_t parts = linear->parts;
    ts_range columns = {first, ts_min(x->columns, first + count)};
    uint32_t head = group, rows = x->rows;
    if (parts) {
        head = group / parts;
        columns = ts_xp_exact_columns(x, group - head * parts, parts);
        rows = count;
    } else {
        first = 0;
    }
    ts_xp_exact_part(x, head, columns, first, rows);
}

/* This core's copy of the input and share of the work, by columns where those come out even or
 * there is but one tile of rows, as a core then reads its own weights alone, else by rows. Set
 * already: left, right, requant and output; bias as it is given. */
static inline void ts_xp_linear_run(const ts_team *team, ts_xp_linear *linear,
                                    const ts_xp_linear_shape *shape, int8_t *scratch) {
    ts_xp_exact *x = &linear->product;
    const uint32_t rows = shape->rows, columns = shape->columns, depth = ts_xp_align4(shape->depth);
    const uint32_t blocks = (columns + 3) / 4, products = depth * 128 * 128;
    const uint32_t bound = (uint32_t)x->bias[0] + products;
    x->rows = rows;
    x->columns = columns;
    x->depth = depth;
    x->left_head = 0;
    x->left_row = depth;
    x->kind = TS_XP_BIAS;
    x->bias += 4;
    x->bound = bound < products ? ~0u : bound;
    x->narrow = TS_XP_TRANSPOSED ? ts_xp_narrow_columns : ts_xp_narrow_rows;
    x->output_head = rows * columns;
    x->output_line = TS_XP_TRANSPOSED ? rows : columns;
    if (ts_xp_linear_copies(shape)) {
        ts_xp_copy_in(team, scratch, x->left, rows, shape->depth);
        ts_team_barrier(team);
        x->left = scratch;
        scratch += ts_xp_whole_tiles(rows) * depth;
    }
    x->buffer = scratch + team->core * ts_xp_exact_bytes(rows, columns);
    uint32_t groups = shape->heads, units = 4 * blocks;
    linear->parts = 0;
    if (rows > 4 && groups * blocks % team->cores) {
        linear->parts = ts_min(blocks, ts_ceil_div(team->cores, groups));
        groups *= linear->parts;
        units = rows;
    }
    ts_xp_for_pieces(team, groups, units, linear->parts && !TS_XP_TRANSPOSED, ts_xp_linear_piece,
                     linear);
}

#endif
