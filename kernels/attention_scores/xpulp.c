/* SPDX-License-Identifier: Apache-2.0 */
/* Operands in layout panels. Scratch: the keys of some heads as panels, per core the scores of a
 * few rows, and their queries where those are no whole words or tiles. */
#include "attention_scores.h"
#include "ts_xpulp_maps.h"

static uint32_t key_bytes(const ts_shape *shape) {
    return ts_xp_align4(shape->S) * ts_xp_align4(shape->P);
}

/* Of a core. */
static uint32_t copy_bytes(const ts_shape *shape) {
    return shape->P & 3 || (shape->S & 3) > 1 ? TS_XP_MAP_ROWS * ts_xp_align4(shape->P) : 0;
}

static int is_short(const ts_shape *shape) { return shape->S == 4 && !(shape->P & 3); }

/* Of a core: the keys of a head, exponentials of a row. */
static uint32_t short_bytes(const ts_shape *shape) { return 4 * shape->P + 8; }

uint32_t ts_attention_scores_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    if (is_short(shape))
        return cores * short_bytes(shape);
    return ts_xp_panel_heads(shape->H, key_bytes(shape)) * key_bytes(shape) +
           ts_xp_map_bytes(shape, cores) + cores * copy_bytes(shape);
}

/* Some heads of one tile of rows: a core packs their keys itself. Maps of whole words, in place. */
TS_XP_STAGE void run_short(const ts_team *team, const ts_attention_scores_args *args,
                           int8_t *scratch) {
    const uint32_t P = args->shape.P;
    const ts_range heads = ts_xp_share(team, args->shape.H);
    int8_t *panel = scratch + team->core * short_bytes(&args->shape);
    ts_xp_call call;
    ts_xp_set_product(&call, TS_XP_ZERO, NULL, P, panel, P);
    ts_xp_set_output(&call, NULL, 4, 1);
    ts_xp_set_scale(&call, &args->requant, 0, P * 128 * 128, 0);
    for (uint32_t head = heads.begin; head < heads.end; head++) {
        int8_t *map = (int8_t *)args->output + 16 * head;
        const int8_t *key = args->key + head * args->key_head_stride;
        for (uint32_t row = 0; row < 4; row++)
            ts_xp_copy_row(panel + 4 * row, 16, key + row * P, P);
        call.left = args->query + 4 * P * head;
        call.output = map;
        ts_xp_run_rows(&call, 1, 4);
        ts_xp_map_softmax(map, (uint8_t *)map, 4, 4, 0, &args->table, (uint32_t *)(panel + 4 * P));
    }
}

TS_XP_STAGE void run_panels(const ts_team *team, const ts_attention_scores_args *args,
                            int8_t *scratch) {
    const ts_shape *shape = &args->shape;
    const uint32_t S = shape->S, P = shape->P, head = key_bytes(shape);
    const uint32_t group = ts_xp_panel_heads(shape->H, head), own = copy_bytes(shape);
    int8_t *panels = scratch;
    ts_xp_maps maps;
    maps.team = team;
    maps.shape = *shape;
    maps.queries = args->query;
    maps.query_head = S * P;
    maps.query_row = P;
    maps.keys = panels;
    maps.key_head = args->key_head_stride ? head : 0; /* or all share one */
    maps.depth = ts_xp_align4(P);
    maps.one_step = ts_xp_narrow_scores;
    maps.requant = &args->requant;
    maps.table = &args->table;
    maps.output = args->output;
    maps.maps = panels + group * head;
    maps.copy = own ? maps.maps + ts_xp_map_bytes(shape, team->cores) + team->core * own : NULL;
    /* Cores that have whole heads pack their own keys alone. */
    const uint32_t mask = team->cores - 1;
    const int apart = args->key_head_stride && group == shape->H && !((team->cores | group) & mask);
    for (uint32_t first = 0; first < shape->H; first += group) {
        maps.shape.H = ts_min(group, shape->H - first);
        if (first)
            ts_team_barrier(team); /* the previous group's keys are used */
        ts_xp_pack_panels(team, panels, args->key + first * args->key_head_stride,
                          args->key_head_stride ? maps.shape.H : 1, S, P);
        if (!apart)
            ts_team_barrier(team);
        ts_xp_map_all(&maps);
        maps.queries += group * maps.query_head;
        maps.output += group * S * S;
    }
}

void ts_attention_scores_xpulp(const ts_team *team, const ts_attention_scores_args *args,
                               void *scratch) {
    (is_short(&args->shape) ? run_short : run_panels)(team, args, scratch);
}
