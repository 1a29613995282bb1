// SPDX-License-Identifier: Apache-2.0
/* Scratch: one head's values as 4-panels, a few rows of its map as 2-panels, biases of 0 and a
 * head's multipliers. */
#include "attention_context.h"
#include "ts_m7_product.h"

enum { PAIRS = 4 }; /* of rows at once */

uint32_t ts_attention_context_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    const uint32_t pairs = ts_m7_pairs(shape->S), channels = ts_m7_align4(shape->P);
    return 4 * channels * pairs + 8 * pairs * ts_min(PAIRS, pairs) + 8 * channels;
}

static void head_context(const ts_attention_context_args *args, uint32_t h, int16_t *panel,
                         ts_m7_rows *rows, const ts_m7_scale *scale) {
    const uint32_t S = args->shape.S;
    const int8_t *map = (const int8_t *)args->map + h * S * S;
    for (uint32_t row = 0; row < S; row += 2 * PAIRS) {
        rows->rows = ts_min(2 * PAIRS, S - row);
        for (uint32_t i = 0; i < rows->rows; i += 2) {
            const int8_t *first = map + (row + i) * S;
            ts_m7_expand_rows(first, i + 1 < rows->rows ? first + S : first, S,
                              panel + 2 * i * ts_m7_pairs(S), 0);
        }
        rows->output = args->output + row * args->output_row_stride + h * args->shape.P;
        ts_m7_rows_run(rows, scale);
    }
}

void ts_attention_context_cortexm7(const ts_team *team, const ts_attention_context_args *args,
                                   void *scratch) {
    if (team->core != 0)
        return;
    const uint32_t S = args->shape.S, P = args->shape.P;
    const uint32_t pairs = ts_m7_pairs(S), channels = ts_m7_align4(P);
    int16_t *value = scratch, *panel = value + 2 * channels * pairs;
    int32_t *bias = (int32_t *)(void *)(panel + 4 * pairs * ts_min(PAIRS, pairs));
    int32_t *muls = bias + channels;
    for (uint32_t i = 0; i < channels; i++)
        bias[i] = 0;
    ts_m7_rows rows = {
        .a = value,
        .b = panel,
        .bias = bias,
        .channels = P,
        .pairs = pairs,
        .b_step = 8 * pairs,
        .pitch = args->output_row_stride,
    };
    for (uint32_t h = 0; h < args->shape.H; h++) {
        for (uint32_t p = 0; p < P; p += 4)
            ts_m7_expand_4(args->value + h * P * S, P, S, p, value + 2 * p * pairs);
        const ts_m7_scale scale = ts_m7_scale_of(ts_requant_from(args->requant, h * P), P, muls);
        head_context(args, h, panel, &rows, &scale);
    }
}
