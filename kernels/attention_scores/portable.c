// SPDX-License-Identifier: Apache-2.0
#include "stages.h"
#include "ts_matmul_portable.h"
#include "ts_softmax.h"

uint32_t ts_attention_scores_portable_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

void ts_attention_scores_portable(const ts_team *team, const ts_attention_scores_args *args,
                                  void *scratch) {
    (void)scratch;
    ts_attention_scores_run(team, args, ts_tile_portable, ts_softmax_row);
}
