/* SPDX-License-Identifier: Apache-2.0 */
/* An encoder block of four rows for XpulpV2 where each core has one head, an equal share of every
 * linear layer's columns and nothing to round or scale per channel. What ts_xpulp_joined.h does,
 * with the same result and in the same memory.
 *
 * At S = 4 most of the time that is not products is spent on fetching code that runs once: 16 bytes
 * that are not in the instruction cache cost as much as 18 instructions. So there is little of it.
 * A core takes its head from the queries to the context without waiting for the others. Weights and
 * biases that lie far are fetched two linear layers ahead, into two slots. */
#ifndef TS_XPULP_BRIEF_H
#define TS_XPULP_BRIEF_H

#include "ts_xpulp_four.h"
#include "ts_xpulp_joined.h"

/* It lies before ts_xp_four (targets/gap9/link.ld). */
#define TS_XP_SHORT static __attribute__((noinline, unused, section(".text.hot.short"))) TS_XP_SMALL

/* Slots, in turn. */
enum { TS_XP_SLOT_1, TS_XP_SLOT_0 };

/* The linear layers, scores and context. */
#define TS_XP_BRIEF_PRODUCTS (TS_XP_LINEARS + 2u)

typedef struct {
    const ts_encoder_block_args *args;
    uint32_t core, far;
    uint32_t linear, next; /* to be fetched, and to be run */
    int32_t *factors;      /* of all products, less one; the team's */
    int8_t *room[2];       /* slots */
    ts_xp_given ready[2];  /* what is in them, or would be */
    ts_dma_group groups[2];
    ts_dma_group early[3]; /* of constants */
    ts_xp_four four;
    const ts_encoder_norm *norms[2]; /* these and the following from where they are to be read */
    const uint32_t *pairs;
    const int8_t *gelu;
    ts_encoder_norm near[2];
} ts_xp_brief;
_Static_assert(sizeof(ts_xp_brief) <= TS_XP_JOINED_OWN || sizeof(void *) > 4, "as kernel.yaml");

/* This core's share of the factors of all products, less one: -1 where ts_xp_fast4 does not do, or
 * where other weights are far but not these. */
static TS_XP_INLINE void ts_xp_brief_scale(const ts_xp_brief *b, const ts_team *team) {
    const ts_encoder_block_args *args = b->args;
    for (uint32_t i = team->core; i < TS_XP_BRIEF_PRODUCTS; i += team->cores) {
        const ts_requant *requant = ts_xp_joined_requant(args, i);
        uint32_t bound = 255 * 128;
        int even = 1;
        if (i < TS_XP_LINEARS) {
            const ts_xp_given given = ts_xp_joined_given(args, i);
            even = !b->far || (ts_dma_is_far(given.weight) && ts_dma_is_far(given.bias));
            uint32_t depth = i == TS_XP_DOWN ? args->shape.F : args->shape.E;
            if (i == TS_XP_O)
                depth = args->shape.H * args->shape.P;
            bound = (uint32_t)given.bias[0] + depth * 128 * 128;
        } else if (i == TS_XP_LINEARS) {
            bound = args->shape.P * 128 * 128;
        }
        const uint32_t shift = 16u - requant->shift;
        const uint32_t factor = (uint32_t)requant->mul[0] << (shift & 31);
        const uint64_t product = (uint64_t)bound * factor;
        const uint32_t other = requant->per_channel | requant->round_half_up | shift >> 31;
        b->factors[i] = !even || other | (uint32_t)(product >> 31) ? -1 : (int32_t)factor - 1;
    }
}

/* Whether all of them will do. */
static TS_XP_INLINE int ts_xp_brief_is_fast(const ts_xp_brief *b) {
    const int32_t *f = b->factors;
    return (f[0] | f[1] | f[2] | f[3] | f[4] | f[5] | f[6] | f[7]) >= 0;
}

/* Begins to fetch what this core needs of the next linear layer, `blocks` blocks of columns. */
TS_XP_SHORT void ts_xp_brief_fetch(ts_xp_brief *b, uint32_t slot, uint32_t depth, uint32_t blocks) {
    ts_xp_given given = ts_xp_joined_given(b->args, b->linear++);
    const uint32_t bytes = 4 * depth * blocks;
    given.bias += 4 + b->core * 4 * blocks;
    given.weight += b->core * bytes;
    if (b->far) {
        int8_t *const room = b->room[slot];
        b->groups[slot] = ts_dma_begin_two(room, given.weight, bytes, given.bias, 16 * blocks);
        given.weight = room;
        given.bias = (const int32_t *)(const void *)(room + bytes);
    }
    b->ready[slot] = given;
}

/* What the next linear layer needs is there. */
TS_XP_SHORT ts_xp_given ts_xp_brief_wait(ts_xp_brief *b, uint32_t slot) {
    if (b->far)
        ts_dma_wait(b->groups[slot]);
    return b->ready[slot];
}

/* Runs a linear layer. */
TS_XP_SHORT void ts_xp_brief_run(ts_xp_brief *b, uint32_t slot, const int8_t *left, uint32_t depth,
                                 uint32_t blocks, int8_t *output) {
    ts_xp_four *four = &b->four;
    const ts_xp_given given = ts_xp_brief_wait(b, slot);
    four->left = left;
    four->steps = depth / 4;
    four->blocks = blocks;
    four->output = output;
    four->right = given.weight;
    four->bias = given.bias;
    four->factors[5] = b->factors[b->next++];
    ts_xp_four_layer(four);
}

/* Normalised rows in the output. Cores share a row where there are fewer rows than cores; columns
 * are a multiple of four times their number. */
TS_XP_SHORT void ts_xp_brief_normalise(const ts_xp_brief *b, uint32_t which, const int8_t *input) {
    const ts_encoder_norm *given = b->norms[which];
    const ts_xp_norm norm = {given->weight, given->bias, given->shift};
    const uint32_t E = b->args->shape.E, cores = b->args->shape.H;
    uint32_t units = b->args->shape.S, halvings = 0;
    for (; 2 * units <= cores; units *= 2)
        halvings++;
    for (uint32_t unit = b->core; unit < units; unit += cores) {
        const uint32_t row = (unit >> halvings) * E, width = E >> halvings;
        const uint32_t column = (unit & ((1u << halvings) - 1)) * width;
        ts_xp_normalise_elements(&norm, ts_xp_measure(input + row, E), input + row, column,
                                 column + width, b->args->output + row);
    }
}

/* A residual's columns of this core, and a layer's in panels. */
TS_XP_SHORT void ts_xp_brief_add(const ts_xp_brief *b, const ts_encoder_add *add,
                                 const int8_t *residual, const int8_t *panels, int8_t *output) {
    const uint32_t E = b->args->shape.E;
    const ts_xp_addition addition =
        ts_xp_addition_of(add->residual_mul, add->layer_mul, add->shift, add->round_half_up);
    for (uint32_t blocks = b->four.blocks; blocks; blocks--, residual += 4, output += 4) {
        ts_xp_add_strided(&addition, residual, E, panels, 4, output, E, 4);
        panels += 16;
    }
}

/* Whether the shape is one of these: 1, 2, 4 or 8 cores, each with a head and as many whole blocks
 * of the other layers' columns. */
static inline int ts_xp_brief_suits(const ts_shape *shape, uint32_t cores) {
    const uint32_t all = 4 * cores - 1;
    return !((shape->S ^ 4) | (shape->P & 3) | ((shape->E | shape->F) & all) |
             (cores & (cores - 1)) | (shape->H ^ cores));
}

/* Bytes of the constants' room. */
static inline uint32_t ts_xp_brief_constants_bytes(const ts_shape *shape) {
    return 12 * shape->E + 256 + 4096;
}

/* Where a normalisation's parameters will be; a core fetches them. */
TS_XP_SHORT void ts_xp_brief_fetch_norm(ts_xp_brief *b, uint32_t which, int8_t *room) {
    const uint32_t E = b->args->shape.E;
    const ts_encoder_norm *from = b->norms[which];
    ts_encoder_norm *to = &b->near[which];
    b->norms[which] = to;
    to->shift = from->shift;
    to->weight = (const int16_t *)(const void *)room;
    to->bias = (const int32_t *)(const void *)(room + 2 * E);
    if (b->core == (which & (b->args->shape.H - 1)))
        b->early[which] = ts_dma_begin_two(room, from->weight, 2 * E, from->bias, 4 * E);
}

/* Begins to fetch the constants, all of them far: core 0 those of the first normalisation. */
TS_XP_SHORT void ts_xp_brief_begin_far(ts_xp_brief *b, int8_t *room) {
    const uint32_t E = b->args->shape.E, last = b->args->shape.H - 1;
    ts_xp_brief_fetch_norm(b, 0, room);
    ts_xp_brief_fetch_norm(b, 1, room + 6 * E);
    room += 12 * E;
    if (b->core == (2 & last))
        b->early[2] = ts_dma_begin_two(room, b->pairs, 4096, b->gelu, 256);
    b->pairs = (const uint32_t *)(const void *)room;
    b->gelu = room + 4096;
}

/* Bytes of a slot of weights and biases: those of queries, values and the first layer of the
 * feed-forward network, or those of keys, output projection and the second layer. */
static inline uint32_t ts_xp_brief_slot_0(const ts_shape *shape, uint32_t cores) {
    const uint32_t up = shape->F / 4 >> p_ff1(cores), head = shape->P / 4;
    return (4 * shape->E + 16) * p_maxu(up, head);
}

static inline uint32_t ts_xp_brief_slot_1(const ts_shape *shape, uint32_t cores) {
    const uint32_t deep = p_maxu(cores * shape->P, shape->F);
    const uint32_t keys = (4 * shape->E + 16) * (shape->P / 4);
    const uint32_t rows = (4 * deep + 16) * (shape->E / 4 >> p_ff1(cores));
    return p_maxu(keys, rows);
}

/* Bytes of attention or of hidden values. */
static inline uint32_t ts_xp_brief_memory(const ts_shape *shape, uint32_t cores) {
    const uint32_t S = shape->S, attention = cores * (3 * shape->P + S);
    return S * p_maxu(attention, shape->F);
}

/* Bytes of scratch memory. */
static inline uint32_t ts_xp_brief_bytes(const ts_shape *shape, uint32_t cores) {
    return TS_XP_JOINED_SHARED + cores * TS_XP_JOINED_OWN + ts_align16(shape->S * shape->E) +
           ts_xp_brief_memory(shape, cores) +
           cores * (ts_xp_brief_slot_0(shape, cores) + ts_xp_brief_slot_1(shape, cores) + 4) +
           ts_xp_brief_constants_bytes(shape);
}

/* Whether it is done; where not all products are fast, the first normalisation alone is. */
TS_XP_SHORT int ts_xp_brief_block(const ts_team *team, const ts_encoder_block_args *args,
                                  int8_t *scratch) {
    const uint32_t E = args->shape.E, P = args->shape.P, F = args->shape.F;
    const uint32_t core = team->core, cores = team->cores, HP = cores * P, log = p_ff1(cores);
    int8_t *const own = scratch + TS_XP_JOINED_SHARED;
    int8_t *const sum = own + cores * TS_XP_JOINED_OWN;
    int8_t *const memory = sum + ts_align16(4 * E), *const queries = memory + core * 4 * P;
    int8_t *const keys = memory + 4 * HP + core * (8 * P + 16);
    int8_t *const output = args->output;
    const uint32_t slot_0 = ts_xp_brief_slot_0(&args->shape, cores);
    const uint32_t slots = slot_0 + ts_xp_brief_slot_1(&args->shape, cores) + 4;
    int8_t *const end = memory + ts_xp_brief_memory(&args->shape, cores);
    ts_xp_brief *const b = (void *)(own + core * TS_XP_JOINED_OWN);
    b->args = args;
    b->core = core;
    b->factors = ((ts_xp_joined_shared *)(void *)scratch)->factors;
    b->far = (uint32_t)ts_dma_is_far(args->q_weight);
    b->linear = b->next = TS_XP_Q;
    b->norms[0] = &args->norm1;
    b->norms[1] = &args->norm2;
    b->pairs = args->softmax.entries + 256;
    b->gelu = args->gelu_table;
    b->room[TS_XP_SLOT_0] = end + core * slots; /* each core's in other banks */
    b->room[TS_XP_SLOT_1] = b->room[TS_XP_SLOT_0] + slot_0;
    if (b->far)
        ts_xp_brief_begin_far(b, end + cores * slots);
    ts_xp_brief_scale(b, team);
    ts_xp_brief_fetch(b, TS_XP_SLOT_0, E, P / 4);
    if (b->far) {
        if (!core)
            ts_dma_wait(b->early[0]);
        ts_team_barrier(team);
    }
    ts_xp_brief_normalise(b, 0, args->input);
    if (b->far)
        for (uint32_t which = core ? core : cores; which < 3; which += cores)
            ts_dma_wait(b->early[which]);
    ts_xp_brief_fetch(b, TS_XP_SLOT_1, E, P / 4);
    ts_team_barrier(team);
    if (!ts_xp_brief_is_fast(b)) {
        if (b->far) {
            ts_dma_wait(b->groups[TS_XP_SLOT_0]);
            ts_dma_wait(b->groups[TS_XP_SLOT_1]);
            ts_team_barrier(team); /* nothing of another core's is on its way any more */
        }
        return 0;
    }
    ts_xp_four *const four = &b->four;
    four->left_row = E;
    four->left_turn = 4 - 3 * E;
    ts_xp_brief_run(b, TS_XP_SLOT_0, output, E, P / 4, queries);
    ts_xp_brief_fetch(b, TS_XP_SLOT_0, E, P / 4);
    ts_xp_brief_run(b, TS_XP_SLOT_1, output, E, P / 4, keys);
    const uint32_t blocks = E / 4 >> log, column = core * 4 * blocks;
    ts_xp_brief_fetch(b, TS_XP_SLOT_1, HP, blocks);
    const ts_xp_given values = ts_xp_brief_wait(b, TS_XP_SLOT_0);
    four->v_weight = values.weight;
    four->v_bias = values.bias;
    four->factors[2] = b->factors[b->next++];
    four->factors[3] = b->factors[TS_XP_LINEARS];
    four->factors[4] = b->factors[TS_XP_LINEARS + 1];
    four->queries = queries;
    four->keys = keys;
    four->output = keys + 4 * P;
    four->pairs = b->pairs;
    four->heads = 1;
    four->head_blocks = P / 4;
    four->zeros[0] = four->zeros[1] = four->zeros[2] = four->zeros[3] = 0;
    ts_xp_four_values(four);
    ts_xp_brief_fetch(b, TS_XP_SLOT_0, E, F / 4 >> log);
    four->left_row = four->left_turn = 4;
    ts_team_barrier(team);
    int8_t *panels = output + 4 * column;
    ts_xp_brief_run(b, TS_XP_SLOT_1, memory, HP, blocks, panels);
    ts_xp_brief_add(b, &args->add1, args->input + column, panels, sum + column);
    ts_xp_brief_fetch(b, TS_XP_SLOT_1, F, blocks);
    ts_team_barrier(team);
    ts_xp_brief_normalise(b, 1, sum);
    four->left_row = E;
    four->left_turn = 4 - 3 * E;
    ts_team_barrier(team);
    int8_t *hidden = memory + core * 4 * (F >> log);
    ts_xp_brief_run(b, TS_XP_SLOT_0, output, E, F / 4 >> log, hidden);
    ts_xp_look_up_words(hidden, b->gelu, F >> log, hidden);
    four->left_row = four->left_turn = 4;
    ts_team_barrier(team);
    panels = b->room[TS_XP_SLOT_0];
    ts_xp_brief_run(b, TS_XP_SLOT_1, memory, F, blocks, panels);
    ts_xp_brief_add(b, &args->add2, sum + column, panels, output + column);
    return 1;
}

/* Whether what is fetched before ts_xp_brief_is_fast is far if the weights of the queries are. */
static TS_XP_INLINE int ts_xp_brief_is_even(const ts_encoder_block_args *args) {
    if (!ts_dma_is_far(args->q_weight))
        return 1;
    return ts_dma_is_far(args->norm1.weight) && ts_dma_is_far(args->norm1.bias) &&
           ts_dma_is_far(args->norm2.weight) && ts_dma_is_far(args->norm2.bias) &&
           ts_dma_is_far(args->q_bias) && ts_dma_is_far(args->k_weight) &&
           ts_dma_is_far(args->k_bias) && ts_dma_is_far(args->softmax.entries) &&
           ts_dma_is_far(args->gelu_table);
}

/* Whether this was such a block, and is done. `scratch`: at least ts_xp_brief_bytes. */
static TS_XP_INLINE int ts_xp_brief_run_all(const ts_team *team, const ts_encoder_block_args *args,
                                            int8_t *scratch) {
    return ts_xp_brief_suits(&args->shape, team->cores) && ts_xp_brief_is_even(args) &&
           args->softmax.entries[256] && ts_xp_brief_block(team, args, scratch);
}

#endif
