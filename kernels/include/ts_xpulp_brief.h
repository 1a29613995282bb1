/* SPDX-License-Identifier: Apache-2.0 */
/* An encoder block of few rows for XpulpV2 where each core has one head, an equal share of every
 * linear layer's columns and nothing to round or scale per channel. What ts_xpulp_joined.h does,
 * with the same result and in the same memory.
 *
 * At S = 4 most of the time that is not products is spent on fetching code that runs once: 16 bytes
 * that are not in the instruction cache cost as much as 18 instructions. So there is little of it.
 * A core takes its head from the queries to the context without waiting for the others. Weights and
 * biases that lie far are fetched two linear layers ahead, into two slots. */
#ifndef TS_XPULP_BRIEF_H
#define TS_XPULP_BRIEF_H

#include "ts_xpulp_joined.h"

#define TS_XP_BRIEF_ROWS 12u

/* It lies before the block product and the softmax (targets/gap9/link.ld). */
#ifndef TS_XP_SHORT
#define TS_XP_SHORT static __attribute__((noinline, unused, section(".text.hot.short"))) TS_XP_SMALL
#endif

/* Of `calls`: of the linear layers, in turn, and of the product after one that is in slot 0. */
enum { TS_XP_SLOT_1, TS_XP_SLOT_0, TS_XP_AFTER, TS_XP_BRIEF_CALLS };

/* The linear layers, scores and context. */
#define TS_XP_BRIEF_PRODUCTS (TS_XP_LINEARS + 2u)

typedef struct {
    const ts_encoder_block_args *args;
    uint32_t core, far;
    uint32_t linear, next; /* to be fetched, and to be run */
    int32_t *factors;      /* of all products, less one; the team's */
    int8_t *room[2];       /* by the calls' numbers */
    ts_dma_group groups[2];
    int8_t *constants;  /* where the next one goes */
    ts_dma_group early; /* of constants */
    ts_xp_call calls[TS_XP_BRIEF_CALLS];
    const ts_encoder_norm *norms[2]; /* these and the following from where they are to be read */
    const uint32_t *pairs;
    const int8_t *gelu;
    ts_encoder_norm near[2];
} ts_xp_brief;
_Static_assert(sizeof(ts_xp_brief) <= TS_XP_JOINED_OWN || sizeof(void *) > 4, "as kernel.yaml");

/* This core's share of the factors of all products, less one: -1 where ts_xp_fast4 does not do. */
TS_XP_SHORT void ts_xp_brief_scale(const ts_xp_brief *b, const ts_team *team) {
    const ts_encoder_block_args *args = b->args;
    for (uint32_t i = team->core; i < TS_XP_BRIEF_PRODUCTS; i += team->cores) {
        const ts_requant *requant = ts_xp_joined_requant(args, i);
        uint32_t bound = 255 * 128;
        if (i < TS_XP_LINEARS) {
            const ts_xp_given given = ts_xp_joined_given(args, i);
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
        b->factors[i] = other | (uint32_t)(product >> 31) ? -1 : (int32_t)factor - 1;
    }
}

/* Whether all of them will do. */
static TS_XP_INLINE int ts_xp_brief_is_fast(const ts_xp_brief *b) {
    const int32_t *f = b->factors;
    return (f[0] | f[1] | f[2] | f[3] | f[4] | f[5] | f[6] | f[7]) >= 0;
}

/* Prepares the call of the next linear layer, and begins to fetch what it needs. `slot`: its call's
 * number. */
TS_XP_SHORT void ts_xp_brief_fetch(ts_xp_brief *b, uint32_t slot, uint32_t depth, uint32_t blocks) {
    const uint32_t linear = b->linear++;
    const ts_xp_given given = ts_xp_joined_given(b->args, linear);
    ts_xp_call *call = &b->calls[slot];
    call->left_row = depth;
    call->steps = depth / 4;
    call->blocks = blocks;
    call->tiles = b->args->shape.S / 4;
    call->kind = TS_XP_BIAS;
    call->select = TS_XP_ROWS;
    call->bias = given.bias + 4 + b->core * 4 * blocks;
    const uint32_t bytes = 4 * depth * blocks;
    call->right = given.weight + b->core * bytes;
    if (b->far) {
        const ts_dma_group group = ts_dma_begin();
        int8_t *room = b->room[slot];
        b->groups[slot] = group;
        if (ts_dma_is_far(call->right)) {
            ts_dma_copy(group, room, call->right, bytes);
            call->right = room;
            room += bytes;
        }
        if (ts_dma_is_far(call->bias)) {
            ts_dma_copy(group, room, call->bias, 16 * blocks);
            call->bias = (const int32_t *)(const void *)room;
        }
    }
}

static TS_XP_INLINE void ts_xp_brief_output(ts_xp_call *call, int8_t *output, uint32_t row,
                                            uint32_t block, uint32_t tile) {
    call->output = output;
    call->output_row = row;
    call->output_block = block;
    call->output_tile = tile;
}

/* Runs a linear layer, and `more` calls after it. */
TS_XP_SHORT void ts_xp_brief_run(ts_xp_brief *b, uint32_t slot, const int8_t *left, int8_t *output,
                                 uint32_t row, uint32_t block, uint32_t tile, uint32_t more) {
    ts_xp_call *call = &b->calls[slot];
    call->left = left;
    call->factor = b->factors[b->next++];
    ts_xp_brief_output(call, output, row, block, tile);
    if (b->far)
        ts_dma_wait(b->groups[slot]);
    ts_xp_fast4(call, 1 + more);
}

/* Normalised rows in the output. Cores share a row where there are fewer rows than cores; columns
 * are a multiple of four times their number. */
TS_XP_SHORT void ts_xp_brief_normalise(const ts_xp_brief *b, uint32_t which, const int8_t *input) {
    const ts_encoder_norm *given = b->norms[which];
    const ts_xp_norm norm = {given->weight, given->bias, given->shift};
    const uint32_t E = b->args->shape.E, cores = b->args->shape.H, all = b->args->shape.S * E;
    uint32_t width = E;
    while (2 * all <= cores * width)
        width /= 2;
    for (uint32_t at = b->core * width; at < all; at += cores * width) {
        uint32_t column = at;
        while (column >= E)
            column -= E;
        const uint32_t row = at - column;
        ts_xp_normalise_words(&norm, ts_xp_measure_row(input + row, E), input + row, column,
                              column + width, b->args->output + row);
    }
}

/* A residual and the columns of this core of a layer, in place of the latter. */
TS_XP_SHORT void ts_xp_brief_add(const ts_xp_brief *b, const ts_encoder_add *add,
                                 const int8_t *residual, int8_t *layer) {
    const uint32_t E = b->args->shape.E;
    const ts_xp_addition addition =
        ts_xp_addition_of(add->residual_mul, add->layer_mul, add->shift, add->round_half_up);
    for (uint32_t blocks = b->calls[TS_XP_SLOT_1].blocks; blocks;
         blocks--, residual += 4, layer += 4)
        ts_xp_add_words(&addition, residual, layer, layer, E, b->args->shape.S);
}

/* Whether the shape is one of these: 1, 2, 4 or 8 cores, each with a head and as many whole blocks
 * of the other layers' columns. */
static inline int ts_xp_brief_suits(const ts_shape *shape, uint32_t cores) {
    const uint32_t S = shape->S, all = 4 * cores - 1;
    return !(((S | shape->P) & 3) | ((shape->E | shape->F) & all) | (cores & (cores - 1))) &&
           S <= TS_XP_BRIEF_ROWS && shape->H == cores && 2 * cores <= shape->E;
}

/* Bytes of the constants' room. */
static inline uint32_t ts_xp_brief_constants_bytes(const ts_shape *shape) {
    return 12 * shape->E + 256 + 4096;
}

/* Where an operand will be: where it is, or if that is far in the room, to which one core fetches
 * it: core `who` modulo a power of 2. */
TS_XP_SHORT const void *ts_xp_brief_constant(ts_xp_brief *b, uint32_t who, const void *from,
                                             uint32_t bytes) {
    int8_t *to = b->constants;
    if (!ts_dma_is_far(from))
        return from;
    b->constants = to + bytes;
    if ((who & (b->args->shape.H - 1)) == b->core)
        ts_dma_copy(b->early, to, from, bytes);
    return to;
}

/* Begins to fetch the constants: core 0 those of the first normalisation. */
TS_XP_SHORT void ts_xp_brief_begin_far(ts_xp_brief *b) {
    const uint32_t E = b->args->shape.E;
    b->early = ts_dma_begin();
    for (uint32_t i = 0; i < 2; i++) {
        const ts_encoder_norm *from = b->norms[i];
        ts_encoder_norm *to = &b->near[i];
        to->weight = ts_xp_brief_constant(b, i, from->weight, 2 * E);
        to->bias = ts_xp_brief_constant(b, i, from->bias, 4 * E);
        to->shift = from->shift;
        b->norms[i] = to;
    }
    b->pairs = ts_xp_brief_constant(b, 2, b->pairs, 4096);
    b->gelu = ts_xp_brief_constant(b, 3, b->gelu, 256);
}

/* Bytes of a slot of weights and biases: those of queries, values and the first layer of the
 * feed-forward network, or those of keys, output projection and the second layer. */
static inline uint32_t ts_xp_brief_slot_0(const ts_shape *shape, uint32_t cores) {
    const uint32_t up = shape->F / 4 >> p_ff1(cores), head = shape->P / 4;
    return (4 * shape->E + 16) * (up > head ? up : head);
}

static inline uint32_t ts_xp_brief_slot_1(const ts_shape *shape, uint32_t cores) {
    const uint32_t HP = cores * shape->P, deep = HP > shape->F ? HP : shape->F;
    const uint32_t keys = (4 * shape->E + 16) * (shape->P / 4);
    const uint32_t rows = (4 * deep + 16) * (shape->E / 4 >> p_ff1(cores));
    return keys > rows ? keys : rows;
}

/* Bytes of attention or of hidden values. */
static inline uint32_t ts_xp_brief_memory(const ts_shape *shape, uint32_t cores) {
    const uint32_t S = shape->S, attention = cores * (3 * shape->P + S);
    return S * (attention > shape->F ? attention : shape->F);
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
    const uint32_t S = args->shape.S, E = args->shape.E, P = args->shape.P, F = args->shape.F;
    const uint32_t core = team->core, cores = team->cores, HP = cores * P, log = p_ff1(cores);
    int8_t *const own = scratch + TS_XP_JOINED_SHARED;
    int8_t *const sum = own + cores * TS_XP_JOINED_OWN;
    int8_t *const memory = sum + ts_align16(S * E);
    int8_t *const keys = memory + core * P * S, *const values = keys + S * HP;
    int8_t *const queries = memory + 2 * S * HP + core * P;
    int8_t *const map = memory + 3 * S * HP + core * S * S;
    int8_t *const output = args->output;
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
    if (b->far) {
        const uint32_t slot_0 = ts_xp_brief_slot_0(&args->shape, cores);
        const uint32_t slots = slot_0 + ts_xp_brief_slot_1(&args->shape, cores) + 4;
        int8_t *const end = memory + ts_xp_brief_memory(&args->shape, cores);
        b->room[TS_XP_SLOT_0] = end + core * slots; /* each core's in other banks */
        b->room[TS_XP_SLOT_1] = b->room[TS_XP_SLOT_0] + slot_0;
        b->constants = end + cores * slots;
        ts_xp_brief_begin_far(b);
    }
    ts_xp_brief_scale(b, team);
    ts_xp_brief_fetch(b, TS_XP_SLOT_0, E, P / 4);
    if (b->far) {
        if (!core)
            ts_dma_wait(b->early);
        ts_team_barrier(team);
    }
    ts_xp_brief_normalise(b, 0, args->input);
    if (b->far && core)
        ts_dma_wait(b->early);
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
    ts_xp_brief_run(b, TS_XP_SLOT_0, output, queries, HP, 4, 4 * HP, 0);
    ts_xp_brief_fetch(b, TS_XP_SLOT_0, E, P / 4);
    ts_xp_brief_run(b, TS_XP_SLOT_1, output, keys, 4, 16, 4 * P, 0);
    const uint32_t blocks = E / 4 >> log, column = core * 4 * blocks;
    ts_xp_brief_fetch(b, TS_XP_SLOT_1, HP, blocks);
    b->calls[TS_XP_SLOT_0].select = TS_XP_COLUMNS;
    ts_xp_call *const after = &b->calls[TS_XP_AFTER];
    ts_xp_brief_output(after, map, S, 4, 4 * S);
    after->left = queries;
    after->left_row = HP;
    after->right = keys;
    after->steps = P / 4;
    after->blocks = after->tiles = S / 4;
    after->kind = TS_XP_ZERO;
    after->select = TS_XP_ROWS;
    after->factor = b->factors[TS_XP_LINEARS];
    ts_xp_brief_run(b, TS_XP_SLOT_0, output, values, 4, 4 * S, 16, 1);
    ts_xp_brief_fetch(b, TS_XP_SLOT_0, E, F / 4 >> log);
    ts_xp_softmax_pairs(map, (uint8_t *)map, S, S, b->pairs,
                        (uint32_t *)(void *)(sum + core * 2 * S));
    ts_xp_brief_output(after, queries, HP, 4, 4 * HP);
    after->left = map;
    after->left_row = S;
    after->right = values;
    after->steps = S / 4;
    after->blocks = P / 4;
    after->kind = TS_XP_UNSIGNED;
    after->factor = b->factors[TS_XP_LINEARS + 1];
    ts_xp_fast4(after, 1);
    ts_team_barrier(team);
    ts_xp_brief_run(b, TS_XP_SLOT_1, queries - core * P, sum + column, E, 4, 4 * E, 0);
    ts_xp_brief_add(b, &args->add1, args->input + column, sum + column);
    ts_xp_brief_fetch(b, TS_XP_SLOT_1, F, blocks);
    ts_team_barrier(team);
    ts_xp_brief_normalise(b, 1, sum);
    ts_team_barrier(team);
    int8_t *hidden = memory + core * (F >> log);
    ts_xp_brief_run(b, TS_XP_SLOT_0, output, hidden, F, 4, 4 * F, 0);
    for (uint32_t rows = S; rows; rows--, hidden += F)
        ts_xp_look_up_words(hidden, b->gelu, F / 4 >> log, hidden);
    ts_team_barrier(team);
    ts_xp_brief_run(b, TS_XP_SLOT_1, memory, output + column, E, 4, 4 * E, 0);
    ts_xp_brief_add(b, &args->add2, sum + column, output + column);
    return 1;
}

/* Whether this was such a block, and is done. `scratch`: at least ts_xp_brief_bytes. */
static TS_XP_INLINE int ts_xp_brief_run_all(const ts_team *team, const ts_encoder_block_args *args,
                                            int8_t *scratch) {
    return ts_xp_brief_suits(&args->shape, team->cores) && args->softmax.entries[256] &&
           ts_xp_brief_block(team, args, scratch);
}

#endif
