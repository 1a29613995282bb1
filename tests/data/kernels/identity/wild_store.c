/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_wild_store(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_wild_store_scratch(const ts_shape *shape, uint32_t cores);

/* Stores where no memory is. */
void ts_identity_wild_store(const ts_team *team, const ts_identity_args *args, void *scratch) {
    ts_identity_portable(team, args, scratch);
    *(volatile uint32_t *)0x60000000 = 1;
}

uint32_t ts_identity_wild_store_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores);
}
