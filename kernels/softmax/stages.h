// SPDX-License-Identifier: Apache-2.0
/* softmax on an instruction set's own row function. */
#ifndef TS_SOFTMAX_STAGES_H
#define TS_SOFTMAX_STAGES_H

#include "softmax.h"
#include "ts_softmax.h"

static inline void ts_softmax_run(const ts_team *team, const ts_softmax_args *args,
                                  ts_softmax_row_fn *softmax_row) {
    const uint32_t S = args->shape.S;
    const ts_range rows = ts_team_share(team, args->shape.H * S);
    for (uint32_t row = rows.begin; row < rows.end; row++)
        softmax_row(args->input + row * S, args->output + row * S, S, &args->table);
}

#endif
