/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_lost_barrier(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_lost_barrier_scratch(const ts_shape *shape, uint32_t cores);

/* Core 0 misses a barrier that the others wait at. */
void ts_identity_lost_barrier(const ts_team *team, const ts_identity_args *args, void *scratch) {
    ts_identity_portable(team, args, scratch);
    if (team->core != 0) {
        ts_team_barrier(team);
    }
}

uint32_t ts_identity_lost_barrier_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores);
}
