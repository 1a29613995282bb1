/* SPDX-License-Identifier: Apache-2.0 */
#include "softmax.h"
#include "ts_xpulp_softmax.h"

uint32_t ts_softmax_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

void ts_softmax_xpulp(const ts_team *team, const ts_softmax_args *args, void *scratch) {
    (void)scratch;
    const uint32_t n = args->shape.S;
    const ts_range rows = ts_team_share(team, args->shape.H * n);
    for (uint32_t i = rows.begin; i < rows.end; i++) {
        const ts_xp_row row = {args->input + i * n, args->output + i * n, 4, 4, n, 0};
        ts_xp_softmax_row(&row, &args->table);
    }
}
