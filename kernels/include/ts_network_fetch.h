// SPDX-License-Identifier: Apache-2.0
/* A layer's arrays, copied next to the cores while the layer before it computes. Where all weights
 * are near already, nothing is copied and they are read where they are. */
#ifndef TS_NETWORK_FETCH_H
#define TS_NETWORK_FETCH_H

#include "ts_dma.h"
#include "ts_network.h"

/* Core 0 begins to copy `bytes` of the weights, from byte `first` on. */
static inline ts_dma_group ts_network_fetch(const ts_team *team, const ts_network *n,
                                            uint32_t first, int8_t *copy, uint32_t bytes) {
    if (team->core != 0 || !ts_dma_is_far(n->weights))
        return 0;
    const ts_dma_group group = ts_dma_begin();
    ts_dma_copy(group, copy, n->weights + first, bytes);
    return group;
}

/* Core 0 waits for them; the other cores have them behind the next barrier. */
static inline void ts_network_fetched(const ts_team *team, const ts_network *n,
                                      ts_dma_group group) {
    if (team->core == 0 && ts_dma_is_far(n->weights))
        ts_dma_wait(group);
}

/* Where byte 0 of the weights would be for a layer whose arrays begin with byte `first`. */
static inline const int8_t *ts_network_near(const ts_network *n, uint32_t first,
                                            const int8_t *copy) {
    return ts_dma_is_far(n->weights) ? (const int8_t *)((uintptr_t)copy - first) : n->weights;
}

#endif
