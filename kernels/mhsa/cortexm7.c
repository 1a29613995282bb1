// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, table in reversed_bytes. Scratch: ts_m7_layer.h. */
#include "cortexm7_joined.h"
#include "cortexm7_layer.h"
#include "cortexm7_row.h"
#include "cortexm7_short.h"
#include "ts_m7_layer.h"

uint32_t ts_mhsa_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    const uint32_t layer = ts_m7_place(shape, shape->P, NULL).bytes;
    uint32_t brief = 0;
    if (shape->S == 1)
        brief = ts_m7_row_place(shape, NULL).bytes;
    else if (ts_m7_short_shape(shape))
        brief = ts_m7_short_place(shape, NULL).bytes;
    else if (ts_m7_joined_shape(shape))
        brief = ts_m7_joined_place(shape, NULL).bytes;
    return layer > brief ? layer : brief;
}

void ts_mhsa_cortexm7(const ts_team *team, const ts_mhsa_args *args, void *scratch) {
    if (team->core != 0)
        return;
    if (args->shape.S == 1 && ts_m7_row_numerics(args)) {
        ts_m7_row_run(args, scratch);
        return;
    }
    if (args->shape.S > 1 && ts_m7_short_shape(&args->shape) && ts_m7_short_numerics(args)) {
        ts_m7_short_run(args, scratch);
        return;
    }
    if (args->shape.S > 1 && ts_m7_joined_shape(&args->shape) && ts_m7_short_numerics(args)) {
        ts_m7_joined_run(args, scratch);
        return;
    }
    const ts_m7_layer layer = ts_mhsa_cortexm7_layer(args);
    ts_m7_layer_run(&layer, scratch);
}
