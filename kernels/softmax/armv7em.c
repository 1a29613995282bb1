// SPDX-License-Identifier: Apache-2.0
#include "stages.h"
#include "ts_softmax_armv7em.h"

uint32_t ts_softmax_armv7em_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

void ts_softmax_armv7em(const ts_team *team, const ts_softmax_args *args, void *scratch) {
    (void)scratch;
    ts_softmax_run(team, args, ts_softmax_row_armv7em);
}
