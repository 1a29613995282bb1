/* SPDX-License-Identifier: Apache-2.0 */
/* Operands that may lie in far memory, brought next to the cores by DMA ahead of their use. */
#ifndef TS_XPULP_FETCH_H
#define TS_XPULP_FETCH_H

#include "ts_dma.h"
#include "ts_xpulp_scale.h"

#define TS_XP_NO_GROUP (~(ts_dma_group)0)

/* Copies under way of one core, and where the next one goes. */
typedef struct {
    ts_dma_group group; /* TS_XP_NO_GROUP: none */
    int8_t *room;       /* on a word; advances */
} ts_xp_fetch_group;

/* Where `bytes` bytes, a multiple of 4, at `from` will be once the group is complete: there if that
 * is near, in the room otherwise. The group has to be the one that this core has begun last. */
TS_XP_STAGE const void *ts_xp_fetch_from(ts_xp_fetch_group *to, const void *from, uint32_t bytes) {
    int8_t *near = to->room;
    if (!ts_dma_is_far(from))
        return from;
    if (to->group == TS_XP_NO_GROUP)
        to->group = ts_dma_begin();
    ts_dma_copy(to->group, near, from, bytes);
    to->room = near + bytes;
    return near;
}

/* Returns when all copies of a group are complete. */
static inline void ts_xp_fetch_end(ts_xp_fetch_group *group) {
    if (group->group != TS_XP_NO_GROUP)
        ts_dma_wait(group->group);
    group->group = TS_XP_NO_GROUP;
}

#endif
