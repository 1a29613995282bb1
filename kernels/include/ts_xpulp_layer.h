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

/* How the scratch memory is used: bytes from its start, the total last. With a key projection,
 * queries and keys have the channels of a group side by side in rows of `width` bytes (queries as
 * row panels), so that a head may begin within a word; without, each head has its own query
 * panels. */
typedef struct {
    uint32_t group, width; /* heads of a group */
    uint32_t context, queries, keys, values;
    uint32_t panels, cuts, bytes; /* one panel and one cut (ts_xp_cut_queries) per core */
} ts_xp_layer_plan;

/* Heads of a group: equal groups, as few as TS_XP_GROUP_BYTES allows. `width`: bytes of query, key
 * and value per row and head, each rounded up to 4. */
static inline uint32_t ts_xp_layer_group(const ts_shape *shape, uint32_t width) {
    const uint32_t bytes = shape->H * ts_xp_align4(shape->S) * width;
    return ts_ceil_div(shape->H, ts_min(shape->H, ts_ceil_div(bytes, TS_XP_GROUP_BYTES)));
}

/* Bytes of a cut: words of P channels that may begin within a word. */
static inline uint32_t ts_xp_cut_bytes(uint32_t P) { return P & 3 ? 4 * (ts_xp_align4(P) + 4) : 0; }

/* `query_width`: 0 with a key projection, else the width of the queries. */
static inline ts_xp_layer_plan ts_xp_plan_layer(const ts_shape *shape, uint32_t query_width,
                                                uint32_t cores) {
    const uint32_t S = ts_xp_align4(shape->S), P = ts_xp_align4(shape->P);
    const uint32_t query = ts_xp_align4(query_width);
    ts_xp_layer_plan plan;
    plan.group = ts_xp_layer_group(shape, query_width ? query + P : 3 * P);
    plan.width = ts_xp_align4(plan.group * shape->P);
    plan.context = S * ts_xp_align4(shape->E);
    plan.queries = plan.context + S * ts_xp_align4(shape->H * shape->P);
    plan.keys = plan.queries + S * (query_width ? plan.group * query : plan.width);
    plan.values = plan.keys + (query_width ? 0 : S * plan.width);
    plan.panels = plan.values + S * plan.width;
    plan.cuts = plan.panels + 4 * S * cores;
    plan.bytes = plan.cuts + (query_width ? 0 : cores * ts_xp_cut_bytes(shape->P));
    return plan;
}

typedef struct {
    uint32_t group, width;
    uint32_t query_head, query_row; /* bytes; a tile is four rows */
    int8_t *input, *context, *queries, *keys, *values;
    uint32_t *panel, *cut; /* of this core */
} ts_xp_layer_memory;

static inline ts_xp_layer_memory ts_xp_layer_place(const ts_xp_layer *layer, const ts_team *team,
                                                   int8_t *scratch) {
    const ts_shape *shape = &layer->shape;
    const int keys = layer->key.weight != NULL;
    const ts_xp_layer_plan plan =
        ts_xp_plan_layer(shape, keys ? 0 : layer->query_width, team->cores);
    const uint32_t S = ts_xp_align4(shape->S), query = ts_xp_align4(layer->query_width);
    return (ts_xp_layer_memory){
        .group = plan.group,
        .width = plan.width,
        .query_head = keys ? 4 * shape->P : S * query,
        .query_row = keys ? plan.width : query,
        .input = scratch,
        .context = scratch + plan.context,
        .queries = scratch + plan.queries,
        .keys = scratch + plan.keys,
        .values = scratch + plan.values,
        .panel = (uint32_t *)(scratch + plan.panels) + team->core * S,
        .cut = (uint32_t *)(scratch + plan.cuts) + team->core * (ts_xp_cut_bytes(shape->P) / 4),
    };
}

/* A projection of the input panels by heads first .. first + heads - 1 of `linear`, their channels
 * side by side, without where its output goes. The output has room for whole tiles. */
static inline ts_xp_product ts_xp_projection(const ts_shape *shape, const void *panels,
                                             const ts_xp_linear *linear, uint32_t width,
                                             uint32_t first, uint32_t heads) {
    const uint32_t depth = ts_xp_align4(shape->E);
    return (ts_xp_product){
        .heads = 1,
        .rows = ts_xp_whole_rows(shape->S),
        .columns = heads * width,
        .depth = depth,
        .left = panels,
        .left_tile = 4 * depth,
        .right = linear->weight + first * width * depth,
        .right_pitch = depth,
        .bias = linear->bias + first * width,
        .requant = ts_requant_from(linear->requant, first * width),
        .acc_bound = depth * 128 * 128,
    };
}

static inline void ts_xp_share_product(const ts_team *team, const ts_xp_product *product) {
    ts_xp_product_s8(product, ts_xp_share(team, ts_xp_units(product)));
}

/* Queries of a group of heads, each head with its own row panels. Each of these functions has its
 * own frame, so that the stack holds one product at a time. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_project_heads(const ts_team *team, const ts_shape *shape, const void *panels,
                    const ts_xp_linear *linear, uint32_t width, uint32_t first, uint32_t heads,
                    int8_t *queries) {
    ts_xp_product product = ts_xp_projection(shape, panels, linear, width, first, heads);
    const uint32_t pitch = ts_xp_align4(width);
    product.heads = heads;
    product.columns = width;
    product.right_head = width * product.depth;
    product.output = queries;
    product.output_head = ts_xp_align4(shape->S) * pitch;
    product.output_row_tile = 4 * pitch;
    product.output_channel_tile = 16;
    product.output_word = 4;
    ts_xp_share_product(team, &product);
}

/* Queries of a group of heads side by side, as row panels. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_project_queries(const ts_team *team, const ts_xp_layer *layer, const ts_xp_layer_memory *m,
                      uint32_t first, uint32_t heads) {
    const ts_shape *shape = &layer->shape;
    ts_xp_product product =
        ts_xp_projection(shape, m->input, &layer->query, shape->P, first, heads);
    product.output = m->queries;
    product.output_row_tile = 4 * m->width;
    product.output_channel_tile = 16;
    product.output_word = 4;
    ts_xp_share_product(team, &product);
}

/* Keys of a group of heads side by side, as rows. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_project_keys(const ts_team *team, const ts_xp_layer *layer, const ts_xp_layer_memory *m,
                   uint32_t first, uint32_t heads) {
    const ts_shape *shape = &layer->shape;
    ts_xp_product product = ts_xp_projection(shape, m->input, &layer->key, shape->P, first, heads);
    product.output = m->keys;
    product.output_row_tile = 4 * m->width;
    product.output_channel_tile = 4;
    product.output_word = m->width;
    ts_xp_share_product(team, &product);
}

/* Values of a group of heads, one row per channel, align4(S) bytes apart. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_project_values(const ts_team *team, const ts_xp_layer *layer, const ts_xp_layer_memory *m,
                     uint32_t first, uint32_t heads) {
    const ts_shape *shape = &layer->shape;
    ts_xp_product product =
        ts_xp_projection(shape, m->input, &layer->value, shape->P, first, heads);
    const uint32_t pitch = ts_xp_align4(shape->S);
    product.output = m->values;
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
    ts_xp_tile_product scores, context;
} ts_xp_layer_work;

/* The words of a tile's queries that hold the P channels from `first` on, other channels 0; returns
 * their number. */
static inline uint32_t ts_xp_cut_queries(uint32_t *cut, const uint32_t *panel, uint32_t first,
                                         uint32_t P) {
    const uint32_t begin = first & 3, end = begin + P, words = ts_ceil_div(end, 4);
    panel += first & ~3u;
    for (uint32_t k = 0; k < words; k++) {
        uint32_t mask = k ? ~0u : ~0u << (8 * begin);
        if (4 * k + 4 > end)
            mask &= (1u << (8 * (end & 3))) - 1;
        for (uint32_t i = 0; i < 4; i++)
            cut[4 * k + i] = panel[4 * k + i] & mask;
    }
    return words;
}

/* Scores of one tile into the core's panel. */
static inline void ts_xp_layer_scores(ts_xp_layer_work *w, const ts_xp_tile *tile) {
    const ts_xp_layer *layer = w->layer;
    const ts_xp_layer_memory *m = w->memory;
    const uint32_t P = layer->shape.P, first = tile->head * P;
    const int8_t *queries = m->queries + tile->row * m->query_row;
    const int8_t *keys = layer->input;
    if (!layer->key.weight) {
        queries += tile->head * m->query_head;
    } else if (P & 3) {
        w->scores.product.depth =
            4 * ts_xp_cut_queries(m->cut, (const uint32_t *)queries, first, P);
        queries = (const int8_t *)m->cut;
        keys = m->keys + (first & ~3u);
    } else {
        queries += tile->head * m->query_head;
        keys = m->keys + first;
    }
    ts_xp_scores(&w->scores, queries, keys, tile->rows, m->panel);
}

static inline void ts_xp_layer_tile(void *context, const ts_xp_tile *tile) {
    ts_xp_layer_work *w = context;
    const ts_xp_layer *layer = w->layer;
    const ts_xp_layer_memory *m = w->memory;
    const uint32_t P = layer->shape.P, first_channel = (w->first + tile->head) * P;
    int8_t *output = m->context + tile->row * ts_xp_align4(layer->shape.H * P);

    ts_xp_layer_scores(w, tile);
    ts_xp_softmax_panel(m->panel, tile->rows, layer->shape.S, &layer->table);
    ts_xp_product *product = &w->context.product;
    product->rows = ts_xp_whole_rows(tile->rows);
    product->right = m->values + tile->head * P * product->right_pitch;
    product->requant = ts_requant_from(layer->context, first_channel);
    product->first_channel = first_channel;
    product->output = product->scattered ? output : output + 4 * first_channel;
    ts_xp_tile_run(&w->context, 1);
}

/* Scores, softmax and context of a group's heads, this core's tiles. */
static TS_XP_NOINLINE __attribute__((unused)) void
ts_xp_layer_attention(const ts_team *team, const ts_xp_layer *layer, const ts_xp_layer_memory *m,
                      uint32_t first, uint32_t heads) {
    const ts_shape *shape = &layer->shape;
    const uint32_t S = ts_xp_align4(shape->S), E = shape->E, P = shape->P;
    ts_xp_layer_work w = {.layer = layer, .memory = m, .first = first};
    if (layer->key.weight)
        ts_xp_scores_prepare(&w.scores, S, ts_xp_align4(P), m->width, &layer->scores);
    else
        ts_xp_scores_prepare(&w.scores, shape->S, E, E, &layer->scores);
    w.context.product = (ts_xp_product){
        .heads = 1,
        .columns = P,
        .depth = S,
        .left = m->panel,
        .right_pitch = S,
        .requant = layer->context,
        .acc_bound = 255 * 128, /* a softmax row sums up to at most 255 */
        .output_channel_tile = P & 3 ? 0 : 16,
        .output_word = 4,
        .scattered = (P & 3) != 0,
    };
    ts_xp_tile_prepare(&w.context);
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
        if (layer->key.weight) {
            ts_xp_project_queries(team, layer, &m, first, heads);
            ts_xp_project_keys(team, layer, &m, first, heads);
        } else {
            ts_xp_project_heads(team, shape, m.input, &layer->query, layer->query_width, first,
                                heads, m.queries);
        }
        ts_xp_project_values(team, layer, &m, first, heads);
        ts_team_barrier(team);
        ts_xp_layer_attention(team, layer, &m, first, heads);
        ts_team_barrier(team);
    }
    ts_xp_layer_output(team, layer, &m);
}

#endif
