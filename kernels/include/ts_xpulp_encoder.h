/* SPDX-License-Identifier: Apache-2.0 */
/* An encoder block for XpulpV2.
 *
 * Where the operands' exact sizes suit (E % 4 == 0, P % 4 == 0, S % 4 <= 1) and the queries, keys
 * and values of all heads fit: normalised rows lie in the output, a residual is added by the core
 * that has just computed what is added to it. Scratch: one tensor, then what the larger layer
 * needs. All other shapes: one operation after the other, two tensors. */
#ifndef TS_XPULP_ENCODER_H
#define TS_XPULP_ENCODER_H

#include "../encoder_block/stages.h"
#include "ts_xpulp_brief.h"
#include "ts_xpulp_ffn.h"
#include "ts_xpulp_joined.h"
#include "ts_xpulp_layer.h"
#include "ts_xpulp_stream.h"

/* Layers whose queries, keys and values, and the rooms for weights, take more bytes go head by
 * head. */
#define TS_XP_ENCODER_LARGEST 90112u

static inline int ts_xp_encoder_joins(const ts_shape *shape, uint32_t cores) {
    const uint32_t slots = 2 * cores * ts_xp_joined_slot(shape, cores);
    return ts_xp_streams(shape) && shape->S * ts_xp_align4(shape->F) <= 16 * TS_XP_JOINED_UNITS &&
           3 * shape->S * shape->H * shape->P + slots <= TS_XP_ENCODER_LARGEST;
}

static inline ts_xp_addition ts_xp_encoder_addition(const ts_encoder_add *add) {
    return ts_xp_addition_of(add->residual_mul, add->layer_mul, add->shift, add->round_half_up);
}

/* What the layers are given: too large for every core's stack, so it lies in the scratch memory.
 * Core 0 writes it ahead of the first barrier. */
typedef struct {
    ts_mhsa_args mhsa;
    ts_ffn_args ffn;
} ts_xp_encoder_layers;

#define TS_XP_ENCODER_LAYERS 208u
_Static_assert(sizeof(ts_xp_encoder_layers) <= TS_XP_ENCODER_LAYERS, "as kernel.yaml has it");

TS_XP_STAGE void ts_xp_encoder_begin(const ts_team *team, const ts_encoder_block_args *args,
                                     ts_xp_encoder_layers *layers, const int8_t *normal,
                                     int8_t *sum) {
    if (team->core)
        return;
    layers->mhsa = ts_encoder_mhsa_args(args, normal, sum);
    layers->ffn = ts_encoder_ffn_args(args, normal, args->output);
}

/* Rows, normalised; then a barrier. */
TS_XP_STAGE void ts_xp_encoder_normalise(const ts_team *team, const ts_encoder_block_args *args,
                                         const ts_encoder_norm *norm, const int8_t *input,
                                         int8_t *output) {
    const ts_xp_norm rows = {norm->weight, norm->bias, norm->shift};
    ts_xp_normalise(team, &rows, input, args->shape.S, args->shape.E, output, 1);
    ts_team_barrier(team);
}

/* ---- One operation after the other. -----------------------------------------------------------
 */

/* A residual and what a layer made of it, in place of the latter; a barrier before and after. */
TS_XP_STAGE void ts_xp_encoder_add(const ts_team *team, const ts_encoder_block_args *args,
                                   const ts_encoder_add *add, const int8_t *residual,
                                   int8_t *layer) {
    const ts_xp_addition addition = ts_xp_encoder_addition(add);
    const ts_range share = ts_xp_share_words(team, args->shape.S * args->shape.E);
    ts_team_barrier(team);
    ts_xp_add(&addition, residual + share.begin, layer + share.begin, share.end - share.begin,
              layer + share.begin);
    ts_team_barrier(team);
}

TS_XP_STAGE void ts_xp_encoder_apart(const ts_team *team, const ts_encoder_block_args *args,
                                     ts_xp_encoder_layers *layers) {
    const uint32_t bytes = ts_align16(args->shape.S * args->shape.E);
    int8_t *normal = (int8_t *)layers + TS_XP_ENCODER_LAYERS, *sum = normal + bytes;
    void *scratch = sum + bytes;
    ts_xp_encoder_begin(team, args, layers, normal, sum);
    ts_xp_encoder_normalise(team, args, &args->norm1, args->input, normal);
    if (ts_xp_streams(&args->shape))
        ts_xp_stream_run(team, &layers->mhsa, 1, scratch);
    else
        ts_xp_layer_run(team, &layers->mhsa, scratch);
    ts_xp_encoder_add(team, args, &args->add1, args->input, sum);
    ts_xp_encoder_normalise(team, args, &args->norm2, sum, normal);
    ts_xp_ffn_run(team, &layers->ffn, scratch);
    ts_xp_encoder_add(team, args, &args->add2, sum, args->output);
}

static inline uint32_t ts_xp_encoder_apart_bytes(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_layer layer;
    ts_xp_stream stream;
    const uint32_t ffn = ts_xp_ffn_bytes(shape);
    const uint32_t mhsa =
        (uint32_t)(uintptr_t)(ts_xp_streams(shape)
                                  ? ts_xp_stream_lay_out(&stream, shape, &team, 1, NULL, NULL)
                                  : ts_xp_lay_out(&layer, shape, &team, NULL, NULL));
    return TS_XP_ENCODER_LAYERS + 2 * ts_align16(shape->S * shape->E) + (mhsa > ffn ? mhsa : ffn);
}

static inline uint32_t ts_xp_encoder_bytes(const ts_shape *shape, uint32_t cores) {
    const ts_team team = {0, cores};
    ts_xp_joined joined;
    const uint32_t brief = ts_xp_brief_suits(shape, cores) ? ts_xp_brief_bytes(shape, cores) : 0;
    const uint32_t any =
        ts_xp_encoder_joins(shape, cores)
            ? (uint32_t)(uintptr_t)ts_xp_joined_lay_out(&joined, shape, &team, NULL)
            : ts_xp_encoder_apart_bytes(shape, cores);
    return any > brief ? any : brief;
}

static inline void ts_xp_encoder_run(const ts_team *team, const ts_encoder_block_args *args,
                                     void *scratch) {
    if (ts_xp_encoder_joins(&args->shape, team->cores))
        ts_xp_joined_block(team, args, scratch);
    else
        ts_xp_encoder_apart(team, args, scratch);
}

#endif
