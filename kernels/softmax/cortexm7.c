// SPDX-License-Identifier: Apache-2.0
/* Table in layout reversed_bytes. */
#include "softmax.h"
#include "ts_m7_softmax.h"
#include "ts_m7_softmax_row.h"

uint32_t ts_softmax_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

void ts_softmax_cortexm7(const ts_team *team, const ts_softmax_args *args, void *scratch) {
    (void)scratch;
    const uint32_t S = args->shape.S;
    const uint8_t *top = (const uint8_t *)args->table.entries + TS_M7_TABLE_BYTES + 255;
    const ts_range rows = ts_team_share(team, args->shape.H * S);
    for (uint32_t row = rows.begin; row < rows.end; row++) {
        if (args->table.max <= 255u)
            ts_m7_softmax_row(args->input + row * S, args->output + row * S, S, top);
        else
            ts_softmax_row(args->input + row * S, args->output + row * S, S, &args->table);
    }
}
