// SPDX-License-Identifier: Apache-2.0
/* What generated networks have besides kernels: patches of the input, the trace.
 * Models: golden/networks.py. All are SPMD, see ts_kernel.h. */
#ifndef TS_NETWORK_H
#define TS_NETWORK_H

#include "crc32.h"
#include "ts_kernel.h"

/* What every layer of a network sees. Tensors and arrays start at multiples of 16 bytes. */
typedef struct {
    const int8_t *input;   /* the network's input tensors */
    const int8_t *weights; /* all arrays of all layers, in the layouts of the target's kernels */
    int8_t *arena;         /* tensors and scratch */
    int8_t *output;        /* of the last layer */
    uint32_t *crcs;        /* one for each layer */
    uint32_t trace;        /* 1: `crcs` are made, 0: they are zeros */
} ts_network;

/* An input [C, R, Q] and its windows: token row `skip` + i is window i in row-major order, channel
 * by channel; the first `skip` rows are zeros. */
typedef struct {
    uint32_t C, R, Q;
    uint32_t kernel_rows, kernel_columns, stride_rows, stride_columns;
    uint32_t skip;
} ts_network_windows;

/* `patches` [rows, C * kernel_rows * kernel_columns]. */
static inline void ts_network_patches(const ts_team *team, const ts_network_windows *w,
                                      const int8_t *input, uint32_t rows, int8_t *patches) {
    const uint32_t across = (w->Q - w->kernel_columns) / w->stride_columns + 1;
    const uint32_t bytes = w->C * w->kernel_rows * w->kernel_columns;
    const ts_range share = ts_team_share(team, rows);
    for (uint32_t row = share.begin; row < share.end; row++) {
        int8_t *to = patches + row * bytes;
        if (row < w->skip) {
            for (uint32_t i = 0; i < bytes; i++)
                to[i] = 0;
            continue;
        }
        const uint32_t window = row - w->skip;
        const uint32_t top = window / across * w->stride_rows;
        const uint32_t left = window % across * w->stride_columns;
        for (uint32_t c = 0; c < w->C; c++)
            for (uint32_t r = 0; r < w->kernel_rows; r++)
                for (uint32_t q = 0; q < w->kernel_columns; q++)
                    *to++ = input[(c * w->R + top + r) * w->Q + left + q];
    }
}

/* Ends layer `layer`: all cores are done with `tensor`, whose CRC-32 core 0 keeps if asked to. No
 * core writes to it before core 0 is there, too: it lives until the next layer has ended. */
static inline void ts_network_end_layer(const ts_team *team, const ts_network *n, uint32_t layer,
                                        const int8_t *tensor, uint32_t bytes) {
    ts_team_barrier(team);
    if (team->core == 0)
        n->crcs[layer] = n->trace ? ts_crc32(0, tensor, bytes) : 0;
}

#endif
