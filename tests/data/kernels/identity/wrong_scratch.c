/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_wrong_scratch(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_wrong_scratch_scratch(const ts_shape *shape, uint32_t cores);

/* Asks for more scratch than its manifest says. */
void ts_identity_wrong_scratch(const ts_team *team, const ts_identity_args *args, void *scratch) {
    ts_identity_portable(team, args, scratch);
}

uint32_t ts_identity_wrong_scratch_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores) + 16;
}
