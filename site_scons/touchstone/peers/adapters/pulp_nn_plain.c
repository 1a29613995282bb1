/* SPDX-License-Identifier: Apache-2.0 */
/* PULP-NN as the paper's baseline composes it, without its waste: pulp_nn_linear_i8_i8_i8 once per
 * row for every product, the work of a call split over output channels; softmax rows and reshapes
 * split over the cores (the published template has every core do all of them). */
#include "pulp_nn.h"

/* Rows of a map that exist at once: one per core. */
enum { ROWS = NUM_CORES };

typedef struct {
    int8_t *query, *key, *value; /* [S, H*P]; the context replaces the queries */
    int8_t *head_key;            /* [S, P] of one head */
    int8_t *head_value;          /* [P, S] of one head */
    int8_t *map;                 /* [ROWS, S] */
} buffers;

static buffers place(const ts_shape *shape, void *scratch) {
    const uint32_t projection = ts_align16(shape->S * shape->H * shape->P);
    buffers b;
    b.query = scratch;
    b.key = b.query + projection;
    b.value = b.key + projection;
    b.head_key = b.value + projection;
    b.head_value = b.head_key + ts_align16(shape->S * shape->P);
    b.map = b.head_value + ts_align16(shape->S * shape->P);
    return b;
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    return 3 * ts_align16(shape->S * shape->H * shape->P) + 2 * ts_align16(shape->S * shape->P) +
           ts_align16(ROWS * shape->S);
}

static void linear(const ts_case *c, uint32_t requant, const int8_t *input, uint32_t depth,
                   uint32_t weight, uint32_t width, int8_t *output) {
    const int32_t *bias = c->operands[weight + 1];
    const peer_quant quant = peer_requant(c, requant, peer_bound(depth));
    for (uint32_t s = 0; s < c->shape.S; s++)
        pulp_nn_linear_i8_i8_i8((int8_t *)input + s * depth, (int8_t *)bias, output + s * width,
                                c->operands[weight], NULL, NULL, quant.mul, quant.shift,
                                (uint16_t)depth, (uint16_t)width, 1, 0);
}

/* This core's rows of a head's keys and values, in the layouts of the products. */
static void reshape(const ts_team *team, const ts_shape *shape, const buffers *b, uint32_t h) {
    const uint32_t S = shape->S, P = shape->P, pitch = shape->H * P;
    const ts_range share = ts_team_share(team, S);
    for (uint32_t s = share.begin; s < share.end; s++) {
        for (uint32_t p = 0; p < P; p++) {
            b->head_key[s * P + p] = b->key[s * pitch + h * P + p];
            b->head_value[p * S + s] = b->value[s * pitch + h * P + p];
        }
    }
    ts_team_barrier(team);
}

/* The map of rows first .. first + rows - 1, then their context. */
static void attend(const ts_team *team, const ts_case *c, const buffers *b, uint32_t h,
                   uint32_t first, uint32_t rows) {
    const uint32_t S = c->shape.S, P = c->shape.P, pitch = c->shape.H * P;
    const peer_quant scores = peer_requant(c, PEER_SCORES, peer_bound(P));
    const peer_quant context = peer_requant(c, PEER_CONTEXT, 255 * 128);
    for (uint32_t r = 0; r < rows; r++)
        pulp_nn_linear_i8_i8_i8(b->query + (first + r) * pitch + h * P, NULL, b->map + r * S,
                                b->head_key, NULL, NULL, scores.mul, scores.shift, (uint16_t)P,
                                (uint16_t)S, 1, 0);
    const ts_range share = ts_team_share(team, rows);
    for (uint32_t r = share.begin; r < share.end; r++)
        peer_softmax(c, b->map + r * S, S, (uint8_t *)b->map + r * S);
    ts_team_barrier(team);
    for (uint32_t r = 0; r < rows; r++)
        pulp_nn_linear_u8_i8_i8((uint8_t *)b->map + r * S, NULL,
                                b->query + (first + r) * pitch + h * P, b->head_value, NULL, NULL,
                                context.mul, context.shift, (uint16_t)S, (uint16_t)P, 1, 0);
}

void ts_job_run(const ts_team *team, const ts_case *c) {
    const uint32_t S = c->shape.S, E = c->shape.E, P = c->shape.P, H = c->shape.H;
    const buffers b = place(&c->shape, c->scratch);
    const int8_t *input = c->operands[PEER_INPUT];
    linear(c, PEER_Q, input, E, PEER_Q_WEIGHT, H * P, b.query);
    linear(c, PEER_K, input, E, PEER_K_WEIGHT, H * P, b.key);
    linear(c, PEER_V, input, E, PEER_V_WEIGHT, H * P, b.value);
    for (uint32_t h = 0; h < H; h++) {
        reshape(team, &c->shape, &b, h);
        for (uint32_t first = 0; first < S; first += ROWS)
            attend(team, c, &b, h, first, ts_min(ROWS, S - first));
    }
    linear(c, PEER_O, b.query, H * P, PEER_O_WEIGHT, E, c->operands[PEER_OUTPUT]);
}
