/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_IDENTITY_H
#define TS_IDENTITY_H

#include "ts_types.h"

/* output[S, E] = input[S, E] + bias, wrapping. Scratch: 16 bytes for each core. */
typedef struct {
    ts_shape shape;
    int8_t *input; /* Not const: some variants misbehave. */
    int8_t *output;
    uint32_t bias;
} ts_identity_args;

void ts_identity(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_scratch(const ts_shape *shape, uint32_t cores);

void ts_identity_portable(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_portable_scratch(const ts_shape *shape, uint32_t cores);

#endif
