// SPDX-License-Identifier: Apache-2.0
#include "product.h"
#include "ts_matmul_portable.h"

uint32_t ts_linear_v_portable_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    (void)cores;
    return 0;
}

void ts_linear_v_portable(const ts_team *team, const ts_linear_v_args *args, void *scratch) {
    (void)scratch;
    const ts_matmul product = ts_linear_v_product(args);
    ts_matmul_run(team, &product, ts_tile_portable);
}
