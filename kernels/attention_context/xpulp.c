/* SPDX-License-Identifier: Apache-2.0 */
/* Factors in layout panels. Scratch: the values of some heads as panels, and per core a few rows of
 * the map where they are no whole words, and what ts_xpulp_exact.h needs. */
#include "attention_context.h"

#define TS_XP_TRANSPOSED 0
#include "ts_xpulp_exact.h"
#include "ts_xpulp_pack.h"

/* Rows that are copied at once. */
#define COPIED 8u
/* A copy pays where at least so many columns read it. */
#define MANY_COLUMNS 13u

typedef struct {
    ts_xp_exact product;
    uint32_t heads, parts;
    int8_t *copy; /* this core's */
} work;

/* Of a head's panels. */
static uint32_t value_bytes(const ts_shape *shape) {
    return ts_xp_align4(shape->P) * ts_xp_align4(shape->S);
}

/* Of a core. */
static uint32_t copy_bytes(const ts_shape *shape) {
    return shape->S & 3 ? COPIED * ts_xp_align4(shape->S) : 0;
}

/* Whether the values are panels as they are, and a head one tile of rows. */
static int is_short(const ts_shape *shape) { return shape->S == 4 && !(shape->P & 3); }

uint32_t ts_attention_context_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    if (is_short(shape))
        return 0;
    return ts_xp_panel_heads(shape->H, value_bytes(shape)) * value_bytes(shape) +
           cores * (copy_bytes(shape) + ts_xp_exact_bytes(shape->S, shape->P));
}

/* Rows from a copy of some at a time. */
TS_XP_SELDOM void run_copied(const work *w, uint32_t head, ts_range columns, uint32_t first,
                             uint32_t rows) {
    const uint32_t S = w->product.rows;
    ts_xp_exact copied = w->product;
    copied.left_row = copied.depth;
    while (rows) {
        /* no single row left behind */
        const uint32_t chunk = rows == COPIED + 1 ? 4 : ts_min(COPIED, rows);
        const uint32_t from = ts_xp_exact_first(first, chunk), count = first + chunk - from;
        ts_xp_copy_rows(w->copy, copied.left + head * copied.left_head + from * S, count, S);
        ts_xp_exact_run(&copied, head, columns, w->copy,
                        copied.output + head * copied.output_head + from * copied.output_line,
                        count);
        first += chunk;
        rows -= chunk;
    }
}

/* Some rows of a part of a head's columns. */
TS_XP_STAGE void piece(void *context, uint32_t group, uint32_t first, uint32_t rows) {
    const work *w = context;
    const ts_xp_exact *x = &w->product;
    const uint32_t head = w->parts > 1 ? group / w->parts : group;
    const ts_range columns = ts_xp_exact_columns(x, group - head * w->parts, w->parts);
    uint32_t there = rows;
    if (x->rows & 3) {
        if (columns.end - columns.begin >= MANY_COLUMNS || x->rows < 4)
            there = 0;
        else if (head + 1 == w->heads && first + rows == x->rows) /* words across the map's end */
            there = rows - ts_min(rows, 4 + (rows & 3));
    }
    if (there)
        ts_xp_exact_part(x, head, columns, first, there);
    if (there < rows)
        run_copied(w, head, columns, first + there, rows - there);
}

/* Some columns of a head's four rows. */
TS_XP_STAGE void short_piece(void *context, uint32_t head, uint32_t first, uint32_t columns) {
    const ts_attention_context_args *args = *(const ts_attention_context_args **)context;
    const uint32_t column = head * args->shape.P + first;
    const ts_requant requant = ts_requant_from(args->requant, column);
    ts_xp_call call;
    ts_xp_set_product(&call, TS_XP_UNSIGNED, (const int8_t *)args->map + 16 * head, 4,
                      args->value + 4 * column, 4);
    ts_xp_set_output(&call, args->output + column, args->output_row_stride, columns / 4);
    ts_xp_set_scale(&call, &requant, columns, 4 * 255 * 128, 0);
    ts_xp_run_rows(&call, 1, 4);
}

TS_XP_STAGE void run_panels(const ts_team *team, const ts_attention_context_args *args,
                            void *scratch) {
    const ts_shape *shape = &args->shape;
    const uint32_t S = shape->S, P = shape->P, head = value_bytes(shape);
    const uint32_t group = ts_xp_panel_heads(shape->H, head), blocks = (P + 3) / 4;
    int8_t *panels = scratch, *own = panels + group * head;
    work w;
    ts_xp_exact *x = &w.product;
    x->rows = S;
    x->columns = P;
    x->depth = ts_xp_align4(S);
    x->left = (const int8_t *)args->map;
    x->left_head = S * S;
    x->left_row = S;
    x->right = panels;
    x->kind = TS_XP_UNSIGNED;
    x->bias = NULL;
    x->requant = args->requant;
    x->bound = S * 255 * 128;
    x->narrow = ts_xp_narrow_context;
    x->output = args->output;
    x->output_head = P;
    x->output_line = args->output_row_stride;
    w.copy = own + team->core * copy_bytes(shape);
    x->buffer = own + team->cores * copy_bytes(shape) + team->core * ts_xp_exact_bytes(S, P);
    for (uint32_t first = 0; first < shape->H; first += group) {
        w.heads = ts_min(group, shape->H - first);
        if (first)
            ts_team_barrier(team); /* the previous group's values are used */
        ts_xp_pack_panels(team, panels, args->value + first * P * S, w.heads, P, S);
        ts_team_barrier(team);
        w.parts = ts_xp_parts(team, w.heads * ts_xp_tiles(S, 1), blocks);
        ts_xp_for_pieces(team, w.heads * w.parts, S, 1, piece, &w);
        x->left += group * S * S;
        x->output += group * P;
        x->requant = ts_requant_from(x->requant, group * P);
    }
}

void ts_attention_context_xpulp(const ts_team *team, const ts_attention_context_args *args,
                                void *scratch) {
    if (is_short(&args->shape))
        ts_xp_for_pieces(team, args->shape.H, args->shape.P, 0, short_piece, &args);
    else
        run_panels(team, args, scratch);
}
