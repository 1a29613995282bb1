/* SPDX-License-Identifier: Apache-2.0 */
/* Attention maps for XpulpV2: scores of a few rows at a time in a buffer of the core, softmax
 * there, and out to the map, whose rows have their exact size. */
#ifndef TS_XPULP_MAPS_H
#define TS_XPULP_MAPS_H

#include "ts_xpulp_prepare.h"
#include "ts_xpulp_share.h"
#include "ts_xpulp_softmax.h"

#define TS_XP_MAP_ROWS 8u

typedef struct {
    const ts_team *team;
    ts_shape shape;
    const int8_t *queries; /* head after head, rows `query_row` bytes apart */
    uint32_t query_head, query_row;
    const int8_t *keys; /* panels */
    uint32_t key_head;
    uint32_t depth;
    const ts_requant *requant; /* per tensor */
    const ts_softmax_table *table;
    uint8_t *output; /* [H, S, S] */
    int8_t *maps;    /* scratch, ts_xp_map_bytes */
} ts_xp_maps;

static inline uint32_t ts_xp_map_bytes(const ts_shape *shape, uint32_t cores) {
    return cores * ts_xp_align4(shape->S) * (TS_XP_MAP_ROWS + 2);
}

/* Some rows of a head's map. */
TS_XP_STAGE void ts_xp_map_rows(void *context, uint32_t head, uint32_t first, uint32_t rows) {
    const ts_xp_maps *m = context;
    const uint32_t n = m->shape.S, S = ts_xp_align4(n);
    int8_t *map = m->maps + m->team->core * S * (TS_XP_MAP_ROWS + 2);
    uint8_t *output = m->output + (head * n + first) * n;
    ts_xp_call call;
    ts_xp_set_product(&call, TS_XP_ZERO, NULL, m->query_row, m->keys + head * m->key_head,
                      m->depth);
    ts_xp_set_output(&call, NULL, S, S / 4);
    ts_xp_set_scale(&call, m->requant, 0, m->depth * 128 * 128, 0);
    for (const uint32_t end = first + rows; first < end; first += TS_XP_MAP_ROWS) {
        const uint32_t chunk = ts_min(TS_XP_MAP_ROWS, end - first);
        call.left = m->queries + head * m->query_head + first * m->query_row;
        call.output = map;
        ts_xp_run(&call, 1, 0, chunk);
        ts_xp_softmax_map(map, n, chunk, m->table, (uint32_t *)(map + S * TS_XP_MAP_ROWS));
        for (uint32_t row = 0; row < chunk; row++, output += n)
            ts_xp_copy_bytes(output, map + row * S, n);
    }
}

/* All maps; the queries and keys are those of the whole team. */
static inline void ts_xp_map_all(ts_xp_maps *maps) {
    ts_xp_for_pieces(maps->team, maps->shape.H, maps->shape.S, 1, ts_xp_map_rows, maps);
}

#endif
