/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

/* Each core's rows go through its own scratch, then, past a barrier, another core's to the output.
 */
void ts_identity_portable(const ts_team *team, const ts_identity_args *args, void *scratch) {
    const uint32_t count = args->shape.S * args->shape.E;
    volatile uint8_t *slots = scratch;
    for (uint32_t start = 0; start < count; start += team->cores) {
        const uint32_t neighbour = (team->core + 1) % team->cores;
        if (start + team->core < count) {
            slots[16 * team->core] =
                (uint8_t)((uint8_t)args->input[start + team->core] + args->bias);
        }
        ts_team_barrier(team);
        if (start + neighbour < count) {
            args->output[start + neighbour] = (int8_t)slots[16 * neighbour];
        }
        ts_team_barrier(team);
    }
}

uint32_t ts_identity_portable_scratch(const ts_shape *shape, uint32_t cores) {
    (void)shape;
    return 16 * cores;
}
