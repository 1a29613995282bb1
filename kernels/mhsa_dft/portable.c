// SPDX-License-Identifier: Apache-2.0
#include "layer.h"
#include "ts_depth_first_portable.h"

uint32_t ts_mhsa_dft_portable_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_depth_first_lay_out(shape, shape->P, 1, cores).bytes;
}

void ts_mhsa_dft_portable(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    const ts_depth_first layer = ts_mhsa_dft_layer(args);
    ts_depth_first_run(team, &layer, scratch, &ts_depth_first_portable);
}
