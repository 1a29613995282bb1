// SPDX-License-Identifier: Apache-2.0
#include "layernorm.h"
#include "ts_normalise.h"
#include "ts_requant.h"

static void normalise_row(const ts_layernorm_args *args, uint32_t row) {
    const uint32_t E = args->shape.E;
    const int8_t *input = args->input + row * E;
    int8_t *output = args->output + row * E;

    int32_t sum = 0;
    for (uint32_t e = 0; e < E; e++)
        sum += input[e];
    const int32_t mean = sum / (int32_t)E;

    uint32_t squares = 0;
    for (uint32_t e = 0; e < E; e++) {
        const int32_t centred = input[e] - mean;
        squares += (uint32_t)(centred * centred);
    }
    const uint32_t reciprocal = ts_deviation_reciprocal(ts_isqrt(squares / E + 1u));

    for (uint32_t e = 0; e < E; e++) {
        const int32_t scaled = ts_divide((input[e] - mean) * args->weight[e], reciprocal);
        output[e] = ts_clip_int8((scaled + args->bias[e]) >> args->shift);
    }
}

uint32_t ts_layernorm_portable_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

void ts_layernorm_portable(const ts_team *team, const ts_layernorm_args *args, void *scratch) {
    (void)scratch;
    const ts_range rows = ts_team_share(team, args->shape.S);
    for (uint32_t row = rows.begin; row < rows.end; row++)
        normalise_row(args, row);
}
