/* SPDX-License-Identifier: Apache-2.0 */
/* Products for XpulpV2 from and to operands of their exact size: left rows and an output that end
 * anywhere, as the operations that stand alone have them.
 *
 * Rows that do not fill a tile are computed once more with the rows before them: the last four rows
 * are a tile wherever they begin. A last block of less than 4 columns goes through a buffer, unless
 * it has 2 and narrow blocks can be stored. Words of the output may lie anywhere (a misaligned one
 * takes two cycles). */
#ifndef TS_XPULP_EXACT_H
#define TS_XPULP_EXACT_H

#include "ts_xpulp_prepare.h"
#include "ts_xpulp_share.h"

/* Whoever includes this says with TS_XP_TRANSPOSED, 0 or 1, whether a line of the output has the
 * rows of a column, or the columns of a row. */

/* output[h](row, column) = requant(bias[h*columns + column] + left[h](row) . right[h](column)) */
typedef struct {
    uint32_t rows, columns;
    uint32_t depth; /* bytes, a multiple of 4 */
    const int8_t *left;
    uint32_t left_head;  /* bytes from head to head, 0 if they share it */
    uint32_t left_row;   /* bytes from row to row; between them and `depth` right has zeros */
    const int8_t *right; /* panels: [heads][columns / 4, rounded up][depth / 4][4][4] */
    ts_xp_kind kind;     /* TS_XP_BIAS or TS_XP_UNSIGNED */
    const int32_t *bias; /* of TS_XP_BIAS, else NULL */
    ts_requant requant;  /* layout factors4; per channel: a factor for each column of all heads */
    uint32_t bound;      /* no |sum| is larger, bias included */
    ts_xp_narrow_fn *narrow; /* for 2 columns */
    int8_t *output;
    uint32_t output_head, output_line; /* bytes from head to head, from line to line */
    int8_t *buffer;                    /* this core's, ts_xp_exact_bytes */
} ts_xp_exact;

/* A tile whose columns are stored across has 4 rows: fewer than that go through the buffer, and
 * are read as whole tiles. */
static inline uint32_t ts_xp_exact_is_low(uint32_t rows) { return TS_XP_TRANSPOSED && rows < 4; }

/* Bytes of a core's buffer. */
static inline uint32_t ts_xp_exact_bytes(uint32_t rows, uint32_t columns) {
    if (ts_xp_exact_is_low(rows))
        return 4 * ts_xp_align4(columns);
    return columns & 3 ? 4 * ts_xp_align4(rows) : 0;
}

/* The products of `rows` rows of which `left` and `output` are the first. `narrow`: what to run
 * for at least 4 rows instead of ts_xp_run_rows, or NULL. */
TS_XP_STAGE void ts_xp_exact_rows(ts_xp_call *call, const int8_t *left, int8_t *output,
                                  uint32_t rows, ts_xp_narrow_fn *narrow) {
    const uint32_t odd = rows & 3;
    const uint32_t fits = !odd || (odd == 1 && !TS_XP_TRANSPOSED && !narrow);
    uint32_t at = 0, count = fits ? rows : rows < 4 ? 1 : rows - odd;
    for (;;) {
        call->left = left + at * call->left_row;
        call->output = output + at * call->output_tile / 4;
        if (narrow) {
            call->tiles = count / 4;
            narrow(call);
        } else {
            ts_xp_run_rows(call, 1, count);
        }
        at += count;
        if (at >= rows)
            return;
        if (rows >= 4) {
            at = rows - 4;
            count = 4;
        }
    }
}

/* Where the words of blocks go: lines `line` bytes apart. */
static inline void ts_xp_exact_output(ts_xp_call *call, uint32_t line, uint32_t blocks) {
    call->blocks = blocks;
    call->output_row = line;
    call->output_block = TS_XP_TRANSPOSED ? 4 * line : 4;
    call->output_tile = TS_XP_TRANSPOSED ? 4 : 4 * line;
}

/* Bytes of a word in each line of the buffer, to the output. */
TS_XP_SELDOM void ts_xp_exact_close_up(const ts_xp_exact *x, int8_t *output, uint32_t rows,
                                       uint32_t columns) {
    const uint32_t *from = (const uint32_t *)x->buffer;
    for (; rows; rows--, output += x->output_line) {
        const uint32_t word = *from++;
        output[0] = (int8_t)word;
        if (columns > 1)
            output[1] = (int8_t)(word >> 8);
        if (columns > 2)
            output[2] = (int8_t)(word >> 16);
    }
}

/* Blocks of which `columns` columns are those of the output, through the buffer. */
TS_XP_SELDOM void ts_xp_exact_buffered(const ts_xp_exact *x, ts_xp_call *call, const int8_t *left,
                                       int8_t *output, uint32_t rows, uint32_t columns,
                                       ts_xp_narrow_fn *narrow) {
    const uint32_t line = TS_XP_TRANSPOSED ? ts_xp_align4(rows) : 4;
    ts_xp_exact_output(call, line, (columns + 3) / 4);
    ts_xp_exact_rows(call, left, x->buffer,
                     ts_xp_exact_is_low(rows) ? ts_xp_whole_tiles(rows) : rows, narrow);
    if (!TS_XP_TRANSPOSED)
        ts_xp_exact_close_up(x, output, rows, columns);
    else
        for (uint32_t i = 0; i < columns; i++)
            ts_xp_copy_bytes(output + i * x->output_line, x->buffer + i * line, rows);
}

/* The last block, of `columns` columns: its biases and factors may end with them. */
TS_XP_SELDOM void ts_xp_exact_last(const ts_xp_exact *x, ts_xp_call *call, const int8_t *left,
                                   int8_t *output, uint32_t rows, uint32_t columns) {
    ts_xp_narrow_fn *narrow =
        columns == 2 && rows >= 4 && call->path == TS_XP_FAST ? x->narrow : NULL;
    int32_t bias[4] = {0, 0, 0, 0};
    uint16_t factors[4] = {0, 0, 0, 0};
    for (uint32_t i = 0; i < columns; i++) {
        if (call->bias)
            bias[i] = call->bias[i];
        if (call->factors_step)
            factors[i] = call->factors[i];
    }
    call->bias = bias;
    if (call->factors_step)
        call->factors = factors;
    if (narrow && narrow != ts_xp_narrow_rows) {
        ts_xp_exact_output(call, x->output_line, 1);
        ts_xp_exact_rows(call, left, output, rows, narrow);
    } else {
        ts_xp_exact_buffered(x, call, left, output, rows, columns, narrow);
    }
}

/* Some columns of a head, from a multiple of 4 on, in whole blocks or to the last; `rows` rows of
 * which `left` and `output` are the first. */
TS_XP_STAGE void ts_xp_exact_run(const ts_xp_exact *x, uint32_t head, ts_range columns,
                                 const int8_t *left, int8_t *output, uint32_t rows) {
    const uint32_t begin = columns.begin, end = columns.end;
    const uint32_t column = head * x->columns + begin, whole = (end - begin) / 4 * 4;
    const ts_requant requant = ts_requant_from(x->requant, column);
    ts_xp_call call;
    output += TS_XP_TRANSPOSED ? begin * x->output_line : begin;
    ts_xp_set_product(&call, x->kind, NULL, x->left_row,
                      x->right + (head * ts_xp_align4(x->columns) + begin) * x->depth, x->depth);
    call.bias = x->bias ? x->bias + column : NULL;
    call.factors = requant.mul;
    call.select = TS_XP_TRANSPOSED ? TS_XP_COLUMNS : TS_XP_ROWS;
    ts_xp_set_scale(&call, &requant, end - begin, x->bound, 0);
    if (whole) {
        ts_xp_exact_output(&call, x->output_line, whole / 4);
        if (ts_xp_exact_is_low(rows))
            ts_xp_exact_buffered(x, &call, left, output, rows, whole, NULL);
        else
            ts_xp_exact_rows(&call, left, output, rows, NULL);
    }
    if (end - begin > whole) {
        call.right += whole * x->depth;
        if (call.bias)
            call.bias += whole;
        call.factors += whole / 4 * call.factors_step / 2;
        output += TS_XP_TRANSPOSED ? whole * x->output_line : whole;
        ts_xp_exact_last(x, &call, left, output, rows, end - begin - whole);
    }
}

/* The columns of a part of them. */
static inline ts_range ts_xp_exact_columns(const ts_xp_exact *x, uint32_t part, uint32_t parts) {
    const uint32_t blocks = (x->columns + 3) / 4;
    if (parts == 1) /* divisions are slow */
        return (ts_range){0, x->columns};
    return (ts_range){part * blocks / parts * 4,
                      ts_min(x->columns, (part + 1) * blocks / parts * 4)};
}

/* Where rows [first, first + rows) of a head begin so that they fill a tile. */
static inline uint32_t ts_xp_exact_first(uint32_t first, uint32_t rows) {
    return rows < 4 && first + rows >= 4 ? first + rows - 4 : first;
}

/* Rows [first, first + rows) of a head where they lie. */
static inline void ts_xp_exact_part(const ts_xp_exact *x, uint32_t head, ts_range columns,
                                    uint32_t first, uint32_t rows) {
    const uint32_t from = ts_xp_exact_first(first, rows);
    ts_xp_exact_run(x, head, columns, x->left + head * x->left_head + from * x->left_row,
                    x->output + head * x->output_head +
                        from * (TS_XP_TRANSPOSED ? 1 : x->output_line),
                    first + rows - from);
}

#endif
