// SPDX-License-Identifier: Apache-2.0
/* What ts_m4_brief and ts_m4_one_channel share, of which they have a copy each: a function of its
 * own would save the FPU's registers once more. */
#ifndef TS_MHSA_CORTEXM4_BRIEF_FINISH_H
#define TS_MHSA_CORTEXM4_BRIEF_FINISH_H

#include "cortexm4_brief.h"
#include "ts_m4_rows.h"

/* Calls the assembly, which keeps r4-r11 but none of the FPU's registers. */
static inline __attribute__((always_inline)) void ts_m4_brief_enter(const void *block,
                                                                    ts_m4_code *code) {
    register const void *r0 __asm__("r0") = block;
    __asm__ volatile("blx %1"
                     : "+r"(r0)
                     : "r"(code)
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory", "d0", "d1", "d2", "d3", "d4",
                       "d5", "d6", "d7", "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15");
}

enum { STEPS = 8, STEP_BYTES = 44, HALF_STEP_BYTES = 28 }; /* of cortexm4_project.S */

/* Whether the assembly is for its maps. */
static inline int ts_m4_brief_has_maps(const ts_mhsa_args *args) {
    return args->table.max <= 255u && ts_m4_brief_fast(&args->scores) &&
           args->context.round_half_up == args->scores.round_half_up;
}

/* Of few channels: by cortexm4_project.S. */
static inline __attribute__((always_inline)) void
ts_m4_brief_output_small(const ts_mhsa_args *args, const ts_m4_brief_state *b) {
    const uint32_t E = args->shape.E, E4 = ts_m4_up4(E), S = b->S;
    const uint32_t steps = ts_m4_pairs(args->shape.H * args->shape.P);
    ts_m4_projection p = {
        .stream = args->o_weight,
        .end = args->o_weight + 4 * steps * E4,
        .bias = ts_m4_brief_padded(args->o_bias, 1, E, 4, b->bias),
        .factor = ts_m4_brief_factor(&args->o),
        .stride = E4,
        .entry = (STEPS - steps) * STEP_BYTES + 1,
        .whole = 4 * steps * E4,
        .x_bytes = 8 * steps,
    };
    const uint32_t *context = b->query;
    ts_m4_code *run = args->o.round_half_up ? ts_m4_project_rows_half_up : ts_m4_project_rows_floor;
    for (uint32_t row = 0; row < S; row += 2) {
        p.out = b->rows;
        p.x = context;
        p.x_end = context + 2 * steps;
        ts_m4_brief_enter(&p, run);
        ts_m4_copy_rows(b->rows, E4, ts_min(2, S - row), E, (uint8_t *)args->output + row * E, E);
        context += b->all;
    }
}

/* From the contexts on; 0 if a requantisation is not for the assembly. */
static inline __attribute__((always_inline)) int ts_m4_brief_finish(const ts_mhsa_args *args,
                                                                    const ts_m4_brief_state *b) {
    if (!ts_m4_brief_is_small(&args->o, args->shape.H * args->shape.P))
        return ts_m4_brief_output(b, args);
    if (!ts_m4_brief_fast(&args->o))
        return 0;
    ts_m4_brief_output_small(args, b);
    return 1;
}

#endif
