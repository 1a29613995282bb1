// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4. The output [H, P, S] has the channels of all heads behind each other:
 * where a head is no whole number of tiles but short, a panel of all heads is made first. Four rows
 * of the sequence at a time are multiplied, then stored across. Scratch: the input as stationary
 * panels, four rows of results, biases, multipliers, that panel. */
#include "linear_v.h"
#include "ts_m4_panels.h"
#include "ts_m4_product.h"
#include "ts_m4_single.h"

enum { ROWS = 4, SHORT_HEAD = 8 };

/* In bytes from the scratch's start; channels that are one product. */
typedef struct {
    uint32_t channels, x, factors, bias, sums, rows, panel, bytes;
} places;

static int repacks(const ts_shape *s) { return s->P % 4 && s->P < SHORT_HEAD && s->S >= ROWS; }

static places place(const ts_shape *s) {
    const uint32_t steps = ts_m4_pairs(s->E);
    places p = {.channels = repacks(s) || s->P % 4 == 0 ? s->H * s->P : s->P, .x = TS_M4_LEAD};
    const uint32_t width = ts_m4_up4(p.channels);
    p.factors = p.x + 8 * ts_ceil_div(s->S, 2) * steps;
    p.bias = p.factors + 4 * width;
    p.sums = p.bias + 4 * width;
    p.rows = p.sums + 8 * width;
    p.panel = p.rows + ROWS * width;
    p.bytes = p.panel + (repacks(s) ? 4 * width * steps : 0);
    return p;
}

uint32_t ts_linear_v_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return place(shape).bytes;
}

/* A row of a streamed panel. */
static inline void copy_row(const uint32_t *from, uint32_t steps, uint32_t *to) {
    for (; steps >= 4; steps -= 4, from += 16, to += 16) {
        const uint32_t a = from[0], b = from[4], c = from[8], d = from[12];
        to[0] = a;
        to[4] = b;
        to[8] = c;
        to[12] = d;
    }
    for (; steps > 0; steps--, from += 4, to += 4)
        *to = *from;
}

/* Every head's channels to one panel; missing ones of its last tile are 0. */
static __attribute__((noinline)) void repack(const ts_shape *s, const uint32_t *weight,
                                             uint32_t *panel) {
    const uint32_t steps = ts_m4_pairs(s->E), channels = s->H * s->P, head = ts_m4_up4(s->P);
    for (uint32_t c = 0; c < ts_m4_up4(channels); c++) {
        const uint32_t h = c / s->P, p = c % s->P;
        const uint32_t *from = weight + (h * head + p / 4 * 4) * steps + p % 4;
        uint32_t *to = panel + c / 4 * 4 * steps + c % 4;
        if (c < channels)
            copy_row(from, steps, to);
        else
            for (uint32_t k = 0; k < steps; k++)
                to[4 * k] = 0;
    }
}

/* Four bytes of each of four rows, to four bytes of each of four columns. */
static void transpose(const uint8_t *rows, uint32_t width, int8_t *output, uint32_t pitch) {
    const uint32_t mask = 0x00FF00FFu;
    const uint32_t a = ts_load4(rows), b = ts_load4(rows + width);
    const uint32_t c = ts_load4(rows + 2 * width), d = ts_load4(rows + 3 * width);
    const uint32_t even_ab = (a & mask) | (b & mask) << 8, odd_ab = (a >> 8 & mask) | (b & ~mask);
    const uint32_t even_cd = (c & mask) | (d & mask) << 8, odd_cd = (c >> 8 & mask) | (d & ~mask);
    ts_store4(output, ts_m4_low_pair(even_ab, even_cd));
    ts_store4(output + pitch, ts_m4_low_pair(odd_ab, odd_cd));
    ts_store4(output + 2 * pitch, ts_m4_high_pair(even_ab, even_cd));
    ts_store4(output + 3 * pitch, ts_m4_high_pair(odd_ab, odd_cd));
}

/* `count` rows of `channels` to columns of `output`. */
static __attribute__((noinline)) void store_across(const uint8_t *rows, uint32_t count,
                                                   uint32_t channels, int8_t *output,
                                                   uint32_t pitch) {
    const uint32_t width = ts_m4_up4(channels);
    uint32_t channel = 0;
    for (; count == ROWS && channel + 4 <= channels; channel += 4)
        transpose(rows + channel, width, output + channel * pitch, pitch);
    for (; channel < channels; channel++)
        for (uint32_t row = 0; row < count; row++)
            output[channel * pitch + row] = (int8_t)rows[row * width + channel];
}

/* Channels from `first` on, whose weights are `panel`. */
static void project(const ts_linear_v_args *args, const places *p, uint32_t first,
                    const void *panel, int32_t *scratch) {
    const uint32_t S = args->shape.S, E = args->shape.E, channels = p->channels;
    const uint32_t width = ts_m4_up4(channels), pair = 2 * ts_m4_pairs(E);
    const int32_t *bias = args->bias + first;
    const uint64_t bound = ((uint64_t)E << 14) + ts_m4_largest(bias, channels);
    const uint32_t *x = (uint32_t *)scratch + p->x / 4;
    uint8_t *rows = (uint8_t *)scratch + p->rows;
    const ts_m4_product product = {
        .panel = panel,
        .vectors = width,
        .steps = ts_m4_pairs(E),
        .begin = TS_M4_BIAS,
        .start = ts_m4_whole_tiles(bias, channels, scratch + p->bias / 4),
        .finish = TS_M4_ROWS,
        .stride = width,
        .requant = ts_m4_prepare(&args->requant, first, channels, bound, scratch + p->factors / 4),
        .sums = scratch + p->sums / 4,
    };
    ts_m4_ready ready = ts_m4_ready_of(&product);
    for (uint32_t row = 0; row < S; row += ROWS) {
        const uint32_t count = ts_min(ROWS, S - row);
        for (uint32_t i = 0; i < count; i += 2)
            ts_m4_run(&ready, x + (row + i) / 2 * pair, rows + i * width);
        store_across(rows, count, channels, args->output + first * S + row, S);
    }
}

void ts_linear_v_cortexm4(const ts_team *team, const ts_linear_v_args *args, void *scratch) {
    if (team->core != 0)
        return;
    const ts_shape *s = &args->shape;
    const places p = place(s);
    const uint32_t steps = ts_m4_pairs(s->E);
    uint32_t *words = scratch;
    if (s->S == 1) {
        const ts_m4_single layer = {args->weight, args->bias, &args->requant, s->H, s->P, s->E};
        ts_m4_expand(args->input, s->E, words, 1);
        ts_m4_single_run(&layer, words, args->output);
        return;
    }
    const uint32_t *panel = (const uint32_t *)(const void *)args->weight;
    for (uint32_t row = 0; row < s->S; row += 2)
        ts_m4_expand_pair(args->input, row, s->S, s->E, words + p.x / 4 + row * steps);
    if (repacks(s)) {
        repack(s, panel, words + p.panel / 4);
        panel = words + p.panel / 4;
    }
    for (uint32_t first = 0; first < s->H * s->P; first += p.channels) {
        project(args, &p, first, panel, scratch);
        panel += ts_m4_up4(p.channels) * steps;
    }
}
