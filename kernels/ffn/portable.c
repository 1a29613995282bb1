// SPDX-License-Identifier: Apache-2.0
#include "stages.h"
#include "ts_matmul_portable.h"

uint32_t ts_ffn_portable_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_ffn_hidden_bytes(shape, cores);
}

void ts_ffn_portable(const ts_team *team, const ts_ffn_args *args, void *scratch) {
    ts_ffn_run(team, args, scratch, ts_tile_portable);
}
