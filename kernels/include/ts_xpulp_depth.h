/* SPDX-License-Identifier: Apache-2.0 */
/* An attention layer for XpulpV2, head by head as in ts_xpulp_stream.h and with the same result,
 * for a requantisation that is fast throughout.
 *
 * A core takes its rows, in tiles of 5, 4 or 1, through queries, scores, softmax, context and
 * output. Where some cores have a row more than others, those others project meanwhile what the
 * next head needs, keys or (fused) values, into a second buffer: so that all have as much to do
 * between two barriers. Weights are read where they are. */
#ifndef TS_XPULP_DEPTH_H
#define TS_XPULP_DEPTH_H

#include "ts_xpulp_stream.h"

#if TS_XP_FUSED
typedef ts_mhsa_fwsa_args ts_xp_depth_args;
#define TS_XP_DEPTH_Q(what) f##what
#else
typedef ts_mhsa_args ts_xp_depth_args;
#define TS_XP_DEPTH_Q(what) q##what
#endif

/* What runs all the time lies with the block products (targets/gap9/link.ld). */
#define TS_XP_DEPTH                                                                                \
    static __attribute__((noinline, unused, section(".text.hot.ts_xp_depth"))) TS_XP_SMALL

/* Those of a tile, two by two; that of the context serves projections, too. */
enum { TS_XP_QUERY, TS_XP_SCORES, TS_XP_MIX, TS_XP_OUTPUT, TS_XP_DEPTH_CALLS };

/* Some tiles of 4 rows and of their blocks of 4 columns some. */
typedef struct {
    uint16_t tile, tiles, block, blocks;
} ts_xp_depth_piece;

/* What is a core's of keys or values; the second is of the row that is left over. No tiles: none.
 */
typedef struct {
    ts_xp_depth_piece pieces[2];
} ts_xp_depth_share;

/* A head's keys or values: words of a call. */
typedef struct {
    const int8_t *right;
    const int32_t *bias;
    int8_t *output;
    uint32_t output_block, output_tile, select;
    int32_t factor;
} ts_xp_depth_layer;

/* Where things lie. */
typedef struct {
    uint32_t S, first, rows; /* this core's rows */
    uint32_t second;         /* bytes from the first buffer of what is next to the second, or 0 */
    int8_t *keys, *values;   /* those of the head, where a second buffer has others */
    int32_t *sums;           /* for each tile of all rows, [E / 4][rows][4] */
    int8_t *map;             /* this core's */
    int8_t *early; /* a row's; NULL unless rows that others do not have are tiles of their own */
    int8_t *tile;  /* this core's: a tile's queries, a row's exponentials, the tile's context */
} ts_xp_depth_places;

typedef struct {
    const ts_team *team;
    /* Counted from the last one. Where cores meet at a bank of memory, the first ones wait longer,
     * so that a row more suits a last one. */
    uint32_t core;
    const ts_xp_depth_args *args;
    ts_xp_depth_places at;
    /* What is projected ahead, keys or (fused) values; and values. */
    ts_xp_depth_layer next, value;
    ts_xp_depth_share even, less;
    int32_t mix_factor, output_factor;
    ts_xp_call calls[TS_XP_DEPTH_CALLS];
} ts_xp_depth;

#define TS_XP_DEPTH_ROWS 5u

/* Other shapes have too little depth for a tile of 5. */
static inline int ts_xp_depth_suits(const ts_shape *shape) {
    return ts_xp_streams(shape) && shape->S > 4 && shape->S <= TS_XP_PAIRS_LONGEST &&
           shape->E >= 8 && shape->P >= 8;
}

/* Lays the scratch memory out; returns its end. */
TS_XP_STAGE int8_t *ts_xp_depth_lay_out(ts_xp_depth_places *d, const ts_shape *shape,
                                        const ts_team *team, int8_t *output, int8_t *at) {
    const uint32_t S = ts_xp_align4(shape->S), P = shape->P, width = ts_xp_stream_width(shape);
    const ts_range share = ts_team_share(team, shape->S);
    d->S = S;
    d->first = share.begin;
    d->rows = share.end - share.begin;
    const uint32_t longer = shape->S % team->cores, most = shape->S / team->cores + 1;
    d->second = longer ? S * P : 0;
    d->keys = at;
    at += S * width + (TS_XP_FUSED ? 0 : d->second);
    d->values = at;
    at += S * P + (TS_XP_FUSED ? d->second : 0);
    d->sums = (int32_t *)at;
    at += 4 * shape->S * shape->E;
    d->map = at + team->core * TS_XP_DEPTH_ROWS * S;
    at += team->cores * TS_XP_DEPTH_ROWS * S;
    d->early = longer && (most & 3) > most / 4 ? at + team->core * S : NULL;
    at += TS_XP_FUSED ? 0 : longer * S;
    uint32_t tile = TS_XP_DEPTH_ROWS * (P > width ? P : width);
    tile = tile > 2 * S ? tile : 2 * S;
    /* Until its rows are written the output serves as memory where it is large enough. */
    const int in_output = team->cores * tile <= (shape->S - longer) * shape->E;
    d->tile = in_output ? output + d->first * shape->E : at + team->core * tile;
    return at + (in_output ? 0 : team->cores * tile);
}

/* Bytes of scratch memory, or 0 where the shape is not one of these. */
TS_XP_SELDOM uint32_t ts_xp_depth_bytes(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_depth_places places;
    return ts_xp_depth_suits(shape)
               ? (uint32_t)(uintptr_t)ts_xp_depth_lay_out(&places, shape, &team, NULL, NULL)
               : 0;
}

static inline ts_xp_depth_piece ts_xp_depth_piece_of(uint32_t tile, uint32_t tiles, uint32_t block,
                                                     uint32_t blocks) {
    return (ts_xp_depth_piece){(uint16_t)tile, (uint16_t)tiles, (uint16_t)block, (uint16_t)blocks};
}

/* Sets an even share: not all columns, where it takes that for all cores to have as many tiles. */
TS_XP_STAGE void ts_xp_depth_share_even(ts_xp_depth *d) {
    const uint32_t core = d->core, cores = d->team->cores, full = d->args->shape.S / 4;
    const uint32_t all = d->args->shape.P / 4;
    const uint32_t lone = core * all / cores, lone_end = (core + 1) * all / cores;
    uint32_t groups = cores, group = core, block = 0, blocks = all;
    while (full % groups && !((groups | blocks) & 1)) {
        groups /= 2;
        blocks /= 2;
        block += group & 1 ? blocks : 0;
        group /= 2;
    }
    const uint32_t tile = group * full / groups, end = (group + 1) * full / groups;
    d->even.pieces[0] = ts_xp_depth_piece_of(tile, end - tile, block, blocks);
    d->even.pieces[1] =
        ts_xp_depth_piece_of(full, d->args->shape.S & 3 && lone_end > lone, lone, lone_end - lone);
}

/* Sets one that leaves out, for each row that a core has and others do not have, as many tiles as
 * take the same time. */
TS_XP_STAGE void ts_xp_depth_share_less(ts_xp_depth *d) {
    const ts_shape *shape = &d->args->shape;
    const uint32_t core = d->core, cores = d->team->cores;
    const uint32_t full = shape->S / 4, tiles = (shape->S + 3) / 4, longer = shape->S % cores;
    const uint32_t row = (shape->E + shape->S) / shape->E;
    const uint32_t most = (tiles + row * longer + cores - 1) / cores, fewer = ts_min(row, most);
    const uint32_t first = ts_min(core * most - fewer * ts_min(core, longer), tiles);
    const uint32_t end = ts_min(first + most - (core < longer ? fewer : 0), tiles);
    const uint32_t count = ts_min(end, full) - ts_min(first, full);
    d->less.pieces[0] = ts_xp_depth_piece_of(first, count, 0, shape->P / 4);
    d->less.pieces[1] = ts_xp_depth_piece_of(full, end - first - count, 0, shape->P / 4);
}

/* A core's share of a head's keys or values; the layer then stands at the next head. */
TS_XP_DEPTH void ts_xp_depth_project(ts_xp_depth *d, ts_xp_depth_layer *layer,
                                     const ts_xp_depth_share *share) {
    const uint32_t E = d->args->shape.E;
    ts_xp_call *call = &d->calls[TS_XP_MIX];
    call->left_row = E;
    call->steps = E / 4;
    call->kind = TS_XP_BIAS;
    call->output_row = 4;
    call->output_block = layer->output_block;
    call->output_tile = layer->output_tile;
    call->select = layer->select;
    call->factor = layer->factor;
    ts_xp_call_fn *run = ts_xp_tile4;
    for (const ts_xp_depth_piece *piece = share->pieces; piece < share->pieces + 2; piece++) {
        call->left = d->args->input + piece->tile * 4 * E;
        call->right = layer->right + piece->block * 4 * E;
        call->bias = layer->bias + piece->block * 4;
        call->output =
            layer->output + piece->tile * layer->output_tile + piece->block * layer->output_block;
        call->blocks = piece->blocks;
        call->tiles = piece->tiles;
        if (piece->tiles)
            run(call, 1);
        run = ts_xp_tile1;
    }
    layer->right += E * d->args->shape.P;
    layer->bias += d->args->shape.P;
}

/* What the call of a linear layer becomes. Returns its path. */
TS_XP_STAGE uint32_t ts_xp_depth_set_layer(ts_xp_depth *d, ts_xp_depth_layer *layer,
                                           const int8_t *weight, const int32_t *bias,
                                           const ts_requant *requant) {
    const ts_shape *shape = &d->args->shape;
    const ts_xp_input input = {d->args->input, shape->E, shape->H * shape->P};
    ts_xp_call *call = &d->calls[TS_XP_QUERY];
    ts_xp_set_linear(call, &input, weight, bias, requant, 0);
    layer->right = call->right;
    layer->bias = call->bias;
    layer->factor = call->factor;
    return call->path;
}

/* What a core's tiles and projections are made of, for head 0. Returns whether all of it is fast.
 */
TS_XP_STAGE int ts_xp_depth_set(ts_xp_depth *d) {
    const ts_xp_depth_args *args = d->args;
    const ts_shape *shape = &args->shape;
    const uint32_t S = d->at.S, P = shape->P, E = shape->E, width = ts_xp_stream_width(shape);
    const uint32_t columns = shape->H * P, products = columns * 128 * 128;
    const uint32_t bound = (uint32_t)args->o_bias[0] + products;
    const ts_xp_input input = {args->input, E, shape->H * width};
    ts_xp_call *query = &d->calls[TS_XP_QUERY], *scores = &d->calls[TS_XP_SCORES];
    ts_xp_call *output = &d->calls[TS_XP_OUTPUT];

    ts_xp_set_scale(query, &args->context, columns, 255 * 128, 0);
    d->mix_factor = query->factor;
    uint32_t path = query->path;
    ts_xp_set_scale(query, &args->o, E, bound < products ? ~0u : bound, 0);
    d->output_factor = query->factor;
    path |= query->path;
#if !TS_XP_FUSED
    d->next.output = d->at.keys;
    d->next.output_block = 16;
    d->next.output_tile = 4 * P;
    d->next.select = TS_XP_ROWS;
    path |= ts_xp_depth_set_layer(d, &d->next, args->k_weight, args->k_bias, &args->k);
#endif
    ts_xp_depth_layer *value = TS_XP_FUSED ? &d->next : &d->value;
    value->output = d->at.values;
    value->output_block = 4 * S;
    value->output_tile = 16;
    value->select = TS_XP_COLUMNS;
    path |= ts_xp_depth_set_layer(d, value, args->v_weight, args->v_bias, &args->v);
    ts_xp_set_linear(query, &input, args->TS_XP_DEPTH_Q(_weight), args->TS_XP_DEPTH_Q(_bias),
                     &args->TS_XP_DEPTH_Q(), 0);
    ts_xp_set_output(query, d->at.tile, width, width / 4);
    ts_xp_set_product(scores, TS_XP_ZERO, d->at.tile, width, d->at.keys, width);
    ts_xp_set_output(scores, d->at.map, S, S / 4);
    ts_xp_set_scale(scores, &args->scores, 0, width * 128 * 128, 0);
    ts_xp_set_product(output, TS_XP_ADD, d->at.tile, P, args->o_weight, P);
    ts_xp_set_output(output, NULL, 0, E / 4);
    output->right_skip = 4 * (columns - P);
    query->tiles = scores->tiles = output->tiles = 1;
    return (path | query->path | scores->path) == TS_XP_FAST && args->table.entries[256];
}

/* The next tile of the rows left: no more lone rows than there have to be. */
static TS_XP_INLINE uint32_t ts_xp_depth_tile(uint32_t rows) {
    return rows < 4 ? 1 : rows & 3 ? 5 : 4;
}

/* What to do with rows: queries, scores and softmax; context and output. */
enum { TS_XP_DEPTH_MAPS = 1, TS_XP_DEPTH_MIX = 2 };

/* Some of this core's rows of a head. `map`: of a tile. */
TS_XP_DEPTH void ts_xp_depth_rows(ts_xp_depth *d, uint32_t row, uint32_t rows, uint32_t what,
                                  int8_t *map) {
    const ts_xp_depth_args *args = d->args;
    const uint32_t E = args->shape.E, P = args->shape.P, S = d->at.S;
    ts_xp_call *query = &d->calls[TS_XP_QUERY], *mix = &d->calls[TS_XP_MIX];
    ts_xp_call *scores = &d->calls[TS_XP_SCORES], *output = &d->calls[TS_XP_OUTPUT];
    mix->left_row = S;
    mix->right = d->at.values;
    mix->output = d->at.tile;
    mix->output_row = P;
    mix->output_block = 4;
    mix->steps = S / 4;
    mix->blocks = P / 4;
    mix->tiles = 1;
    mix->kind = TS_XP_UNSIGNED;
    mix->factor = d->mix_factor;
    mix->select = TS_XP_ROWS;
    scores->output = map;
    mix->left = map;
    query->left = args->input + row * E;
    output->bias = d->at.sums + row * E;
    for (uint32_t tile; rows; rows -= tile) {
        tile = ts_xp_depth_tile(rows);
        ts_xp_call_fn *run = tile == 5 ? ts_xp_tile5 : tile == 4 ? ts_xp_tile4 : ts_xp_tile1;
        if (what & TS_XP_DEPTH_MAPS) {
            run(query, 2);
            ts_xp_softmax_pairs(map, (uint8_t *)map, args->shape.S, tile, args->table.entries + 256,
                                (uint32_t *)(void *)d->at.tile);
        }
        if (what & TS_XP_DEPTH_MIX)
            run(mix, 2);
        query->left += tile * E;
        output->bias += tile * E;
    }
}

/* The accumulators of this core's rows start as the bias. */
TS_XP_STAGE void ts_xp_depth_begin(const ts_xp_depth *d) {
    const uint32_t E = d->args->shape.E;
    int32_t *sums = d->at.sums + d->at.first * E;
    for (uint32_t rows = d->at.rows, tile; rows; rows -= tile, sums += tile * E) {
        tile = ts_xp_depth_tile(rows);
        ts_xp_stream_begin(sums, tile, d->args->o_bias + 4, E);
    }
}

/* A core's accumulators, of some blocks of columns, to the output. */
TS_XP_STAGE void ts_xp_depth_finish(const ts_xp_depth *d, ts_range rows, ts_range blocks) {
    const uint32_t E = d->args->shape.E;
    const int32_t factor = d->output_factor;
    for (uint32_t tile; rows.begin < rows.end; rows.begin += tile) {
        tile = ts_xp_depth_tile(rows.end - rows.begin);
        const int32_t *sums = d->at.sums + rows.begin * E + blocks.begin * 4 * tile;
        for (uint32_t block = blocks.begin; block < blocks.end; block++) {
            int8_t *output = d->args->output + rows.begin * E + 4 * block;
            for (uint32_t row = 0; row < tile; row++, sums += 4, output += E) {
                int32_t a = sums[0], b = sums[1], c = sums[2], e = sums[3];
                a = p_clip(p_mac(a, a, factor), 24);
                b = p_clip(p_mac(b, b, factor), 24);
                c = p_clip(p_mac(c, c, factor), 24);
                e = p_clip(p_mac(e, e, factor), 24);
                const uint32_t low = pv_shuffle2_b((uint32_t)a, (uint32_t)b, TS_XP_ROWS);
                const uint32_t high = pv_shuffle2_b((uint32_t)c, (uint32_t)e, TS_XP_ROWS);
                *(uint32_t *)(void *)output = pv_pack_h(high, low);
            }
        }
    }
}

/* Rows of cores that have more of them are shared out when all is done. */
TS_XP_STAGE void ts_xp_depth_end(const ts_xp_depth *d) {
    const ts_shape *shape = &d->args->shape;
    const uint32_t longer = shape->S % d->team->cores, rows = shape->S / d->team->cores + 1;
    if (d->core >= longer) {
        const ts_range own = {d->at.first, d->at.first + d->at.rows}, all = {0, shape->E / 4};
        ts_xp_depth_finish(d, own, all);
    }
    ts_team_barrier(d->team);
    for (uint32_t core = 0; core < longer; core++) {
        const ts_range its = {core * rows, (core + 1) * rows};
        ts_xp_depth_finish(d, its, ts_team_share(d->team, shape->E / 4));
    }
}

static TS_XP_INLINE void ts_xp_depth_heads(ts_xp_depth *d) {
    const ts_xp_depth_args *args = d->args;
    const ts_shape *shape = &args->shape;
    const ts_team *team = d->team;
    const uint32_t width = ts_xp_stream_width(shape);
    ts_xp_call *query = &d->calls[TS_XP_QUERY];
    int8_t *const base = d->next.output; /* of head 0; head 1 has the other buffer */
    ts_xp_depth_begin(d);
    ts_xp_depth_share_even(d);
    if (d->at.second) {
        ts_xp_depth_project(d, &d->next, &d->even);
        ts_xp_depth_share_less(d);
        if (TS_XP_FUSED)
            ts_team_barrier(team);
    }
    for (uint32_t head = 0; head < shape->H; head++) {
        int8_t *const now = base + (head & 1) * d->at.second;
        if (TS_XP_FUSED)
            d->at.values = now;
        else
            d->calls[TS_XP_SCORES].right = now;
        if (!d->at.second)
            ts_xp_depth_project(d, &d->next, &d->even);
        /* Nothing is projected beside the last head: there a row more is begun beside the values.
         */
        const uint32_t begun = !TS_XP_FUSED && d->at.early && head && head + 1 == shape->H;
        const uint32_t early = begun && d->core < shape->S % team->cores;
        const uint32_t rows = d->at.rows - early, row = d->at.first + rows;
        if (early)
            ts_xp_depth_rows(d, row, 1, TS_XP_DEPTH_MAPS, d->at.early);
        if (!TS_XP_FUSED)
            ts_xp_depth_project(d, &d->value, begun ? &d->less : &d->even);
        if (!TS_XP_FUSED || !d->at.second)
            ts_team_barrier(team);
        ts_xp_depth_rows(d, d->at.first, rows, TS_XP_DEPTH_MAPS | TS_XP_DEPTH_MIX, d->at.map);
        if (early)
            ts_xp_depth_rows(d, row, 1, TS_XP_DEPTH_MIX, d->at.early);
        d->calls[TS_XP_OUTPUT].right += 4 * shape->P;
        query->right += width * shape->E;
        query->bias += width;
        if (d->at.second && head + 1 < shape->H) {
            d->next.output = base + (~head & 1) * d->at.second;
            ts_xp_depth_project(d, &d->next, &d->less);
        }
        if (head + 1 < shape->H)
            ts_team_barrier(team);
    }
    ts_xp_depth_end(d);
}

/* Whether this was such a layer, and is done. */
TS_XP_DEPTH int ts_xp_depth_run(const ts_team *team, const ts_xp_depth_args *args, void *scratch) {
    ts_xp_depth d;
    if (!ts_xp_depth_suits(&args->shape))
        return 0;
    d.team = team;
    d.core = team->cores - 1 - team->core;
    d.args = args;
    const ts_team turned = {d.core, team->cores};
    ts_xp_depth_lay_out(&d.at, &args->shape, &turned, args->output, scratch);
    if (!ts_xp_depth_set(&d))
        return 0;
    if (TS_XP_FUSED) {
        const ts_xp_input input = {args->input, args->shape.E, 0};
        ts_xp_pack_keys(team, d.at.keys, &input, args->shape.S);
    }
    ts_xp_depth_heads(&d);
    return 1;
}

#endif
