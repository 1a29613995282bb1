// SPDX-License-Identifier: Apache-2.0
#include "ts_m4_product.h"

ts_m4_requant ts_m4_prepare(const ts_requant *requant, uint32_t channel, uint32_t channels,
                            uint64_t bound, int32_t *factors) {
    const uint16_t *mul = requant->mul;
    const uint32_t shift = requant->shift, up = 32 - shift;
    ts_m4_requant ready = {.requant = *requant, .channel = channel, .channels = channels};
    uint32_t any = *mul;
    if (requant->per_channel) {
        any = 0;
        for (uint32_t i = 0; i < channels; i++) {
            any |= mul[channel + i];
            factors[i] = (int32_t)((uint32_t)mul[channel + i] << up);
        }
        for (uint32_t i = channels; i & 3; i++)
            factors[i] = 0;
        ready.factors = factors;
    } else {
        ready.factors = (const void *)(uintptr_t)(any << up);
        /* Scores are 128 larger. */
        ready.narrow = bound * any >> shift < 32768 - 129;
    }
    ready.fast = any >> (shift - 1) == 0;
    return ready;
}

uint32_t ts_m4_largest(const int32_t *bias, uint32_t n) {
    /* x, or -1 - x of a negative x: the bits of all together are no smaller than any. */
    int32_t bits = 0;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < n; i++)
        bits |= bias[i] ^ bias[i] >> 31;
    return (uint32_t)bits + 1;
}

const int32_t *ts_m4_whole_tiles(const int32_t *bias, uint32_t n, int32_t *copy) {
    if (n % 4 == 0)
        return bias;
    for (uint32_t i = 0; i < ts_m4_up4(n); i++)
        copy[i] = i < n ? bias[i] : 0;
    return copy;
}

static ts_m4_code *exit_of(const ts_m4_product *product) {
    static ts_m4_code *const exits[][4] = {
        {ts_m4_exit_sums, ts_m4_exit_sums, ts_m4_exit_sums, ts_m4_exit_sums},
        {ts_m4_exit_stationary_floor, ts_m4_exit_stationary_half_up,
         ts_m4_exit_stationary_floor_each, ts_m4_exit_stationary_half_up_each},
        {ts_m4_exit_streamed_floor, ts_m4_exit_streamed_half_up, ts_m4_exit_streamed_floor_each,
         ts_m4_exit_streamed_half_up_each},
        {ts_m4_exit_across_floor, ts_m4_exit_across_half_up, ts_m4_exit_across_floor_each,
         ts_m4_exit_across_half_up_each},
        {ts_m4_exit_rows_floor, ts_m4_exit_rows_half_up, ts_m4_exit_rows_floor_each,
         ts_m4_exit_rows_half_up_each},
        {ts_m4_exit_scores_floor, ts_m4_exit_scores_half_up, ts_m4_exit_scores_floor,
         ts_m4_exit_scores_half_up},
    };
    const ts_requant *requant = &product->requant.requant;
    return exits[product->finish][2 * requant->per_channel + requant->round_half_up];
}

/* A routine made for one beginning and one end; where its steps end, if they are entered. */
typedef struct {
    ts_m4_code *code, *end;
} made;

static const made shorts[][6] = {
    [TS_M4_ZERO] = {[TS_M4_SCORES] = {ts_m4_short_zero_scores, NULL}},
    [TS_M4_BIAS] = {[TS_M4_SUMS] = {ts_m4_short_bias_sums, NULL},
                    [TS_M4_STATIONARY] = {ts_m4_short_bias_stationary, NULL},
                    [TS_M4_STREAMED] = {ts_m4_short_bias_streamed, NULL},
                    [TS_M4_ACROSS] = {ts_m4_short_bias_across, NULL},
                    [TS_M4_ROWS] = {ts_m4_short_bias_rows, NULL}},
    [TS_M4_MORE] = {[TS_M4_SUMS] = {ts_m4_short_more_sums, NULL}},
};

static const made longs[][6] = {
    [TS_M4_ZERO] = {[TS_M4_STATIONARY] = {ts_m4_long_zero_stationary,
                                          ts_m4_long_zero_stationary_end},
                    [TS_M4_SCORES] = {ts_m4_long_zero_scores, ts_m4_long_zero_scores_end}},
    [TS_M4_BIAS] = {[TS_M4_STATIONARY] = {ts_m4_long_bias_stationary,
                                          ts_m4_long_bias_stationary_end},
                    [TS_M4_STREAMED] = {ts_m4_long_bias_streamed, ts_m4_long_bias_streamed_end},
                    [TS_M4_ACROSS] = {ts_m4_long_bias_across, ts_m4_long_bias_across_end},
                    [TS_M4_ROWS] = {ts_m4_long_bias_rows, ts_m4_long_bias_rows_end}},
    [TS_M4_MORE] = {{NULL, NULL}},
};

/* NULL where there is none. */
static inline const made *made_for(const ts_m4_product *product, ts_m4_finish finish) {
    const ts_m4_requant *requant = &product->requant;
    const uint32_t special = requant->requant.per_channel | requant->requant.round_half_up;
    if (finish != TS_M4_SUMS && (special || !requant->narrow))
        return NULL;
    return &(product->steps > TS_M4_SHORT ? longs : shorts)[product->begin][finish];
}

static void enter_long(ts_m4_ready *ready, const made *found, uint32_t steps) {
    enum { STEP_BYTES = 56 };
    const int whole = found && found->code;
    ts_m4_code *end = whole && found->end ? found->end : ts_m4_long_end;
    ready->code = whole ? found->code : ts_m4_long;
    ready->call.entry = (uintptr_t)end - STEP_BYTES * ((steps - 2) % 16 + 1);
    ready->back = 0;
    ready->edge = 2 * steps;
}

static void enter_short(ts_m4_ready *ready, const made *found, uint32_t steps) {
    enum { STEP_BYTES = 44 };
    const int few = steps <= TS_M4_FEW;
    ready->code = few ? ts_m4_short_few : ts_m4_short;
    if (found && found->code)
        ready->code = found->code;
    ready->call.entry = (uintptr_t)ts_m4_short_end - STEP_BYTES * (steps - 1);
    ready->back = 2 * ((few ? TS_M4_FEW : TS_M4_SHORT) - steps);
    ready->edge = 0;
}

void ts_m4_make_ready(const ts_m4_product *product, ts_m4_ready *ready) {
    static ts_m4_code *const tops[][2] = {
        [TS_M4_ZERO] = {ts_m4_short_zero, ts_m4_long_zero},
        [TS_M4_BIAS] = {ts_m4_short_bias, ts_m4_long_bias},
        [TS_M4_SAME] = {ts_m4_short_same, ts_m4_long_same},
        [TS_M4_MORE] = {ts_m4_short_more, ts_m4_long_more},
    };
    const uint32_t steps = product->steps, is_long = steps > TS_M4_SHORT;
    const int exactly = product->finish != TS_M4_SUMS && !product->requant.fast;
    const ts_m4_finish finish = exactly ? TS_M4_SUMS : product->finish;
    const int sums = finish == TS_M4_SUMS;
    const uint32_t stride = exactly ? 0 : product->stride;
    const uint32_t tile_bytes = 16 * steps + (sums ? stride : 0);
    const uint8_t *panel = product->panel;
    ts_m4_call *call = &ready->call;
    call->stream = panel;
    call->end = panel + product->vectors / 4 * tile_bytes;
    call->out = product->sums;
    call->mul = product->requant.factors;
    call->in = product->start;
    call->stride = stride;
    call->exit = sums ? ts_m4_exit_sums : exit_of(product);
    call->top = tops[product->begin][is_long];
    ready->exactly = exactly ? product : NULL;
    if (is_long)
        enter_long(ready, made_for(product, finish), steps);
    else
        enter_short(ready, steps == TS_M4_SHORT ? made_for(product, finish) : NULL, steps);
}

void ts_m4_run_pairs(const ts_m4_product *product, const uint32_t *stationary, uint32_t step,
                     uint32_t begin, uint32_t end, uint8_t *out, uint32_t item, uint32_t mask,
                     uint32_t jump) {
    ts_m4_ready ready = ts_m4_ready_of(product);
    for (uint32_t i = begin; i < end; i++) {
        ts_m4_run(&ready, stationary + i * step, out);
        out += (i & mask) == mask ? item + jump : item;
    }
}

static uint32_t pair(int32_t low, int32_t high) {
    return (uint32_t)(low & 0xFFFF) | (uint32_t)high << 16;
}

static uint32_t four_bytes(const int8_t *values, uint32_t flip) {
    uint32_t word = 0;
    for (uint32_t i = 0; i < 4; i++)
        word |= (uint32_t)(uint8_t)values[i] << 8 * i;
    return word ^ flip;
}

static void store_tile(const ts_m4_product *product, const int8_t result[2][4], uint8_t *out) {
    uint32_t *words = (uint32_t *)(void *)out;
    const uint32_t second_step = product->finish == TS_M4_STREAMED ? 4 : 2;
    switch (product->finish) {
    case TS_M4_STATIONARY:
    case TS_M4_STREAMED:
        for (uint32_t row = 0; row < 2; row++) {
            words[row] = pair(result[row][0], result[row][1]);
            words[second_step + row] = pair(result[row][2], result[row][3]);
        }
        break;
    case TS_M4_ACROSS:
        for (uint32_t i = 0; i < 4; i++)
            words[i] = pair(result[0][i], result[1][i]);
        break;
    case TS_M4_ROWS:
        words[product->stride / 4] = four_bytes(result[1], 0);
        words[0] = four_bytes(result[0], 0);
        break;
    default:
        words[0] = four_bytes(result[0], 0x80808080u);
        words[1] = four_bytes(result[1], 0x80808080u);
    }
}

void ts_m4_finish_exactly(const ts_m4_product *product, uint8_t *out) {
    const ts_requant *requant = &product->requant.requant;
    static const uint8_t tile_bytes[] = {32, 16, 32, 0, 4, 8};
    const int32_t *sums = product->sums;
    for (uint32_t i = 0; i < product->vectors; i += 4, sums += 8) {
        int8_t result[2][4];
        for (uint32_t k = 0; k < 4; k++) {
            const uint32_t channel = product->requant.channel + i + k;
            const int padding = i + k >= product->requant.channels;
            for (uint32_t row = 0; row < 2; row++)
                result[row][k] = padding && requant->per_channel
                                     ? 0
                                     : ts_requantize(requant, channel, sums[4 * row + k]);
        }
        store_tile(product, (const int8_t (*)[4])result, out);
        out += product->finish == TS_M4_ACROSS ? product->stride : tile_bytes[product->finish];
    }
}
