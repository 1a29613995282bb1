/* SPDX-License-Identifier: Apache-2.0 */
/* An encoder block for XpulpV2 whose shape suits (E % 4 == 0, P % 4 == 0, S % 4 <= 1) and whose
 * queries, keys and values of all heads fit.
 *
 * Its six linear layers (queries, keys, values, output projection, and the two of the feed-forward
 * network) run through the same code. Of each, a core has some blocks of 4 columns, all rows of
 * them where that comes out even: then it needs its own weights alone. They come as a sequence of
 * steps, each no larger than a slot; what lies far of a step is fetched while the two steps ahead
 * of it are computed, whatever else lies between them. Normalised rows lie in the output. What
 * follows a linear layer, GELU or the addition of a residual, is done in place by the core that has
 * computed it. */
#ifndef TS_XPULP_JOINED_H
#define TS_XPULP_JOINED_H

#include "../encoder_block/encoder_block.h"
#include "ts_xpulp_fetch.h"
#include "ts_xpulp_layer.h"
#include "ts_xpulp_pointwise.h"

/* The linear layers, in order. */
enum { TS_XP_Q, TS_XP_K, TS_XP_V, TS_XP_O, TS_XP_UP, TS_XP_DOWN, TS_XP_LINEARS };

/* Their arguments follow each other in this order. */
enum { TS_XP_GIVEN_BYTES = 2 * sizeof(void *) };
_Static_assert(offsetof(ts_encoder_block_args, down_weight) ==
                   offsetof(ts_encoder_block_args, q_weight) + TS_XP_DOWN * TS_XP_GIVEN_BYTES,
               "weights and biases in the order of the layers");
_Static_assert(offsetof(ts_encoder_block_args, down) ==
                   offsetof(ts_encoder_block_args, q) + TS_XP_DOWN * sizeof(ts_requant),
               "requantisations in the order of the layers");
_Static_assert(offsetof(ts_encoder_block_args, context) ==
                   offsetof(ts_encoder_block_args, q) + 7 * sizeof(ts_requant),
               "and then those of attention");

typedef struct {
    const int8_t *weight;
    const int32_t *bias;
} ts_xp_given;

static TS_XP_INLINE ts_xp_given ts_xp_joined_given(const ts_encoder_block_args *args,
                                                   uint32_t linear) {
    const void *first = (const char *)args + offsetof(ts_encoder_block_args, q_weight);
    return ((const ts_xp_given *)first)[linear];
}

/* Behind those of the linear layers follow scores and context. */
static TS_XP_INLINE const ts_requant *ts_xp_joined_requant(const ts_encoder_block_args *args,
                                                           uint32_t linear) {
    const void *first = (const char *)args + offsetof(ts_encoder_block_args, q);
    return (const ts_requant *)first + linear;
}

/* What all cores share besides operands. Core 0 writes it ahead of the first barrier. */
typedef struct {
    ts_mhsa_args mhsa;  /* what attention looks at */
    int32_t factors[8]; /* ts_xpulp_brief.h: read by some cores when others write the above */
} ts_xp_joined_shared;

#define TS_XP_JOINED_SHARED 160u
/* Too large for the stack: in the scratch memory, too; each core's in other banks. */
#define TS_XP_JOINED_OWN 516u
_Static_assert(sizeof(ts_xp_joined_shared) <= TS_XP_JOINED_SHARED, "as kernel.yaml has it");

/* Some rows of some blocks of columns of a linear layer. */
typedef struct {
    ts_xp_call call; /* but for the scale and the number of tiles */
    uint32_t linear, rows;
    int8_t *to;             /* the call's output */
    ts_requant requant;     /* of these columns */
    const int32_t *largest; /* of all biases of the layer */
    int8_t *room;           /* a slot */
    ts_xp_fetch_group fetch;
} ts_xp_step;

typedef struct {
    const ts_team *team;
    const ts_encoder_block_args *args;
    ts_xp_layer layer;
    int8_t *sum, *hidden;
    uint32_t tiles;           /* of all rows; a single last row belongs to the one before it */
    uint32_t reciprocal;      /* 2^16 / cores, rounded up */
    uint32_t slot;            /* bytes */
    int8_t *constants;        /* room for what all cores use of far operands */
    uint32_t linear, depth;   /* the next step's */
    uint32_t unit, units;     /* its first one and the end of this core's: row tiles of blocks */
    ts_xp_step steps[2], *at; /* the next to be computed, and the one behind it */
    ts_xp_norm norm1, norm2;
    const int8_t *gelu_table;
} ts_xp_joined;
_Static_assert(sizeof(ts_xp_joined) <= TS_XP_JOINED_OWN || sizeof(void *) > 4, "as kernel.yaml");

static inline uint32_t ts_xp_joined_depth(const ts_shape *shape, uint32_t linear) {
    const uint32_t inner = linear == TS_XP_O ? shape->H * shape->P : ts_xp_align4(shape->F);
    return linear == TS_XP_O || linear == TS_XP_DOWN ? inner : shape->E;
}

static inline uint32_t ts_xp_joined_blocks(const ts_shape *shape, uint32_t linear) {
    const uint32_t columns = linear < TS_XP_O ? shape->H * shape->P : shape->E;
    return ts_xp_align4(linear == TS_XP_UP ? shape->F : columns) / 4;
}

/* Bytes of one block's weights, biases and factors. */
static inline uint32_t ts_xp_joined_block_bytes(uint32_t depth) { return 4 * depth + 24; }

/* Of a softmax table in layout softmax_pairs. */
#define TS_XP_TABLE_BYTES 5120u

/* A slot holds a core's share of the queries' weights if that is not large, and any block. */
#define TS_XP_JOINED_SLOT 1216u

static inline uint32_t ts_xp_joined_slot(const ts_shape *shape, uint32_t cores) {
    const uint32_t deep = ts_xp_joined_depth(shape, TS_XP_O);
    const uint32_t down = ts_xp_joined_depth(shape, TS_XP_DOWN);
    const uint32_t share = ts_ceil_div(ts_xp_joined_blocks(shape, TS_XP_Q), cores);
    uint32_t widest = deep > down ? deep : down;
    widest = widest > shape->E ? widest : shape->E;
    const uint32_t least = ts_xp_joined_block_bytes(widest);
    const uint32_t useful = ts_min(share * ts_xp_joined_block_bytes(shape->E), TS_XP_JOINED_SLOT);
    return ts_align16(least > useful ? least : useful);
}

/* Row tiles of blocks that the shares of ts_xp_joined_share add up to: no more. */
#define TS_XP_JOINED_UNITS 8192u

/* This core's share of a linear layer: the cores' follow each other without a gap, as
 * floor(cores * units * reciprocal / 2^16) = units for up to TS_XP_JOINED_UNITS units. */
TS_XP_STAGE void ts_xp_joined_share(ts_xp_joined *b, uint32_t linear) {
    const ts_shape *shape = &b->args->shape;
    const uint32_t units = ts_xp_joined_blocks(shape, linear) * b->tiles;
    const uint32_t before = b->team->core * units;
    b->depth = ts_xp_joined_depth(shape, linear);
    b->unit = before * b->reciprocal >> 16;
    b->units = (before + units) * b->reciprocal >> 16;
}

/* Where a step's left rows are, and where its output goes. */
TS_XP_STAGE void ts_xp_joined_place(const ts_xp_joined *b, ts_xp_step *step, uint32_t block,
                                    uint32_t first) {
    const ts_xp_layer *layer = &b->layer;
    const uint32_t S = layer->S, P = layer->P, linear = step->linear;
    ts_xp_call *call = &step->call;
    uint32_t row = b->args->shape.E, apart = 4, tile = 4 * row;
    const int8_t *left = b->args->output;
    int8_t *to = b->sum;
    call->select = TS_XP_ROWS;
    if (linear == TS_XP_Q) {
        to = layer->queries;
        row = layer->query_row;
        tile = 4 * row;
    } else if (linear == TS_XP_K) { /* a head's panels, and its blocks there */
        to = layer->keys + block / (P / 4) * (S - 4) * P;
        row = 4;
        apart = 16;
        tile = 4 * P;
    } else if (linear == TS_XP_V) {
        to = layer->values;
        row = 4;
        apart = 4 * S;
        tile = 16;
        call->select = TS_XP_COLUMNS;
    } else if (linear == TS_XP_O) {
        left = layer->context;
    } else if (linear == TS_XP_UP) {
        to = b->hidden;
        row = ts_xp_align4(b->args->shape.F);
        tile = 4 * row;
    } else {
        left = b->hidden;
        to = b->args->output;
    }
    to += block * apart + first * tile;
    step->to = to;
    call->output = to;
    call->output_row = row;
    call->output_block = apart;
    call->output_tile = tile;
    call->left = left + 4 * first * b->depth;
    call->left_row = b->depth;
}

/* The next step in place of one that is done, and the begin of its fetch; where there is none, its
 * linear layer is TS_XP_LINEARS. */
TS_XP_STAGE void ts_xp_joined_next(ts_xp_joined *b, ts_xp_step *step) {
    const ts_encoder_block_args *args = b->args;
    while (b->unit == b->units) {
        step->linear = ++b->linear;
        if (b->linear >= TS_XP_LINEARS)
            return;
        ts_xp_joined_share(b, b->linear);
    }
    const uint32_t linear = b->linear, tiles = b->tiles, left = b->units - b->unit;
    const uint32_t depth = b->depth, bytes = ts_xp_joined_block_bytes(depth);
    uint32_t block = b->unit, first = 0, count = left, height = 1;
    if (tiles > 1) {
        block /= tiles;
        first = b->unit - block * tiles;
        count = left / tiles;
        height = tiles;
        if (first || !count) {
            height = ts_min(tiles - first, left);
            count = 1;
        }
    }
    if (count * bytes > b->slot)
        count = b->slot / bytes;
    if (linear == TS_XP_K) /* of one head */
        count = ts_min(count, b->layer.P / 4 - block % (b->layer.P / 4));
    b->unit += count * height;
    step->linear = linear;
    step->rows = (first + height == tiles ? args->shape.S : 4 * (first + height)) - 4 * first;
    ts_xp_joined_place(b, step, block, first);
    const ts_xp_given given = ts_xp_joined_given(args, linear);
    step->requant = *ts_xp_joined_requant(args, linear);
    step->largest = given.bias;
    step->fetch.room = step->room;
    step->call.kind = TS_XP_BIAS;
    step->call.steps = depth / 4;
    step->call.blocks = count;
    step->call.right =
        ts_xp_fetch_from(&step->fetch, given.weight + block * 4 * depth, count * 4 * depth);
    step->call.bias = ts_xp_fetch_from(&step->fetch, given.bias + 4 + block * 4, count * 16);
    if (step->requant.per_channel)
        step->requant.mul =
            ts_xp_fetch_from(&step->fetch, step->requant.mul + block * 4, count * 8);
}

/* A step's product. */
TS_XP_STAGE void ts_xp_joined_multiply(ts_xp_step *step) {
    ts_xp_call *call = &step->call;
    const uint32_t products = call->steps * 4 * 128 * 128;
    const uint32_t bound = (uint32_t)step->largest[0] + products, rows = step->rows;
    ts_xp_set_scale(call, &step->requant, 4 * call->blocks, bound < products ? ~0u : bound, 0);
    call->tiles = rows / 4;
    if (rows & 3 || call->path != TS_XP_FAST)
        ts_xp_run(call, 1, 0, rows);
    else
        ts_xp_fast4(call, 1);
}

/* What follows a step's product, in place. */
TS_XP_STAGE void ts_xp_joined_follow(const ts_xp_joined *b, const ts_xp_step *step) {
    const ts_encoder_block_args *args = b->args;
    const uint32_t blocks = step->call.blocks, row = step->call.output_row;
    int8_t *to = step->to;
    if (step->linear == TS_XP_UP) {
        for (uint32_t rows = step->rows; rows; rows--, to += row)
            ts_xp_look_up_words(to, b->gelu_table, blocks, to);
        return;
    }
    const int8_t *residual = to - b->sum + args->input;
    const ts_encoder_add *add = &args->add1;
    if (step->linear == TS_XP_DOWN) {
        residual = to - args->output + b->sum;
        add = &args->add2;
    }
    const ts_xp_addition addition =
        ts_xp_addition_of(add->residual_mul, add->layer_mul, add->shift, add->round_half_up);
    for (uint32_t i = 0; i < blocks; i++, residual += 4, to += 4)
        ts_xp_add_words(&addition, residual, to, to, row, step->rows);
}

/* All steps of this core up to those of linear layer `last`. */
TS_XP_STAGE void ts_xp_joined_run(ts_xp_joined *b, uint32_t last) {
    ts_xp_step *step;
    while ((step = b->at)->linear <= last) {
        ts_xp_fetch_end(&step->fetch);
        ts_xp_joined_multiply(step);
        if (step->linear >= TS_XP_O)
            ts_xp_joined_follow(b, step);
        ts_xp_joined_next(b, step);
        b->at = step == b->steps ? b->steps + 1 : b->steps;
    }
}

/* Where an operand that all cores use will be, `room` if it is far, which then advances; the core
 * with a group fetches it. */
TS_XP_STAGE const void *ts_xp_joined_constant(int8_t **room, ts_xp_fetch_group *group,
                                              const void *from, uint32_t bytes) {
    int8_t *place = *room;
    if (!ts_dma_is_far(from))
        return from;
    *room = place + bytes;
    if (group) {
        group->room = place;
        ts_xp_fetch_from(group, from, bytes);
    }
    return place;
}

TS_XP_STAGE ts_xp_norm ts_xp_joined_norm(int8_t **room, ts_xp_fetch_group *group,
                                         const ts_encoder_norm *norm, uint32_t E) {
    ts_xp_norm near = {.shift = norm->shift};
    near.weight = ts_xp_joined_constant(room, group, norm->weight, 2 * E);
    near.bias = ts_xp_joined_constant(room, group, norm->bias, 4 * E);
    return near;
}

static inline uint32_t ts_xp_joined_constants(const ts_shape *shape) {
    return 12 * shape->E + TS_XP_TABLE_BYTES + 256 + 2 * shape->H * shape->P;
}

/* What attention looks at, from wherever it will be. */
TS_XP_STAGE void ts_xp_joined_attention(ts_xp_joined *b, ts_xp_fetch_group *group,
                                        ts_mhsa_args *mhsa) {
    const ts_encoder_block_args *args = b->args;
    const void *table =
        ts_xp_joined_constant(&b->constants, group, args->softmax.entries, TS_XP_TABLE_BYTES);
    const void *factors = args->context.mul;
    if (args->context.per_channel)
        factors =
            ts_xp_joined_constant(&b->constants, group, factors, 2 * args->shape.H * args->shape.P);
    b->layer.args = mhsa;
    if (b->team->core)
        return;
    mhsa->shape = args->shape;
    mhsa->scores = args->scores;
    mhsa->context = args->context;
    mhsa->context.mul = factors;
    mhsa->table.entries = table;
    mhsa->table.max = args->softmax.max;
}

/* Lays the scratch memory out; returns its end. */
TS_XP_STAGE int8_t *ts_xp_joined_lay_out(ts_xp_joined *b, const ts_shape *shape,
                                         const ts_team *team, int8_t *scratch) {
    b->sum = scratch + TS_XP_JOINED_SHARED + team->cores * TS_XP_JOINED_OWN;
    b->hidden = b->sum + ts_align16(shape->S * shape->E);
    int8_t *at = ts_xp_lay_out(&b->layer, shape, team, b->sum, b->hidden);
    int8_t *const hidden_end = b->hidden + shape->S * ts_xp_align4(shape->F);
    at = at > hidden_end ? at : hidden_end;
    b->slot = ts_xp_joined_slot(shape, team->cores);
    b->steps[0].room = at + 2 * team->core * b->slot;
    b->steps[1].room = b->steps[0].room + b->slot;
    b->constants = at + 2 * team->cores * b->slot;
    return b->constants + ts_xp_joined_constants(shape);
}

/* Until all cores' normalised rows are there. */
TS_XP_STAGE void ts_xp_joined_begin(ts_xp_joined *b, ts_mhsa_args *mhsa) {
    const ts_team *team = b->team;
    const ts_encoder_block_args *args = b->args;
    ts_xp_fetch_group early = {TS_XP_NO_GROUP, NULL};
    ts_xp_step *second = &b->steps[1];
    ts_xp_fetch_group *const late = team->core + 1 == team->cores ? &second->fetch : NULL;
    b->steps[0].fetch.group = second->fetch.group = TS_XP_NO_GROUP;
    b->at = b->steps;
    b->tiles = ts_xp_tiles(args->shape.S, 1);
    b->norm1 =
        ts_xp_joined_norm(&b->constants, team->core ? NULL : &early, &args->norm1, args->shape.E);
    b->reciprocal = ((1u << 16) + team->cores - 1) / team->cores;
    b->linear = TS_XP_Q;
    ts_xp_joined_share(b, TS_XP_Q);
    ts_xp_joined_next(b, b->steps);
    if (ts_dma_is_far(args->norm1.weight) || ts_dma_is_far(args->norm1.bias)) {
        ts_xp_fetch_end(&early);
        ts_team_barrier(team);
    }
    b->norm2 = ts_xp_joined_norm(&b->constants, late, &args->norm2, args->shape.E);
    ts_xp_joined_attention(b, late, mhsa);
    b->gelu_table = ts_xp_joined_constant(&b->constants, late, args->gelu_table, 256);
    ts_xp_joined_next(b, second);
    if (second->linear > TS_XP_V) /* no wait for it before attention */
        ts_xp_fetch_end(&second->fetch);
}

TS_XP_STAGE void ts_xp_joined_normalise(const ts_xp_joined *b, const ts_xp_norm *norm,
                                        const int8_t *input) {
    const ts_encoder_block_args *args = b->args;
    ts_xp_normalise(b->team, norm, input, args->shape.S, args->shape.E, args->output, 1);
    ts_team_barrier(b->team);
}

TS_XP_STAGE void ts_xp_joined_block(const ts_team *team, const ts_encoder_block_args *args,
                                    void *scratch) {
    ts_xp_joined_shared *shared = scratch;
    ts_xp_joined *b =
        (void *)((int8_t *)scratch + TS_XP_JOINED_SHARED + team->core * TS_XP_JOINED_OWN);
    b->team = team;
    b->args = args;
    b->layer.team = team;
    b->layer.input = (ts_xp_input){args->output, args->shape.E, args->shape.H * args->shape.P};
    ts_xp_joined_lay_out(b, &args->shape, team, scratch);
    ts_xp_joined_begin(b, &shared->mhsa);
    ts_xp_joined_normalise(b, &b->norm1, args->input);
    ts_xp_joined_run(b, TS_XP_V);
    ts_team_barrier(team);
    ts_xp_for_pieces(team, args->shape.H, args->shape.S, 1, ts_xp_attend, &b->layer);
    ts_team_barrier(team);
    ts_xp_joined_run(b, TS_XP_O);
    ts_team_barrier(team);
    ts_xp_joined_normalise(b, &b->norm2, b->sum);
    ts_xp_joined_run(b, TS_XP_UP);
    ts_team_barrier(team);
    ts_xp_joined_run(b, TS_XP_DOWN);
}

#endif
