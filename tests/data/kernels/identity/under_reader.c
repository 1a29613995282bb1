/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_under_reader(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_under_reader_scratch(const ts_shape *shape, uint32_t cores);

/* Reads the byte in front of its scratch. */
void ts_identity_under_reader(const ts_team *team, const ts_identity_args *args, void *scratch) {
    ts_identity_portable(team, args, scratch);
    if (team->core == team->cores - 1) {
        (void)((const volatile uint8_t *)scratch)[-1];
    }
}

uint32_t ts_identity_under_reader_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores);
}
