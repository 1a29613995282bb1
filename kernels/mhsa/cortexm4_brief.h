// SPDX-License-Identifier: Apache-2.0
/* Multi-head self-attention of few rows on the Cortex-M4: the projections of all heads are one
 * product, and what belongs to a single head, its maps, takes no call of its own.
 *
 * Panels as in ts_m4_tiles.h, a head's channels padded with zeros to `width` of them, whole tiles:
 * - queries [pair of rows][head][step][2], keys [four rows][head][step][4];
 * - values [head][tile of channels][pair of rows][4];
 * - contexts [pair of rows][step of all heads' channels][2], heads not padded, in the queries'
 *   place: a head's context starts no later than its queries do.
 * Where a head ends with one or two channels its last tile may be half a one: padded to two
 * channels, so that queries and keys have a step less; of the values' tile half is not used. */
#ifndef TS_MHSA_CORTEXM4_BRIEF_H
#define TS_MHSA_CORTEXM4_BRIEF_H

#include "mhsa.h"
#include "ts_m4_tiles.h"

/* Up to 16 rows; 8 of heads that are better two to a tile (ts_m4_two_channels). */
static inline int ts_m4_has_few_rows(const ts_shape *s) {
    return s->S <= (s->P == 2 && s->H % 2 == 0 ? 8 : 16);
}

/* Bytes of scratch; 0 for more rows than that. */
uint32_t ts_m4_brief_bytes(const ts_shape *shape);

/* Few rows, at least two. 0 if it left the work undone: a requantisation or table that is not for
 * it. */
int ts_m4_brief(const ts_mhsa_args *args, void *scratch);

/* Whether ts_m4_one_channel may be for it: two to four rows, heads of one channel. */
static inline int ts_m4_has_one_channel(const ts_mhsa_args *args) {
    return args->shape.P == 1 && args->shape.S <= 4 &&
           !(args->q.per_channel | args->k.per_channel | args->v.per_channel |
             args->context.per_channel);
}

/* Such a layer; 0 likewise, the same scratch. */
int ts_m4_one_channel(const ts_mhsa_args *args, void *scratch);

/* A single row, any requantisation and table; the same scratch. */
void ts_m4_single_row(const ts_mhsa_args *args, void *scratch);

/* During a call. */
typedef struct {
    uint32_t S, pairs;
    uint32_t tile;         /* what a head's channels are padded to: 4; 2 with half tiles */
    uint32_t width, all;   /* a head's channels in the panels, and those of all heads */
    uint32_t *x;           /* the input, stationary panels */
    uint32_t *query, *key; /* `query`: later the contexts; `all` words for a pair of rows */
    uint32_t *value;
    int32_t *bias, *factors; /* copies, with padding */
    uint8_t *rows;           /* two rows of the result */
} ts_m4_brief_state;

/* A linear layer of `heads` times n channels. */
typedef struct {
    const int8_t *weight;
    const int32_t *bias;
    const ts_requant *requant;
    uint32_t heads, n;
    uint32_t depth; /* of the reduction */
    ts_m4_finish finish;
    uint32_t stride; /* bytes, as ts_m4_product has it */
} ts_m4_brief_linear;

/* Runs a projection of the input for all pairs of rows; results go `first` words on to the second
 * pair, `second` to the third one, `first` again and so on. 0 if its requantisation is not for the
 * assembly, and the results are of no use. */
int ts_m4_brief_project(const ts_m4_brief_state *b, const ts_m4_brief_linear *linear, uint32_t *out,
                        uint32_t first, uint32_t second);

/* The projection of the contexts, which may be of long reductions or per channel; 0 likewise. */
int ts_m4_brief_output(const ts_m4_brief_state *b, const ts_mhsa_args *args);

/* Biases of `heads` times n channels, each head a whole number of tiles; n is not. */
const int32_t *ts_m4_brief_pad(const int32_t *bias, uint32_t heads, uint32_t n, uint32_t tile,
                               int32_t *copy);

/* The same of any n: the copy only where it has to be. */
static inline const int32_t *ts_m4_brief_padded(const int32_t *bias, uint32_t heads, uint32_t n,
                                                uint32_t tile, int32_t *copy) {
    return n & (tile - 1) ? ts_m4_brief_pad(bias, heads, n, tile, copy) : bias;
}

/* Multipliers of `heads` times n channels as factors, mul << (32 - shift), heads padded with zeros
 * to whole tiles; 0 if one is 1/2 or more. */
int ts_m4_brief_factors(const ts_m4_brief_state *b, const ts_requant *requant, uint32_t heads,
                        uint32_t n);

static inline int ts_m4_brief_fast(const ts_requant *requant) {
    return *requant->mul >> (requant->shift - 1) == 0;
}

static inline int32_t ts_m4_brief_factor(const ts_requant *requant) {
    return (int32_t)((uint32_t)*requant->mul << (32 - requant->shift));
}

/* Reductions that the assembly of cortexm4_project.S is for. */
static inline int ts_m4_brief_is_small(const ts_requant *requant, uint32_t depth) {
    return depth <= 16 && !requant->per_channel;
}

/* What the assembly of cortexm4_project.S reads, in this order; what it changes is said. */
typedef struct {
    const void *stream, *end;
    const int32_t *bias; /* with padding to whole or half tiles */
    int32_t factor;      /* mul << (32 - shift) */
    uint32_t stride;     /* of ts_m4_product */
    uint32_t entry;      /* bytes of the steps that are left out, plus 1: Thumb */
    uint32_t half_entry; /* the same of half a tile's steps */
    uint32_t whole;      /* bytes of a head's whole tiles; of all heads if there are no half ones */
    void *out;           /* goes on */
    uint32_t first, second; /* bytes from a pair of rows to the next one, in turn: change places */
    const uint32_t *x;      /* goes on */
    uint32_t x_bytes;       /* of a pair */
    const uint32_t *x_end;
} ts_m4_projection;

ts_m4_code ts_m4_project_stationary_floor, ts_m4_project_stationary_half_up,
    ts_m4_project_streamed_floor, ts_m4_project_streamed_half_up, ts_m4_project_across_floor,
    ts_m4_project_across_half_up, ts_m4_project_rows_floor, ts_m4_project_rows_half_up;

/* What the assembly of cortexm4_few_rows.S and cortexm4_some_rows.S reads, in this order: a pair of
 * rows, all heads. */
typedef struct {
    const uint32_t *query, *key;
    uint32_t query_bytes; /* of a head and a pair of rows */
    int32_t factor;       /* of the scores: mul << (32 - shift) */
    const uint32_t *value;
    uint32_t value_bytes;   /* of a head's whole tiles */
    const int32_t *factors; /* of the context: a tile's, or one for each padded channel */
    uint32_t factors_step;  /* bytes from tile to tile */
    uint8_t *out;           /* the first head's context */
    uint32_t odd;           /* 0; 4 where a head starts in the middle of a step */
    const uint8_t *table;   /* reversed, its last byte */
    uint32_t key_jump;      /* bytes from the end of a head's four keys to its next four */
    uint32_t mask;          /* of the last four keys' bytes */
    uint32_t advance;       /* bytes from a head's context to the next one's, `odd` not counted */
    uint32_t toggle;        /* what `odd` is changed by */
    uintptr_t last;         /* up to 4 keys: `half`; up to 8: 1 if a fourth pair; more: where to
                               enter the pairs */
    uint32_t heads;         /* counted down */
    uint32_t keys, rows;    /* rows: 1 or 2 */
    uint32_t half;          /* 1 if a head ends with half a tile */
} ts_m4_maps;

ts_m4_code ts_m4_maps_two_floor, ts_m4_maps_two_half_up, ts_m4_maps_three_floor,
    ts_m4_maps_three_half_up, ts_m4_maps_four_floor, ts_m4_maps_four_half_up;
ts_m4_code ts_m4_maps_narrow_two_floor, ts_m4_maps_narrow_two_half_up,
    ts_m4_maps_narrow_three_floor, ts_m4_maps_narrow_three_half_up, ts_m4_maps_narrow_four_floor,
    ts_m4_maps_narrow_four_half_up;
ts_m4_code ts_m4_maps_some_floor, ts_m4_maps_some_half_up, ts_m4_maps_more_floor,
    ts_m4_maps_more_half_up;
ts_m4_code ts_m4_maps_more_floor_end, ts_m4_maps_more_half_up_end;

/* A projection of heads of one channel. */
typedef struct {
    const int8_t *weight;
    const int32_t *bias;
    int32_t factor; /* mul << (32 - shift) */
} ts_m4_one_projection;

/* What the assembly of cortexm4_one_channel_heads.S reads, in this order. */
typedef struct {
    const uint32_t *x, *x_end; /* the input, [step][row], 2 rows or 4 */
    uint16_t *out, *out_end; /* contexts of the first pair of rows; where a next head's would go */
    int32_t scores, context; /* factors */
    uint32_t second;         /* bytes from the contexts of the first pair to those of the second */
    const uint8_t *table;    /* reversed, its last byte */
    ts_m4_one_projection q, k, v;
} ts_m4_one_call;

ts_m4_code ts_m4_one_channel_two_floor, ts_m4_one_channel_two_half_up,
    ts_m4_one_channel_three_floor, ts_m4_one_channel_three_half_up, ts_m4_one_channel_four_floor,
    ts_m4_one_channel_four_half_up;

#endif
