/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_scratch_reader(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_scratch_reader_scratch(const ts_shape *shape, uint32_t cores);

/* Lets what it finds in scratch into its output. */
void ts_identity_scratch_reader(const ts_team *team, const ts_identity_args *args, void *scratch) {
    const int8_t found = ((const int8_t *)scratch)[1];
    ts_team_barrier(team);
    ts_identity_portable(team, args, scratch);
    if (team->core == 0) {
        args->output[0] = found;
    }
}

uint32_t ts_identity_scratch_reader_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores);
}
