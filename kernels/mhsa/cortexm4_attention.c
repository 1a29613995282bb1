// SPDX-License-Identifier: Apache-2.0
#include "cortexm4_state.h"
#include "ts_m4_panels.h"
#include "ts_m4_rows.h"
#include "ts_m4_softmax.h"
#include "ts_softmax.h"

/* Steps of the output projection that a head has a part in: of odd P, odd heads start and even ones
 * end in the middle of a step. */
static uint32_t first_step(uint32_t h, uint32_t P) { return h * P / 2; }
static uint32_t head_steps(uint32_t h, uint32_t P) {
    return ts_m4_pairs((h + 1) * P) - first_step(h, P);
}

static void *take(uint8_t **at, uint32_t bytes) {
    void *place = *at;
    *at += bytes;
    return place;
}

/* Whether all rows of the input exist as panels at once. */
static int keeps_input(const ts_m4_attention *layer) { return !layer->accumulate || layer->expand; }

/* What is dead before the first row of the result is written. */
static void lay_out_small(const ts_m4_attention *layer, uint8_t **at, ts_m4_buffers *b) {
    const ts_shape *s = &layer->shape;
    const uint32_t pairs = ts_m4_pairs(s->S), P4 = ts_m4_up4(s->P), S4 = ts_m4_up4(s->S);
    const uint32_t widest = ts_m4_max(ts_m4_up4(layer->width), P4);
    take(at, TS_M4_LEAD);
    b->x = take(at, 4 * (keeps_input(layer) ? pairs : 1) * ts_m4_x_step(s->E));
    b->query = take(at, 4 * widest);
    b->map = take(at, 8 * pairs);
    b->one = take(at, 8 * P4 + 16);
    b->scores = take(at, 32 * ts_ceil_div(s->S, 16));
    b->sums = take(at, 8 * ts_m4_max(ts_m4_max(S4, ts_m4_up4(s->E)), widest));
    b->bias = take(at, 4 * widest);
    b->factors = take(at, 4 * widest);
    b->context_factors = take(at, 4 * P4);
}

/* Bytes of scratch. Where the result is written last of all, it holds what is small. */
static uint32_t lay_out(const ts_m4_attention *layer, uint8_t *scratch, ts_m4_buffers *b) {
    const ts_shape *s = &layer->shape;
    const uint32_t pairs = ts_m4_pairs(s->S), E4 = ts_m4_up4(s->E);
    const uint32_t steps = ts_m4_pairs(s->P),
                   widest = ts_m4_max(ts_m4_up4(layer->width), ts_m4_up4(s->P));
    uint8_t *at = NULL;
    lay_out_small(layer, &at, b);
    const uint32_t small = (uint32_t)(uintptr_t)at;
    const int in_result = layer->accumulate && small + 3 <= s->S * s->E;
    at = scratch;
    take(&at, in_result ? TS_M4_LEAD : 0);
    uint8_t *place =
        in_result ? (uint8_t *)(((uintptr_t)layer->result + 3) & ~(uintptr_t)3) : take(&at, small);
    lay_out_small(layer, &place, b);
    /* A tile of two or fewer channels writes a step too many. */
    b->key = take(&at, 4 * ts_m4_up4(s->S) * ts_m4_pairs(layer->width) + 16);
    b->value = take(&at, 4 * pairs * ts_m4_up4(s->P));
    b->context = take(&at, layer->accumulate ? 0 : 4 * pairs * ts_m4_context_step(s));
    b->all_sums = take(&at, layer->accumulate ? 8 * E4 * pairs : 0);
    b->rows = take(&at, layer->accumulate ? 0 : 2 * E4);
    b->o_bias = take(&at, 4 * E4);
    b->o_factors = take(&at, 4 * E4);
    b->panel = take(&at, layer->expand ? 4 * widest * ts_m4_pairs(s->E) : 0);
    const uint32_t two = ts_m4_has_two_channels(layer) ? 4 * s->H : 0;
    b->all_weights = take(&at, two * 2 * ts_m4_pairs(s->E));
    b->all_queries = take(&at, two * 2 * pairs);
    b->all_values = take(&at, two * 2 * pairs);
    b->all_keys = take(&at, two * ts_m4_up4(s->S));
    b->o_panel = take(&at, layer->expand ? 4 * E4 * steps : 0);
    return (uint32_t)(at - scratch);
}

uint32_t ts_m4_attention_bytes(const ts_m4_attention *layer) {
    ts_m4_buffers b;
    return lay_out(layer, NULL, &b);
}

/* Rows 2i and 2i + 1 of the input as a stationary panel. */
static inline const uint32_t *x_pair(const ts_m4_state *t, uint32_t i) {
    if (t->x_step)
        return t->b.x + i * t->x_step;
    ts_m4_expand_pair(t->layer->input, 2 * i, t->S, t->E, t->b.x);
    return t->b.x;
}

/* A product that every head has, made ready once a call: a head changes what to_head says. */
typedef struct {
    ts_m4_product product;
    ts_m4_ready ready;
} stage;

typedef struct {
    stage key, value, query, scores, context;
} stages;

/* With one multiplier for all channels of all heads; otherwise to_channels does it. */
static void make_ready(stage *s, const ts_requant *requant, uint32_t channels, uint64_t bound) {
    if (requant->per_channel)
        return;
    s->product.requant = ts_m4_prepare(requant, 0, channels, bound, NULL);
    ts_m4_make_ready(&s->product, &s->ready);
}

/* A projection of the input to `width` channels a head, as head 0 has it. */
static void describe_projection(const ts_m4_state *t, const ts_m4_linear *linear, uint32_t width,
                                ts_m4_finish finish, uint32_t stride, stage *s) {
    ts_m4_product *p = &s->product;
    p->panel = t->layer->expand ? (const void *)t->b.panel : linear->weight;
    p->vectors = ts_m4_up4(width);
    p->steps = ts_m4_pairs(t->E);
    p->begin = TS_M4_BIAS;
    p->start = linear->bias;
    p->finish = finish;
    p->stride = stride;
    p->sums = t->b.sums;
    make_ready(s, &linear->requant, width, ((uint64_t)t->E << 14) + t->largest_bias);
}

/* A head's channels of a requantisation that has one multiplier for each of them. */
static void to_channels(stage *s, const ts_requant *requant, uint32_t channel, uint32_t channels,
                        int32_t *factors) {
    s->product.requant = ts_m4_prepare(requant, channel, channels, 0, factors);
    ts_m4_make_ready(&s->product, &s->ready);
}

/* A projection for head h. */
static void to_head(const ts_m4_state *t, const ts_m4_linear *linear, uint32_t width, uint32_t h,
                    stage *s) {
    const uint32_t E = t->E, channel = h * width;
    s->product.start = ts_m4_whole_tiles(linear->bias + channel, width, t->b.bias);
    if (t->layer->expand)
        ts_m4_expand_tiles(linear->weight + channel * E, E, width, E, t->b.panel);
    else
        s->product.panel = linear->weight + 4 * h * s->product.vectors * s->product.steps;
    if (linear->requant.per_channel) {
        to_channels(s, &linear->requant, channel, width, t->b.factors);
        return;
    }
    ts_m4_call *call = &s->ready.call;
    call->in = s->product.start;
    call->end += (const uint8_t *)s->product.panel - call->stream;
    call->stream = s->product.panel;
}

/* What all heads have in common. */
static __attribute__((noinline)) void describe(const ts_m4_state *t, stages *all) {
    const ts_m4_attention *layer = t->layer;
    if (layer->key.weight)
        describe_projection(t, &layer->key, t->width, TS_M4_STREAMED, 0, &all->key);
    describe_projection(t, &layer->value, t->P, TS_M4_ACROSS, 16 * t->pairs, &all->value);
    describe_projection(t, &layer->query, t->width, TS_M4_STATIONARY, 0, &all->query);
    all->scores.product = (ts_m4_product){
        .panel = t->b.key,
        .vectors = ts_m4_up4(t->S),
        .steps = ts_m4_pairs(t->width),
        .finish = TS_M4_SCORES,
        .sums = t->b.sums,
    };
    all->context.product = (ts_m4_product){
        .panel = t->b.value,
        .vectors = ts_m4_up4(t->P),
        .steps = t->pairs,
        .finish = TS_M4_STATIONARY,
        .sums = t->b.sums,
    };
    make_ready(&all->scores, &layer->scores, 0, (uint64_t)t->width << 14);
    /* A row of the map adds up to 255 at most. */
    make_ready(&all->context, &layer->context, t->P, 255 * 128);
}

/* Keys as a streamed panel of rows. */
static __attribute__((noinline)) void make_key(const ts_m4_state *t, uint32_t h, stage *key) {
    to_head(t, &t->layer->key, t->width, h, key);
    const uint32_t tile = 4 * ts_m4_pairs(t->width);
    for (uint32_t i = 0; i < t->pairs; i++)
        ts_m4_run(&key->ready, x_pair(t, i), t->b.key + i / 2 * tile + i % 2 * 2);
}

/* Values as a streamed panel of channels. */
static __attribute__((noinline)) void make_value(const ts_m4_state *t, uint32_t h, stage *value) {
    to_head(t, &t->layer->value, t->P, h, value);
    for (uint32_t i = 0; i < t->pairs; i++)
        ts_m4_run(&value->ready, x_pair(t, i), t->b.value + 4 * i);
}

/* Any table: a row as it is defined, by way of `row` [S]. */
static void softmax_by_definition(const ts_m4_state *t, const uint8_t *scores, uint32_t *map,
                                  uint8_t *row) {
    for (uint32_t i = 0; i < t->S; i++)
        row[i] = scores[i / 4 * 8 + i % 4] ^ 0x80u;
    ts_softmax_row((const int8_t *)row, row, t->S, &t->layer->table);
    ts_m4_expand_u8(row, t->S, map, 2);
}

/* Scores of one or two rows to a stationary panel of the map. Columns that are padding must not be
 * the largest. */
void ts_m4_softmax_rows(const ts_m4_state *t, uint32_t rows) {
    uint8_t *scores = t->b.scores;
    if (t->S % 4) {
        uint32_t *last = (uint32_t *)(void *)scores + t->S / 4 * 2;
        const uint32_t mask = (1u << 8 * (t->S % 4)) - 1;
        last[0] &= mask;
        last[1] &= mask;
    }
    for (uint32_t r = 0; r < rows; r++) {
        if (t->layer->table.max <= 255u)
            ts_m4_softmax_pairs(scores + 4 * r, t->S, ts_m4_reversed(t->layer->table.entries),
                                t->b.map + r);
        else
            softmax_by_definition(t, scores + 4 * r, t->b.map + r, (uint8_t *)t->b.sums);
    }
}

/* The context of an odd head of odd P, from the middle of `to`'s first step on; the halves of steps
 * that are another head's stay (`keep`) or are 0. */
static void shift_context(const uint32_t *from, uint32_t P, uint32_t odd, int keep, uint32_t *to) {
    const int16_t *values = (const int16_t *)(const void *)from;
    int16_t *out = (int16_t *)(void *)to;
    for (uint32_t k = 0; k < 2 * ts_m4_pairs(odd + P); k++) {
        const uint32_t p = k - odd;
        if (p >= P && keep)
            continue;
        for (uint32_t row = 0; row < 2; row++)
            out[k / 2 * 4 + k % 2 + 2 * row] =
                (int16_t)(p < P ? values[p / 2 * 4 + p % 2 + 2 * row] : 0);
    }
}

/* Head h's part of the output projection: sums from its context on. */
static ts_m4_product head_output(const ts_m4_state *t, uint32_t h) {
    const ts_m4_attention *layer = t->layer;
    const uint32_t depth = layer->shape.H * t->P, all = ts_m4_pairs(depth);
    const uint32_t expand = layer->expand;
    const uint32_t steps = expand ? ts_m4_pairs(t->P) : head_steps(h, t->P);
    const uint8_t *panel = (const uint8_t *)layer->output.weight + 16 * first_step(h, t->P);
    if (expand)
        ts_m4_expand_tiles(layer->output.weight + h * t->P, depth, t->E, t->P, t->b.o_panel);
    return (ts_m4_product){
        .panel = expand ? (const void *)t->b.o_panel : panel,
        .vectors = ts_m4_up4(t->E),
        .steps = steps,
        .begin = h ? TS_M4_MORE : TS_M4_BIAS,
        .start = t->o_start,
        .finish = TS_M4_SUMS,
        .stride = expand ? 0 : 16 * (all - steps),
    };
}

/* Head h's context of pair i from `one` to where the output projection reads it. */
static const uint32_t *move_context(const ts_m4_state *t, uint32_t h, uint32_t i) {
    const uint32_t P = t->P, odd = h * P % 2;
    if (t->layer->expand || P % 2 == 0)
        return t->b.one;
    uint32_t *to = t->b.one + ts_m4_up4(P);
    if (!t->layer->accumulate)
        to = t->b.context + i * ts_m4_context_step(&t->layer->shape) + 2 * first_step(h, P);
    shift_context(t->b.one, P, odd, !t->layer->accumulate, to);
    return to;
}

/* Head h from its keys and values on. */
static __attribute__((noinline)) void attend(const ts_m4_state *t, uint32_t h, stages *all) {
    const ts_m4_attention *layer = t->layer;
    const ts_m4_buffers *b = &t->b;
    const int direct = !layer->accumulate && t->P % 2 == 0;
    const uint32_t step = ts_m4_context_step(&layer->shape);
    to_head(t, &layer->query, t->width, h, &all->query);
    if (layer->context.per_channel)
        to_channels(&all->context, &layer->context, h * t->P, t->P, b->context_factors);
    stage output;
    if (layer->accumulate) {
        output.product = head_output(t, h);
        ts_m4_make_ready(&output.product, &output.ready);
    }
    uint32_t *to = b->context + h * t->P;
    for (uint32_t i = 0; i < t->pairs; i++, to += step) {
        ts_m4_run(&all->query.ready, x_pair(t, i), b->query);
        ts_m4_run(&all->scores.ready, b->query, b->scores);
        ts_m4_softmax_rows(t, ts_min(2, t->S - 2 * i));
        ts_m4_run(&all->context.ready, b->map, direct ? to : b->one);
        if (direct)
            continue;
        const uint32_t *from = move_context(t, h, i);
        if (layer->accumulate)
            ts_m4_run(&output.ready, from, b->all_sums + i * 2 * ts_m4_up4(t->E));
    }
}

/* Head by head. */
static __attribute__((noinline)) void heads(const ts_m4_state *t) {
    stages all;
    describe(t, &all);
    for (uint32_t h = 0; h < t->layer->shape.H; h++) {
        if (t->layer->key.weight)
            make_key(t, h, &all.key);
        make_value(t, h, &all.value);
        attend(t, h, &all);
    }
}

/* The context of all heads times the output weights. */
static void project_output(const ts_m4_state *t) {
    const ts_m4_attention *layer = t->layer;
    const ts_shape *s = &layer->shape;
    const uint32_t E = s->E, depth = s->H * s->P, E4 = ts_m4_up4(E);
    const uint64_t bound = ((uint64_t)depth << 14) + ts_m4_largest(layer->output.bias, E);
    ts_m4_product p = {
        .panel = layer->output.weight,
        .vectors = E4,
        .steps = ts_m4_pairs(depth),
        .begin = TS_M4_BIAS,
        .start = t->o_start,
        .finish = TS_M4_ROWS,
        .stride = E4,
        .requant = ts_m4_prepare(&layer->output.requant, 0, E, bound, t->b.o_factors),
        .sums = t->b.sums,
    };
    ts_m4_ready ready = ts_m4_ready_of(&p);
    for (uint32_t row = 0; row < s->S; row += 2) {
        const int direct = E == E4 && row + 1 < s->S;
        uint8_t *out = (uint8_t *)layer->result + row * E;
        ts_m4_run(&ready, t->b.context + row / 2 * ts_m4_context_step(s), direct ? out : t->b.rows);
        if (!direct)
            ts_m4_copy_rows(t->b.rows, E4, ts_min(2, s->S - row), E, out, E);
    }
}

/* The results of the output's sums. */
static void finish_sums(const ts_m4_state *t) {
    const ts_m4_attention *layer = t->layer;
    const ts_requant *requant = &layer->output.requant;
    const uint32_t E = t->E, E4 = ts_m4_up4(E);
    const ts_m4_requant ready = ts_m4_prepare(requant, 0, E, 0, t->b.o_factors);
    const int64_t half = requant->round_half_up ? (int64_t)1 << 31 : 0;
    if (!requant->per_channel)
        for (uint32_t e = 0; e < E4; e++)
            t->b.o_factors[e] = (int32_t)(uintptr_t)ready.factors;
    for (uint32_t row = 0; row < t->S; row++) {
        const int32_t *sums = t->b.all_sums + row / 2 * 2 * E4 + row % 2 * 4;
        int8_t *out = layer->result + row * E;
        for (uint32_t e = 0; e < E; e++) {
            const int32_t sum = sums[e / 4 * 8 + e % 4];
            out[e] = ready.fast ? ts_clip_int8(((int64_t)sum * t->b.o_factors[e] + half) >> 32)
                                : ts_requantize(requant, e, sum);
        }
    }
}

void ts_m4_attention_run(const ts_m4_attention *layer, void *scratch) {
    const ts_shape *s = &layer->shape;
    ts_m4_state t = {
        .layer = layer,
        .S = s->S,
        .E = s->E,
        .P = s->P,
        .width = layer->width,
        .pairs = ts_m4_pairs(s->S),
        .x_step = keeps_input(layer) ? ts_m4_x_step(s->E) : 0,
        .largest_bias = ts_m4_largest(layer->query.bias, s->H * layer->width) |
                        ts_m4_largest(layer->value.bias, s->H * s->P),
    };
    lay_out(layer, scratch, &t.b);
    t.o_start = ts_m4_whole_tiles(layer->output.bias, t.E, t.b.o_bias);
    if (layer->key.weight)
        t.largest_bias |= ts_m4_largest(layer->key.bias, s->H * layer->width);
    else
        ts_m4_expand_tiles(layer->input, t.E, t.S, t.E, t.b.key);
    for (uint32_t i = 0; i < t.pairs && t.x_step; i++)
        ts_m4_expand_pair(layer->input, 2 * i, t.S, t.E, t.b.x + i * t.x_step);
    for (uint32_t i = 0; i < 8 * ts_ceil_div(t.S, 16); i++)
        ((uint32_t *)(void *)t.b.scores)[i] = 0;
    if (!ts_m4_two_channels(&t))
        heads(&t);
    if (layer->accumulate)
        finish_sums(&t);
    else
        project_output(&t);
}
