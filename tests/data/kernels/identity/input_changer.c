/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_input_changer(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_input_changer_scratch(const ts_shape *shape, uint32_t cores);

/* Increments an input that it has already used. (Inputs are compared once both calls of the timed
 * case are done: one that undid itself would show in the other cases, which have one call each.) */
void ts_identity_input_changer(const ts_team *team, const ts_identity_args *args, void *scratch) {
    ts_identity_portable(team, args, scratch);
    if (team->core == 0) {
        args->input[3] = (int8_t)(args->input[3] + 1);
    }
}

uint32_t ts_identity_input_changer_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores);
}
