// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4. Two rows at a time go through both layers: their hidden values are
 * made as the stationary panel that the second layer reads, and GELU is applied to it in place.
 * Scratch: two rows of the input and of the hidden values as panels, biases and multipliers. */
#include "ffn.h"
#include "ts_m4_panels.h"
#include "ts_m4_pointwise.h"
#include "ts_m4_product.h"
#include "ts_m4_rows.h"
#include "ts_m4_single.h"

/* In bytes from the scratch's start. */
typedef struct {
    uint32_t hidden, x, up_factors, up_bias, down_factors, down_bias, sums, rows, bytes;
} places;

static places place(const ts_shape *s) {
    const uint32_t E = ts_m4_up4(s->E), F = ts_m4_up4(s->F);
    places p = {.hidden = TS_M4_LEAD};
    p.x = p.hidden + 4 * F;
    p.up_factors = p.x + 4 * E;
    p.up_bias = p.up_factors + 4 * F;
    p.down_factors = p.up_bias + 4 * F;
    p.down_bias = p.down_factors + 4 * E;
    p.sums = p.down_bias + 4 * E;
    p.rows = p.sums + 8 * (E > F ? E : F);
    p.bytes = p.rows + 2 * E;
    return p;
}

uint32_t ts_ffn_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return place(shape).bytes;
}

/* A layer of `outputs` channels from `inputs` values. */
static ts_m4_product layer(const int8_t *weight, const int32_t *bias, const ts_requant *requant,
                           uint32_t inputs, uint32_t outputs, int32_t *factors, int32_t *room) {
    const uint64_t bound = ((uint64_t)inputs << 14) + ts_m4_largest(bias, outputs);
    return (ts_m4_product){
        .panel = weight,
        .vectors = ts_m4_up4(outputs),
        .steps = ts_m4_pairs(inputs),
        .begin = TS_M4_BIAS,
        .start = ts_m4_whole_tiles(bias, outputs, room),
        .requant = ts_m4_prepare(requant, 0, outputs, bound, factors),
    };
}

/* A single row of few channels, for which making products ready does not pay. */
enum { FEW_CHANNELS = 32 };

static void run_single(const ts_ffn_args *args, void *scratch) {
    const uint32_t E = args->shape.E, F = args->shape.F;
    const places p = place(&args->shape);
    uint32_t *x = (uint32_t *)scratch + p.x / 4, *hidden = (uint32_t *)scratch + p.hidden / 4;
    int8_t *bytes = (int8_t *)scratch + p.up_factors;
    int16_t *halves = (int16_t *)(void *)hidden;
    const ts_m4_single up = {args->up_weight, args->up_bias, &args->up, 1, F, E};
    const ts_m4_single down = {args->down_weight, args->down_bias, &args->down, 1, E, F};
    ts_m4_expand(args->input, E, x, 1);
    ts_m4_single_run(&up, x, bytes);
    for (uint32_t f = 0; f < F; f++)
        halves[f] = args->table[(uint8_t)bytes[f]];
    if (F % 2)
        halves[F] = 0;
    ts_m4_single_run(&down, hidden, args->output);
}

void ts_ffn_cortexm4(const ts_team *team, const ts_ffn_args *args, void *scratch) {
    if (team->core != 0)
        return;
    if (args->shape.S == 1 && args->shape.E + args->shape.F <= FEW_CHANNELS) {
        run_single(args, scratch);
        return;
    }
    const uint32_t S = args->shape.S, E = args->shape.E, F = args->shape.F;
    const places p = place(&args->shape);
    uint8_t *base = scratch;
    int32_t *words = scratch;
    uint32_t *x = (uint32_t *)scratch + p.x / 4, *hidden = (uint32_t *)scratch + p.hidden / 4;
    ts_m4_product up = layer(args->up_weight, args->up_bias, &args->up, E, F,
                             words + p.up_factors / 4, words + p.up_bias / 4);
    ts_m4_product down = layer(args->down_weight, args->down_bias, &args->down, F, E,
                               words + p.down_factors / 4, words + p.down_bias / 4);
    up.finish = TS_M4_STATIONARY;
    up.sums = down.sums = words + p.sums / 4;
    down.finish = TS_M4_ROWS;
    down.stride = ts_m4_up4(E);
    ts_m4_ready up_ready = ts_m4_ready_of(&up), down_ready = ts_m4_ready_of(&down);
    for (uint32_t row = 0; row < S; row += 2) {
        uint8_t *output = (uint8_t *)args->output + row * E;
        const int direct = E % 4 == 0 && row + 1 < S; /* then the stride is E */
        ts_m4_expand_pair(args->input, row, S, E, x);
        ts_m4_run(&up_ready, x, hidden);
        ts_m4_look_up_pairs(args->table, hidden, ts_m4_up4(F));
        ts_m4_run(&down_ready, hidden, direct ? output : base + p.rows);
        if (!direct)
            ts_m4_copy_rows(base + p.rows, ts_m4_up4(E), ts_min(2, S - row), E, output, E);
    }
}
