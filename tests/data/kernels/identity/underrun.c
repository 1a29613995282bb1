/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_underrun(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_underrun_scratch(const ts_shape *shape, uint32_t cores);

/* Writes the byte before its input. */
void ts_identity_underrun(const ts_team *team, const ts_identity_args *args, void *scratch) {
    ts_identity_portable(team, args, scratch);
    if (team->core == 0) {
        args->input[-1] = 0;
    }
}

uint32_t ts_identity_underrun_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores);
}
