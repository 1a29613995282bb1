/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_overrun(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_overrun_scratch(const ts_shape *shape, uint32_t cores);

/* Writes one byte too many. */
void ts_identity_overrun(const ts_team *team, const ts_identity_args *args, void *scratch) {
    ts_identity_portable(team, args, scratch);
    if (team->core == 0) {
        args->output[args->shape.S * args->shape.E] = 0;
    }
}

uint32_t ts_identity_overrun_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores);
}
