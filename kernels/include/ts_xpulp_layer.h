/* SPDX-License-Identifier: Apache-2.0 */
/* A whole attention layer for XpulpV2, plain or with fused query and key weights.
 *
 * 1. The input becomes row panels.
 * 2. For a group of heads: queries (panels), keys (rows) and values (transposed) of all rows;
 *    barrier; then, tile by tile of four rows, scores, softmax and context in one panel of the
 *    core. The context goes to the panels that the output projection reads. Barrier.
 * 3. Output projection.
 * Each stage writes the layout that the next one reads, so nothing is transposed or copied. */
#ifndef TS_XPULP_LAYER_H
#define TS_XPULP_LAYER_H

#include "ts_xpulp_attention.h"

/* Queries, keys and values of a group of heads take at most about this many bytes. */
#define TS_XP_GROUP_BYTES 32768u

typedef struct {
    const int8_t *weight; /* layout rows4 */
    const int32_t *bias;
    ts_requant requant;
} ts_xp_linear;

typedef struct {
    ts_shape shape;
    const int8_t *input;  /* [S, E] */
    uint32_t query_width; /* P, or E when the input serves as the keys */
    ts_xp_linear query;   /* [H, query_width, E] */
    ts_xp_linear key;     /* [H, P, E]; weight NULL: the input serves as the keys */
    ts_xp_linear value;   /* [H, P, E] */
    ts_xp_linear output;  /* [E, H*P] */
    ts_requant scores;    /* per tensor */
    ts_requant context;   /* H*P channels when per channel */
    ts_softmax_table table;
    int8_t *result; /* [S, E] */
} ts_xp_layer;

/* Where everything is in the scratch memory, and the heads of a group. */
typedef struct {
    uint32_t group;
    uint32_t query_head, key_head, value_head; /* bytes a head */
    int8_t *input, *context, *queries, *keys, *values;
    uint32_t *panel; /* of this core */
} ts_xp_layer_memory;

/* Heads of a group: equal groups, as few as TS_XP_GROUP_BYTES allows. */
static inline uint32_t ts_xp_layer_group(const ts_shape *shape, uint32_t words_per_head) {
    const uint32_t bytes = shape->H * ts_xp_align4(shape->S) * words_per_head;
    return ts_ceil_div(shape->H, ts_min(shape->H, ts_ceil_div(bytes, TS_XP_GROUP_BYTES)));
}

/* Scratch of the team; `width` = bytes of query, key and value per row and head, each rounded up to
 * 4. */
static inline uint32_t ts_xp_layer_scratch(const ts_shape *shape, uint32_t width, uint32_t cores) {
    return ts_xp_align4(shape->S) * (ts_xp_align4(shape->E) + ts_xp_align4(shape->H * shape->P) +
                                     width * ts_xp_layer_group(shape, width) + 4 * cores);
}

static inline ts_xp_layer_memory ts_xp_layer_place(const ts_xp_layer *layer, const ts_team *team,
                                                   void *scratch) {
    const ts_shape *shape = &layer->shape;
    const uint32_t S = ts_xp_align4(shape->S), P = ts_xp_align4(shape->P);
    const uint32_t query = ts_xp_align4(layer->query_width), key = layer->key.weight ? P : 0;
    ts_xp_layer_memory m;
    m.group = ts_xp_layer_group(shape, query + key + P);
    m.query_head = S * query;
    m.key_head = S * key;
    m.value_head = S * P;
    m.input = scratch;
    m.context = m.input + S * ts_xp_align4(shape->E);
    m.queries = m.context + S * ts_xp_align4(shape->H * shape->P);
    m.keys = m.queries + m.group * m.query_head;
    m.values = m.keys + m.group * m.key_head;
    m.panel = (uint32_t *)(m.values + m.group * m.value_head) + S * team->core;
    return m;
}

/* A projection of the input panels by heads first .. first + heads - 1 of `linear`, without where
 * its output goes. */
static inline ts_xp_product ts_xp_projection(const ts_shape *shape, const void *panels,
                                             const ts_xp_linear *linear, uint32_t width,
                                             uint32_t first, uint32_t heads) {
    const uint32_t depth = ts_xp_align4(shape->E);
    return (ts_xp_product){
        .heads = heads,
        .rows = shape->S,
        .columns = width,
        .depth = depth,
        .left = panels,
        .left_tile = 4 * depth,
        .right = linear->weight + first * width * depth,
        .right_head = width * depth,
        .right_pitch = depth,
        .bias = linear->bias + first * width,
        .requant = ts_requant_from(linear->requant, first * width),
        .acc_bound = depth * 128 * 128,
    };
}

static inline void ts_xp_share_product(const ts_team *team, const ts_xp_product *product) {
    ts_xp_product_s8(product, ts_xp_share(team, ts_xp_units(product)));
}

/* Queries to row panels, zero-padded to words. Each of these functions has its own frame, so that
 * the stack holds one product at a time. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_project_queries(const ts_team *team, const ts_shape *shape, const void *panels,
                      const ts_xp_linear *linear, uint32_t width, uint32_t first, uint32_t heads,
                      int8_t *queries) {
    ts_xp_product product = ts_xp_projection(shape, panels, linear, width, first, heads);
    const uint32_t pitch = ts_xp_align4(width);
    product.output = queries;
    product.output_head = ts_xp_align4(shape->S) * pitch;
    product.output_row_tile = 4 * pitch;
    product.output_channel_tile = 16;
    product.output_word = 4;
    product.zero_padded = 1;
    ts_xp_share_product(team, &product);
}

/* Keys to rows, zero-padded to words. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_project_keys(const ts_team *team, const ts_xp_layer *layer, const ts_xp_layer_memory *m,
                   uint32_t first, uint32_t heads) {
    const ts_shape *shape = &layer->shape;
    ts_xp_product product = ts_xp_projection(shape, m->input, &layer->key, shape->P, first, heads);
    const uint32_t pitch = ts_xp_align4(shape->P);
    product.output = m->keys;
    product.output_head = m->key_head;
    product.output_row_tile = 4 * pitch;
    product.output_channel_tile = 4;
    product.output_word = pitch;
    product.zero_padded = 1;
    ts_xp_share_product(team, &product);
}

/* Values to one row per channel, align4(S) bytes apart. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_project_values(const ts_team *team, const ts_xp_layer *layer, const ts_xp_layer_memory *m,
                     uint32_t first, uint32_t heads) {
    const ts_shape *shape = &layer->shape;
    ts_xp_product product =
        ts_xp_projection(shape, m->input, &layer->value, shape->P, first, heads);
    const uint32_t pitch = ts_xp_align4(shape->S);
    product.output = m->values;
    product.output_head = m->value_head;
    product.output_row_tile = 4;
    product.output_channel_tile = 4 * pitch;
    product.output_word = pitch;
    product.transposed = 1;
    ts_xp_share_product(team, &product);
}

typedef struct {
    const ts_xp_layer *layer;
    const ts_xp_layer_memory *memory;
    uint32_t first; /* head of the group */
    ts_xp_product scores, context;
} ts_xp_layer_work;

static inline void ts_xp_layer_tile(void *context, const ts_xp_tile *tile) {
    ts_xp_layer_work *w = context;
    const ts_xp_layer *layer = w->layer;
    const ts_xp_layer_memory *m = w->memory;
    const uint32_t P = layer->shape.P, first_channel = (w->first + tile->head) * P;
    const int8_t *keys = layer->key.weight ? m->keys + tile->head * m->key_head : layer->input;
    const int8_t *queries = m->queries + tile->head * m->query_head;
    int8_t *output = m->context + tile->row * ts_xp_align4(layer->shape.H * P);

    ts_xp_scores(&w->scores, queries + tile->row * ts_xp_align4(layer->query_width), keys,
                 tile->rows, m->panel);
    ts_xp_softmax_panel(m->panel, tile->rows, layer->shape.S, &layer->table);
    w->context.rows = tile->rows;
    w->context.right = m->values + tile->head * m->value_head;
    w->context.requant = ts_requant_from(layer->context, first_channel);
    w->context.first_channel = first_channel;
    w->context.output = w->context.scattered ? output : output + 4 * first_channel;
    ts_xp_product_u8(&w->context, (ts_range){0, ts_ceil_div(P, 4)});
}

/* Scores, softmax and context of a group's heads, this core's tiles. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_layer_attention(const ts_team *team, const ts_xp_layer *layer, const ts_xp_layer_memory *m,
                      uint32_t first, uint32_t heads) {
    const ts_shape *shape = &layer->shape;
    const uint32_t S = ts_xp_align4(shape->S);
    const uint32_t depth = layer->key.weight ? ts_xp_align4(shape->P) : shape->E;
    ts_xp_layer_work w = {
        .layer = layer,
        .memory = m,
        .first = first,
        .scores = ts_xp_scores_product(shape->S, depth, depth, &layer->scores),
        .context =
            {
                .heads = 1,
                .columns = shape->P,
                .depth = S,
                .left = m->panel,
                .right_pitch = S,
                .acc_bound = 255 * 128, /* a softmax row sums up to at most 255 */
                .output_channel_tile = shape->P & 3 ? 0 : 16,
                .output_word = 4,
                .scattered = (shape->P & 3) != 0,
            },
    };
    ts_xp_for_tiles(team, heads, shape->S, ts_xp_layer_tile, &w);
}

static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_layer_output(const ts_team *team, const ts_xp_layer *layer, const ts_xp_layer_memory *m) {
    const ts_shape *shape = &layer->shape;
    const uint32_t depth = ts_xp_align4(shape->H * shape->P);
    const ts_xp_product product = {
        .heads = 1,
        .rows = shape->S,
        .columns = shape->E,
        .depth = depth,
        .left = m->context,
        .left_tile = 4 * depth,
        .right = layer->output.weight,
        .right_pitch = depth,
        .bias = layer->output.bias,
        .requant = layer->output.requant,
        .acc_bound = depth * 128 * 128,
        .output = layer->result,
        .output_row_tile = 4 * shape->E,
        .output_channel_tile = 4,
        .output_word = shape->E,
    };
    ts_xp_share_product(team, &product);
}

static inline void ts_xp_layer_run(const ts_team *team, const ts_xp_layer *layer, void *scratch) {
    const ts_shape *shape = &layer->shape;
    const ts_xp_layer_memory m = ts_xp_layer_place(layer, team, scratch);
    ts_xp_pack_panels(team, m.input, layer->input, shape->S, shape->E);
    ts_team_barrier(team);
    for (uint32_t first = 0; first < shape->H; first += m.group) {
        const uint32_t heads = ts_min(m.group, shape->H - first);
        ts_xp_project_queries(team, shape, m.input, &layer->query, layer->query_width, first, heads,
                              m.queries);
        if (layer->key.weight)
            ts_xp_project_keys(team, layer, &m, first, heads);
        ts_xp_project_values(team, layer, &m, first, heads);
        ts_team_barrier(team);
        ts_xp_layer_attention(team, layer, &m, first, heads);
        ts_team_barrier(team);
    }
    ts_xp_layer_output(team, layer, &m);
}

#endif
