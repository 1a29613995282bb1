/* SPDX-License-Identifier: Apache-2.0 */
/* Attention maps for XpulpV2: scores of a few rows at a time in a buffer of the core, softmax from
 * there to the map, whose rows have their exact size. */
#ifndef TS_XPULP_MAPS_H
#define TS_XPULP_MAPS_H

#include "ts_xpulp_pack.h"
#include "ts_xpulp_prepare.h"
#include "ts_xpulp_share.h"
#include "ts_xpulp_softmax.h"

#define TS_XP_MAP_ROWS 8u

typedef struct {
    const ts_team *team;
    ts_shape shape;
    const int8_t *queries; /* head after head, rows `query_row` bytes apart */
    uint32_t query_head, query_row;
    int8_t *copy;       /* of some rows of queries; NULL if all have room for whole tiles */
    const int8_t *keys; /* panels */
    uint32_t key_head;
    uint32_t depth;
    ts_xp_narrow_fn *one_step; /* for a depth of 4, or NULL */
    const ts_requant *requant; /* per tensor */
    const ts_softmax_table *table;
    uint8_t *output; /* [H, S, S] */
    int8_t *maps;    /* scratch, ts_xp_map_bytes */
} ts_xp_maps;

static inline uint32_t ts_xp_map_bytes(const ts_shape *shape, uint32_t cores) {
    return cores * ts_xp_align4(shape->S) * (TS_XP_MAP_ROWS + 2);
}

/* Softmax of scores in rows of words to `rows` rows of a map. What follows those there is written
 * afterwards, or not by this core if they are the `last`. In place where rows of the map are whole
 * words. `buffer`: of 2 * align4(n) bytes. */
static inline void ts_xp_map_softmax(int8_t *scores, uint8_t *output, uint32_t n, uint32_t rows,
                                     uint32_t last, const ts_softmax_table *table,
                                     uint32_t *buffer) {
    const uint32_t S = ts_xp_align4(n), *pairs = table->entries + 256;
    if (!pairs[0] || n > TS_XP_PAIRS_LONGEST) {
        const ts_xp_rows all = {scores, output, 4, 4, S, n, rows, n, 0};
        ts_xp_softmax_rows(&all, table);
        return;
    }
    last = last && n != S;
    if (rows > last)
        ts_xp_softmax_exact(scores, output, n, rows - last, pairs, buffer);
    if (last) {
        scores += (rows - 1) * S;
        ts_xp_softmax_exact(scores, (uint8_t *)scores, n, 1, pairs, buffer);
        ts_xp_copy_bytes(output + (rows - 1) * n, scores, n);
    }
}

/* Some rows of a head's map. */
TS_XP_STAGE void ts_xp_map_rows(void *context, uint32_t head, uint32_t first, uint32_t rows) {
    const ts_xp_maps *m = context;
    const uint32_t n = m->shape.S, S = ts_xp_align4(n);
    const int8_t *queries = m->queries + head * m->query_head + first * m->query_row;
    int8_t *map = m->maps + m->team->core * S * (TS_XP_MAP_ROWS + 2);
    uint8_t *output = m->output + (head * n + first) * n;
    ts_xp_call call;
    ts_xp_set_product(&call, TS_XP_ZERO, NULL, m->depth, m->keys + head * m->key_head, m->depth);
    ts_xp_set_output(&call, map, S, S / 4);
    ts_xp_set_scale(&call, m->requant, 0, m->depth * 128 * 128, 0);
    const int one_step = m->one_step && m->depth == 4 && (n & 3) != 1 && call.path == TS_XP_FAST;
    while (rows) {
        /* no single row left behind */
        const uint32_t chunk = rows == TS_XP_MAP_ROWS + 1 ? 4 : ts_min(TS_XP_MAP_ROWS, rows);
        const int copies = m->copy && (m->query_row < m->depth || (chunk & 3) > 1);
        if (copies)
            ts_xp_copy_rows(m->copy, queries, chunk, m->query_row);
        call.left = copies ? m->copy : queries;
        call.left_row = copies ? m->depth : m->query_row;
        call.output = map;
        if (one_step) {
            call.tiles = (chunk + 3) / 4;
            m->one_step(&call);
        } else {
            ts_xp_run_rows(&call, 1, chunk);
        }
        rows -= chunk;
        ts_xp_map_softmax(map, output, n, chunk, !rows, m->table,
                          (uint32_t *)(map + TS_XP_MAP_ROWS * S));
        output += chunk * n;
        queries += chunk * m->query_row;
    }
}

/* All maps; the queries and keys are those of the whole team. */
static inline void ts_xp_map_all(ts_xp_maps *maps) {
    ts_xp_for_pieces(maps->team, maps->shape.H, maps->shape.S, 1, ts_xp_map_rows, maps);
}

#endif
