// SPDX-License-Identifier: Apache-2.0
/* The table in layout reversed_bytes. */
#include "stages.h"
#include "ts_m4_softmax.h"

uint32_t ts_softmax_cortexm4_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

static void softmax_row(const int8_t *input, uint8_t *output, uint32_t n,
                        const ts_softmax_table *table) {
    if (table->max <= 255u)
        ts_m4_softmax_bytes(input, n, ts_m4_reversed(table->entries), output);
    else
        ts_softmax_row(input, output, n, table);
}

void ts_softmax_cortexm4(const ts_team *team, const ts_softmax_args *args, void *scratch) {
    (void)scratch;
    ts_softmax_run(team, args, softmax_row);
}
