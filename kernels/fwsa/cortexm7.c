// SPDX-License-Identifier: Apache-2.0
/* Weights in layout panels4, table in reversed_bytes. Scratch: the input as 2-panels and, as keys,
 * as 4-panels, two rows of queries, their scores and their map, biases and multipliers of a head.
 */
#include "fwsa.h"
#include "ts_m7_maps.h"

typedef struct {
    int16_t *x, *key, *query;
    uint16_t *map;
    int8_t *scores;
    ts_m7_room room;
    uint32_t bytes;
} buffers;

static buffers place(const ts_shape *shape, uint8_t *scratch) {
    const uint32_t quads = ts_ceil_div(shape->S, 4), E = ts_m7_align4(shape->E);
    const uint32_t x = 8 * ts_ceil_div(shape->S, 2) * ts_m7_pairs(shape->E);
    const uint32_t sizes[] = {x, 8 * quads * E, 4 * E, 16 * quads, 8 * quads + 8, 4 * E, 4 * E};
    uint8_t *places[7];
    uint32_t used = 0;
    for (uint32_t i = 0; i < 7; i++) {
        places[i] = scratch + used;
        used += sizes[i];
    }
    return (buffers){
        .x = (int16_t *)(void *)places[0],
        .key = (int16_t *)(void *)places[1],
        .query = (int16_t *)(void *)places[2],
        .map = (uint16_t *)(void *)places[3],
        .scores = (int8_t *)places[4],
        .room = {(int32_t *)(void *)places[5], (int32_t *)(void *)places[6]},
        .bytes = used,
    };
}

uint32_t ts_fwsa_cortexm7_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return place(shape, NULL).bytes;
}

void ts_fwsa_cortexm7(const ts_team *team, const ts_fwsa_args *args, void *scratch) {
    if (team->core != 0)
        return;
    const ts_shape *shape = &args->shape;
    const uint32_t S = shape->S, E = shape->E;
    const buffers b = place(shape, scratch);
    const ts_m7_layer layer = {
        .shape = *shape,
        .width = E,
        .query = {(const int16_t *)args->weight, args->bias, args->requant},
    };
    ts_m7_expand_all(args->input, S, E, b.x);
    for (uint32_t row = 0; row < S; row += 4)
        ts_m7_expand_4(args->input, S, E, row, b.key + row * ts_m7_align4(E));
    const ts_m7_head head = {
        .query = b.query,
        .key = b.key,
        .softmax = ts_m7_softmax_of(&args->table, S),
        .score_tiles = b.scores,
    };
    const ts_m7_call scores = ts_m7_scores_call(&layer, &head);
    const ts_m7_scale scale = ts_m7_scale_all(args->scores_requant, 1);
    ts_m7_head_projection queries;
    ts_m7_set_queries(&queries, &layer);
    for (uint32_t h = 0; h < shape->H; h++) {
        ts_m7_queries_of(&queries, &layer, h, &b.room);
        for (uint32_t row = 0; row < S; row += 2) {
            ts_m7_project(&queries, b.x + 2 * row * ts_m7_pairs(E), 1, b.query);
            ts_m7_map_rows(&scores, &scale, &head.softmax, b.map, row, args->output + h * S * S);
        }
    }
}
