/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_endless(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_endless_scratch(const ts_shape *shape, uint32_t cores);

/* Never returns. */
void ts_identity_endless(const ts_team *team, const ts_identity_args *args, void *scratch) {
    (void)team, (void)args, (void)scratch;
    for (;;) {
        __asm__ volatile("" ::: "memory");
    }
}

uint32_t ts_identity_endless_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    return 16 * cores;
}
