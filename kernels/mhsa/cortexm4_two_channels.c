// SPDX-License-Identifier: Apache-2.0
#include "cortexm4_state.h"

/* Two heads' weights to a tile of four channels; run for all pairs of rows, results `item` words on
 * for a pair and `jump` more for every second one. */
static __attribute__((noinline)) ts_m4_requant project(const ts_m4_state *t,
                                                       const ts_m4_linear *linear,
                                                       ts_m4_finish finish, uint32_t *out,
                                                       uint32_t item, uint32_t jump) {
    const uint32_t steps = ts_m4_pairs(t->E), heads = t->layer->shape.H;
    const uint32_t *from = (const uint32_t *)(const void *)linear->weight;
    for (uint32_t h = 0; h < heads; h++) {
        uint32_t *to = t->b.all_weights + h / 2 * 4 * steps + h % 2 * 2;
        for (uint32_t k = 0; k < steps; k++, from += 4, to += 4) {
            to[0] = from[0];
            to[1] = from[1];
        }
    }
    const ts_m4_product product = {
        .panel = t->b.all_weights,
        .vectors = 2 * heads,
        .steps = steps,
        .begin = TS_M4_BIAS,
        .start = linear->bias,
        .finish = finish,
        .stride = 16 * t->pairs,
        .requant = ts_m4_prepare(&linear->requant, 0, 2 * heads,
                                 ((uint64_t)t->E << 14) + t->largest_bias, t->b.factors),
        .sums = t->b.sums,
    };
    if (product.requant.fast)
        ts_m4_run_pairs(&product, t->b.x, ts_m4_x_step(t->E), 0, t->pairs, (uint8_t *)out, 4 * item,
                        1, 4 * jump);
    return product.requant;
}

/* Head h's keys, and its values as [step][2]. */
static void take_head(const ts_m4_state *t, uint32_t h) {
    const uint32_t heads = t->layer->shape.H;
    const uint32_t *key = t->b.all_keys + 4 * h;
    const uint32_t *value = t->b.all_values + h / 2 * 4 * t->pairs + h % 2 * 2;
    for (uint32_t i = 0; i < ts_m4_up4(t->S); i += 4, key += 4 * heads)
        for (uint32_t k = 0; k < 4; k++)
            t->b.key[i + k] = key[k];
    for (uint32_t i = 0; i < t->pairs; i++, value += 4) {
        t->b.value[2 * i] = value[0];
        t->b.value[2 * i + 1] = value[1];
    }
}

static int plain(const ts_m4_requant *ready) {
    return ready->fast && ready->narrow && !ready->requant.round_half_up &&
           !ready->requant.per_channel;
}

static __attribute__((noinline)) void attend(const ts_m4_state *t, ts_m4_ready *scores,
                                             ts_m4_ready *context) {
    const uint32_t heads = t->layer->shape.H, step = ts_m4_context_step(&t->layer->shape);
    for (uint32_t h = 0; h < heads; h++) {
        take_head(t, h);
        for (uint32_t i = 0; i < t->pairs; i++) {
            ts_m4_run(scores, t->b.all_queries + 2 * (i * heads + h), t->b.scores);
            ts_m4_softmax_rows(t, ts_min(2, t->S - 2 * i));
            ts_m4_run(context, t->b.map, t->b.context + i * step + 2 * h);
        }
    }
}

int ts_m4_two_channels(const ts_m4_state *t) {
    enum { STEP_BYTES = 32 };
    const ts_m4_attention *layer = t->layer;
    const uint32_t heads = layer->shape.H;
    const ts_m4_product scores = {
        .panel = t->b.key,
        .vectors = ts_m4_up4(t->S),
        .steps = 1,
        .finish = TS_M4_SCORES,
        .requant = ts_m4_prepare(&layer->scores, 0, 0, 2 << 14, NULL),
    };
    ts_m4_product context = {
        .panel = t->b.value,
        .vectors = 4,
        .steps = t->pairs,
        .finish = TS_M4_STATIONARY,
    };
    if (!ts_m4_has_two_channels(layer) || layer->context.per_channel ||
        layer->query.requant.per_channel || layer->key.requant.per_channel ||
        layer->value.requant.per_channel)
        return 0;
    context.requant = ts_m4_prepare(&layer->context, 0, 0, 255 * 128, NULL);
    if (!plain(&scores.requant) || !plain(&context.requant))
        return 0;
    ts_m4_ready s = ts_m4_ready_of(&scores), c = ts_m4_ready_of(&context);
    s.code = ts_m4_single_zero_scores;
    c.code = ts_m4_long_two;
    c.edge = 2 * t->pairs;
    c.call.entry = (uintptr_t)ts_m4_long_two_end - STEP_BYTES * ((t->pairs - 1) % 16 + 1);
    const ts_m4_requant q =
        project(t, &layer->query, TS_M4_STATIONARY, t->b.all_queries, 2 * heads, 0);
    const ts_m4_requant k =
        project(t, &layer->key, TS_M4_STREAMED, t->b.all_keys, 2, 4 * heads - 4);
    const ts_m4_requant v = project(t, &layer->value, TS_M4_ACROSS, t->b.all_values, 4, 0);
    if (!q.fast || !k.fast || !v.fast)
        return 0;
    attend(t, &s, &c);
    return 1;
}
