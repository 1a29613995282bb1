// SPDX-License-Identifier: Apache-2.0
#include "leaky_relu.h"

uint32_t ts_leaky_relu_portable_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape, (void)cores;
    return 0;
}

void ts_leaky_relu_portable(const ts_team *team, const ts_leaky_relu_args *args, void *scratch) {
    (void)scratch;
    const ts_range share = ts_team_share(team, args->shape.S * args->shape.E);
    for (uint32_t i = share.begin; i < share.end; i++) {
        const int8_t x = args->input[i];
        args->output[i] = x < 0 ? (int8_t)(x >> args->shift) : x;
    }
}
