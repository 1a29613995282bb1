/* SPDX-License-Identifier: Apache-2.0 */
/* Operands in layout panels. Scratch: the input as panels, the inner products of all heads or as
 * many as ts_fwsa_group says, maps, and what odd shapes need. */
#include "fwsa.h"
#include "ts_xpulp_maps.h"

/* The inner products of a group of heads take at most about this many bytes. */
#define GROUP_BYTES 32768u

typedef struct {
    const ts_fwsa_args *args;
    ts_xp_input input;
    uint32_t group, parts, first_head;
    int8_t *keys, *inner, *copy, *spread;
    ts_xp_maps maps;
} work;

static int8_t *lay_out(work *w, const ts_shape *shape, uint32_t cores, int8_t *at) {
    const uint32_t E = ts_xp_align4(shape->E), rows = ts_xp_whole_tiles(shape->S);
    const uint32_t bytes = shape->H * rows * E;
    w->group = ts_ceil_div(shape->H, ts_min(shape->H, ts_ceil_div(bytes, GROUP_BYTES)));
    w->keys = at;
    w->inner = w->keys + ts_xp_align4(shape->S) * E;
    w->maps.maps = w->inner + w->group * rows * E;
    w->copy = w->maps.maps + ts_xp_map_bytes(shape, cores);
    w->spread = w->copy + (ts_xp_copies(shape->S, shape->E) ? rows * E : 0);
    return w->spread + (shape->E & 3 ? TS_XP_SPREAD_BYTES * shape->H * E : 0);
}

uint32_t ts_fwsa_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    work w;
    return (uint32_t)(uintptr_t)lay_out(&w, shape, cores, NULL);
}

/* This core's share of the input's words into panels. */
TS_XP_STAGE void pack_keys(const ts_team *team, const work *w) {
    const uint32_t words = w->input.depth / 4;
    const ts_range share = ts_team_share(team, w->args->shape.S);
    for (uint32_t row = share.begin; row < share.end; row++) {
        const uint32_t *from = (const uint32_t *)(w->input.left + row * w->input.depth);
        uint32_t *to = (uint32_t *)w->keys + row / 4 * 4 * words + (row & 3);
        for (uint32_t i = 0; i < words; i++)
            to[4 * i] = from[i];
    }
}

/* Inner products of some rows of a head. `group`: head and part of its columns. */
static void project(void *context, uint32_t group, uint32_t first, uint32_t rows) {
    const work *w = context;
    const ts_fwsa_args *args = w->args;
    const uint32_t E = w->input.depth, head = group / w->parts, part = group - head * w->parts;
    const uint32_t begin = part * E / 4 / w->parts, end = (part + 1) * E / 4 / w->parts;
    const uint32_t block = (w->first_head + head) * E / 4 + begin;
    ts_xp_call call;
    ts_xp_set_linear(&call, &w->input, args->weight, args->bias, &args->requant, block);
    ts_xp_set_output(&call, w->inner + head * w->maps.query_head + 4 * begin, E, end - begin);
    if (args->shape.E & 3) {
        call.bias = (const int32_t *)w->spread + 4 * block;
        if (call.factors_step)
            call.factors = (const uint16_t *)(w->spread + 4 * args->shape.H * E) + 4 * block;
    }
    ts_xp_run(&call, 1, first, rows);
}

void ts_fwsa_xpulp(const ts_team *team, const ts_fwsa_args *args, void *scratch) {
    const ts_shape *shape = &args->shape;
    const uint32_t E = ts_xp_align4(shape->E);
    work w = {.args = args, .input = {args->input, E, shape->H * shape->E}};
    lay_out(&w, shape, team->cores, scratch);
    if (shape->E & 3)
        ts_xp_spread(team, w.spread, args->bias + 4, &args->requant, shape->H, shape->E);
    if (ts_xp_copies(shape->S, shape->E)) {
        w.input.left = w.copy;
        ts_xp_copy_in(team, w.copy, args->input, shape->S, shape->E);
        ts_team_barrier(team);
    }
    pack_keys(team, &w);
    w.maps.team = team;
    w.maps.shape = *shape;
    w.maps.queries = w.inner;
    w.maps.query_head = ts_xp_whole_tiles(shape->S) * E;
    w.maps.query_row = w.maps.depth = E;
    w.maps.copy = NULL;
    w.maps.one_step = NULL;
    w.maps.keys = w.keys;
    w.maps.requant = &args->scores_requant;
    w.maps.table = &args->table;
    w.maps.output = args->output;
    for (w.first_head = 0; w.first_head < shape->H; w.first_head += w.group) {
        const uint32_t heads = ts_min(w.group, shape->H - w.first_head);
        w.maps.shape.H = heads;
        w.parts = ts_xp_parts(team, heads * ts_xp_tiles(shape->S, 0), E / 4);
        if (w.first_head)
            ts_team_barrier(team); /* the previous group's inner products are used */
        ts_xp_for_pieces(team, heads * w.parts, shape->S, 0, project, &w);
        ts_team_barrier(team);
        ts_xp_map_all(&w.maps);
        w.maps.output += heads * shape->S * shape->S;
    }
}
