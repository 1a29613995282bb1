/* SPDX-License-Identifier: Apache-2.0 */
/* The block products for XpulpV2: assembly of kernels/generators/xpulp_product.py, which says what
 * they compute. A product is left * right^T, requantised, in tiles of rows by blocks of 4 columns.
 * All strides in bytes. */
#ifndef TS_XPULP_CALL_H
#define TS_XPULP_CALL_H

#include <stdint.h>

/* How the sums start; with TS_XP_UNSIGNED the left operand is uint8. The functions ts_xp_sum* start
 * at accumulators in memory whatever the kind; ts_xp_tile* do so, and end there, with TS_XP_ADD. */
typedef enum { TS_XP_BIAS, TS_XP_ZERO, TS_XP_UNSIGNED, TS_XP_ADD } ts_xp_kind;

/* Of `select`: the order of bytes, and what a word of the output is. */
#define TS_XP_ROWS 0x00000602u    /* 4 columns of a row */
#define TS_XP_COLUMNS 0x80000602u /* 4 rows of a column; of one row, its first byte */

/* Its words are numbered by FIELDS of the generator. A call leaves all but `own` as they are. While
 * it runs, sp points here: interrupts need a stack of their own. */
typedef struct {
    const int8_t *left;     /* first row of the first tile, on a word */
    uint32_t left_row;      /* from row to row; tiles follow each other */
    const int8_t *right;    /* panels: [blocks][steps][4][4] */
    uint32_t right_skip;    /* sum only: from the end of a block's panel to the next panel */
    const int32_t *bias;    /* a column's; sum: accumulators, [tile][block][row][4] */
    int8_t *output;         /* first word of the first tile */
    uint32_t output_row;    /* from word to word of a block */
    uint32_t output_block;  /* from a block's first word to the next block's */
    uint32_t output_tile;   /* from tile to tile */
    uint32_t steps;         /* words of depth */
    uint32_t blocks, tiles; /* at least 1 */
    ts_xp_kind kind;
    int32_t factor; /* fast: the multiplier less 1 */
    uint32_t select;
    int32_t rounding;        /* general */
    uint32_t shift;          /* general */
    const uint16_t *factors; /* general: of the first block's columns */
    uint32_t factors_step;   /* general: 8, or 0 for the same factors in every block */
    uint32_t path;           /* ts_xp_path; the functions do not look at it */
    uint32_t own[9];
} ts_xp_call;

_Static_assert(sizeof(ts_xp_call) == 4 * 29, "as the generator has it");

typedef void ts_xp_call_fn(ts_xp_call *calls, uint32_t count);

/* What ts_xp_fast4 does for TS_XP_ZERO and TS_XP_UNSIGNED, by rows, with at least 2 steps: faster,
 * but more code in all. */
ts_xp_call_fn ts_xp_fast4s, ts_xp_fast4u;

/* Tiles of 4 rows, of 1, of 5 (one tile, not by columns, at least 2 steps); x1: one column. */
ts_xp_call_fn ts_xp_fast4x1, ts_xp_fast1x1, ts_xp_fast4, ts_xp_fast1, ts_xp_fast5, ts_xp_general4,
    ts_xp_general1, ts_xp_sum4, ts_xp_sum1;

/* kernels/generators/xpulp_tile.py: fast, or TS_XP_ADD; one tile of 5, 4 or 1 rows, of 4 any number
 * where the kind is TS_XP_BIAS. That of 5 as above. */
ts_xp_call_fn ts_xp_tile5, ts_xp_tile4, ts_xp_tile1;

/* kernels/generators/xpulp_narrow.py: fast, one call, tiles of 4 rows. Scores of one step, by rows;
 * the left operand uint8, 2 columns of a block and half-words as output; the left operand int8, its
 * rows one behind the other, the first 2 columns alone, and words as output: a row of 2 columns, or
 * a column of 4 rows. */
typedef void ts_xp_narrow_fn(const ts_xp_call *call);
ts_xp_narrow_fn ts_xp_narrow_scores, ts_xp_narrow_context, ts_xp_narrow_rows, ts_xp_narrow_columns;

#endif
