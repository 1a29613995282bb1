// SPDX-License-Identifier: Apache-2.0
/* Products on the Cortex-M7: requantisations and strips of ts_m7_tiles.h put together. */
#ifndef TS_M7_PRODUCT_H
#define TS_M7_PRODUCT_H

#include "ts_kernel.h"
#include "ts_m7_panels.h"
#include "ts_m7_tiles.h"
#include "ts_requant.h"

/* A requantisation, ready for strips: its channels from 0 on are rows of a. */
typedef struct {
    ts_requant requant;
    uint32_t channels;
    uint32_t mul;  /* what ts_m7_call wants */
    uint8_t code;  /* index into ts_m7_kind.strips */
    uint8_t steep; /* some mul' does not fit 31 bits */
} ts_m7_scale;

/* Whether every mul << (32 - shift) is below 2^31. */
static inline int ts_m7_fits(const ts_requant *requant, uint32_t channels) {
    if (requant->shift >= 17u)
        return 1;
    const uint32_t limit = 1u << (requant->shift - 1u);
    for (uint32_t i = 0; i < (requant->per_channel ? channels : 1u); i++)
        if (requant->mul[i] >= limit)
            return 0;
    return 1;
}

/* Per tensor. */
static inline ts_m7_scale ts_m7_scale_all(ts_requant requant, uint32_t channels) {
    return (ts_m7_scale){
        .requant = requant,
        .channels = channels,
        .mul = (uint32_t)requant.mul[0] << (32u - requant.shift),
        .code = (uint8_t)(requant.round_half_up ? 1 : 0),
        .steep = !ts_m7_fits(&requant, channels),
    };
}

/* `muls`: room for the multipliers of `channels` rounded up to a multiple of 4. */
static inline ts_m7_scale ts_m7_scale_of(ts_requant requant, uint32_t channels, int32_t *muls) {
    ts_m7_scale scale = ts_m7_scale_all(requant, channels);
    if (requant.per_channel) {
        for (uint32_t i = 0; i < channels; i++)
            muls[i] = (int32_t)((uint32_t)requant.mul[i] << (32u - requant.shift));
        for (uint32_t i = channels; i < ts_m7_align4(channels); i++)
            muls[i] = 0;
        scale.mul = (uint32_t)(uintptr_t)muls;
        scale.code |= 2u;
    }
    return scale;
}

/* Biases for strips of `channels` rounded up to a multiple of 4; `room` is used if need be. */
static inline const int32_t *ts_m7_bias_of(const int32_t *bias, uint32_t channels, int32_t *room) {
    if (channels % 4u == 0)
        return bias;
    for (uint32_t i = 0; i < ts_m7_align4(channels); i++)
        room[i] = i < channels ? bias[i] : 0;
    return room;
}

/* One tile whose requantisation needs more than SMMUL. */
static inline void ts_m7_steep_tile(const ts_m7_kind *kind, const ts_m7_call *call,
                                    const ts_m7_scale *scale, uint32_t channel, int8_t *output) {
    int32_t sums[8];
    for (uint32_t i = 0; i < 8; i++)
        sums[i] = kind->init ? call->bias[channel + i / 2] : 0;
    ts_m7_call tile = *call;
    tile.output = sums;
    tile.outer = 1;
    tile.a_last = tile.a + 8 * call->pairs;
    ts_m7_sums(&tile);
    for (uint32_t i = 8; i-- > 0;) { /* the second row first, as in strips */
        const uint32_t last = scale->channels - 1;
        const int8_t y = ts_requantize(&scale->requant, ts_min(channel + i / 2, last), sums[i]);
        const uint32_t line = kind->rows == 1 ? i % 2 : kind->rows == 2 ? i / 2 : 0;
        int8_t *to = output + kind->offsets[i] + line * call->pitch;
        if (kind->bytes == 2)
            *(int16_t *)(void *)to = y;
        else
            *to = y;
    }
}

static __attribute__((noinline, unused)) void
ts_m7_steep_strips(const ts_m7_kind *kind, const ts_m7_call *call, const ts_m7_scale *scale) {
    ts_m7_call strip = *call;
    int8_t *output = call->output;
    for (uint32_t i = 0; i < call->outer; i++) {
        strip.a = call->a;
        for (uint32_t channel = 0;; channel += 4) {
            ts_m7_steep_tile(kind, &strip, scale, channel, output);
            strip.a += 8 * call->pairs;
            if (strip.a == call->a_last)
                break;
            output += kind->rows == 2 ? 4 * call->pitch : kind->step ? kind->step : call->step;
        }
        strip.b += call->b_step / 2;
        output += i % 2 ? call->other_step : call->outer_step;
    }
}

/* The strips of a call, its `mul` aside. */
static inline void ts_m7_strips_of(const ts_m7_kind *kind, ts_m7_call *call,
                                   const ts_m7_scale *scale) {
    call->mul = scale->mul;
    if (scale->steep)
        ts_m7_steep_strips(kind, call, scale);
    else
        kind->strips[scale->code](call);
}

/* [rows, channels] of bytes, row-major:
 *   output[r * pitch + c] = requant(bias[c] + sum over k of b[r, k] * a[c, k])
 * a: 4-panels of the channels, b: 2-panels of the rows, both of `pairs`. */
typedef struct {
    const int16_t *a, *b;
    const int32_t *bias; /* readable up to a multiple of 4, see ts_m7_bias_of */
    uint32_t rows, channels, pairs;
    uint32_t b_step; /* bytes from 2-panel to 2-panel */
    int8_t *output;
    uint32_t pitch;
} ts_m7_rows;

/* Pairs of rows whose tiles at the edge are kept before what exists of them is copied. */
enum { TS_M7_EDGE_PAIRS = 16 };

/* The channels that are no whole tile, through a buffer. */
static inline void ts_m7_rows_edge(const ts_m7_rows *rows, ts_m7_call *call,
                                   const ts_m7_scale *scale) {
    const uint32_t whole = rows->channels & ~3u;
    ts_m7_scale edge = *scale;
    edge.requant = ts_requant_from(edge.requant, whole);
    edge.channels -= whole;
    if (edge.code & 2u)
        edge.mul += 4 * whole;
    int8_t results[8 * TS_M7_EDGE_PAIRS];
    call->a += 2 * whole * rows->pairs;
    call->a_last = call->a + 8 * rows->pairs;
    call->bias += whole;
    call->pitch = 4;
    call->outer_step = call->other_step = 8;
    call->output = results;
    call->b = rows->b;
    for (uint32_t row = 0; row < rows->rows; row += 2 * TS_M7_EDGE_PAIRS) {
        const uint32_t count = ts_min(2 * TS_M7_EDGE_PAIRS, rows->rows - row);
        call->outer = ts_ceil_div(count, 2);
        ts_m7_strips_of(&ts_m7_to_rows, call, &edge);
        int8_t *to = rows->output + row * rows->pitch + whole;
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t c = 0; c < edge.channels; c++)
                to[c] = results[4 * i + c];
            to += rows->pitch;
        }
        call->b += TS_M7_EDGE_PAIRS * (rows->b_step / 2);
    }
}

static __attribute__((noinline, unused)) void ts_m7_rows_run(const ts_m7_rows *rows,
                                                             const ts_m7_scale *scale) {
    const uint32_t tiles = rows->channels / 4;
    ts_m7_call call = {
        .b = rows->b,
        .output = rows->output,
        .bias = rows->bias,
        .a = rows->a - 8,
        .a_last = rows->a - 8 + 8 * tiles * rows->pairs,
        .outer = rows->rows / 2,
        .b_step = rows->b_step,
        .outer_step = 2 * rows->pitch - 4 * (tiles - 1),
        .other_step = 2 * rows->pitch - 4 * (tiles - 1),
        .pitch = rows->pitch,
        .pairs = rows->pairs,
    };
    if (tiles > 0 && call.outer > 0)
        ts_m7_strips_of(&ts_m7_to_rows, &call, scale);
    if (tiles > 0 && rows->rows % 2) {
        call.outer = 1;
        call.b += rows->rows / 2 * (rows->b_step / 2);
        call.output = rows->output + (rows->rows - 1) * rows->pitch;
        call.pitch = 0;
        ts_m7_strips_of(&ts_m7_to_rows, &call, scale);
    }
    if (rows->channels % 4)
        ts_m7_rows_edge(rows, &call, scale);
}

#endif
