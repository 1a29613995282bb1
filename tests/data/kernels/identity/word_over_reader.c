/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_word_over_reader(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_word_over_reader_scratch(const ts_shape *shape, uint32_t cores);

/* Reads the last bytes of its input as a word that reaches beyond it. */
void ts_identity_word_over_reader(const ts_team *team, const ts_identity_args *args,
                                  void *scratch) {
    ts_identity_portable(team, args, scratch);
    if (team->core == team->cores - 1) {
        (void)((const volatile uint32_t *)(const volatile void *)
                   args->input)[args->shape.S * args->shape.E / 4];
    }
}

uint32_t ts_identity_word_over_reader_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores);
}
