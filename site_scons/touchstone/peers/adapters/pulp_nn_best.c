/* SPDX-License-Identifier: Apache-2.0 */
/* The best that can be made of PULP-NN for an attention layer: its blocks of four channels and two
 * rows (pulp_nn_matmul_i8_i8_i8, the inner function of its convolutions), the work split over
 * (head, pair of rows), as many heads at a time as keep every core busy, four barriers a group. */
#include "pulp_nn.h"

typedef struct {
    uint32_t heads;             /* of a group */
    int8_t *query, *key, *rows; /* [heads, S, P]; rows: values */
    int8_t *value;              /* [heads, P, S] */
    int8_t *map;                /* [heads, S, S] */
    int8_t *odd;                /* [heads, 2, S]: of the last pair of an odd number of rows */
    int8_t *context;            /* [S, H, P] */
} buffers;

static uint32_t pairs(const ts_shape *shape) { return (shape->S + 1) / 2; }

static uint32_t group(const ts_shape *shape) {
    return ts_min(shape->H, ts_ceil_div(NUM_CORES, pairs(shape)));
}

static buffers place(const ts_shape *shape, void *scratch) {
    buffers b = {.heads = group(shape)};
    const uint32_t projection = ts_align16(b.heads * shape->S * shape->P);
    b.query = scratch;
    b.key = b.query + projection;
    b.rows = b.key + projection;
    b.value = b.rows + projection;
    b.map = b.value + projection;
    b.odd = b.map + ts_align16(b.heads * shape->S * shape->S);
    b.context = b.odd + ts_align16(b.heads * 2 * shape->S);
    return b;
}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {
    (void)cores;
    const uint32_t heads = group(shape);
    return 4 * ts_align16(heads * shape->S * shape->P) + ts_align16(heads * shape->S * shape->S) +
           ts_align16(heads * 2 * shape->S) + ts_align16(shape->S * shape->H * shape->P);
}

/* The first row of a pair: of an odd number of rows, the last pair takes one that is done. */
static uint32_t row_of(const ts_shape *shape, uint32_t unit) {
    return ts_min(2 * (unit % pairs(shape)), shape->S - 2);
}

static void project(const ts_case *c, uint32_t requant, uint32_t weight, uint32_t head,
                    uint32_t row, int8_t *output) {
    const uint32_t E = c->shape.E, P = c->shape.P;
    const int32_t *bias = c->operands[weight + 1];
    const peer_quant quant = peer_requant(c, requant, peer_bound(E));
    int8_t *to = output + row * P;
    pulp_nn_matmul_i8_i8_i8((int8_t *)c->operands[PEER_INPUT] + row * E,
                            (int8_t *)(bias + head * P), to, to + P,
                            (int8_t *)c->operands[weight] + head * P * E, NULL, NULL, quant.mul,
                            quant.shift, (uint16_t)E, (uint16_t)P, 1, 0);
}

static void transpose(const int8_t *rows, uint32_t row, uint32_t S, uint32_t P, int8_t *value) {
    for (uint32_t s = row; s < row + 2; s++)
        for (uint32_t p = 0; p < P; p++)
            value[p * S + s] = rows[s * P + p];
}

static void attend(const ts_case *c, const buffers *b, uint32_t h, uint32_t head, uint32_t row) {
    const uint32_t S = c->shape.S, P = c->shape.P, pitch = c->shape.H * P;
    const peer_quant scores = peer_requant(c, PEER_SCORES, peer_bound(P));
    const peer_quant context = peer_requant(c, PEER_CONTEXT, 255 * 128);
    /* A row that two pairs share must not be in one's softmax while the other writes it. */
    int8_t *map = row % 2 ? b->odd + h * 2 * S : b->map + (h * S + row) * S;
    int8_t *to = b->context + row * pitch + head * P;
    pulp_nn_matmul_i8_i8_i8(b->query + (h * S + row) * P, NULL, map, map + S, b->key + h * S * P,
                            NULL, NULL, scores.mul, scores.shift, (uint16_t)P, (uint16_t)S, 1, 0);
    peer_softmax(c, map, S, (uint8_t *)map);
    peer_softmax(c, map + S, S, (uint8_t *)map + S);
    pulp_nn_matmul_u8_i8_i8((uint8_t *)map, NULL, to, to + pitch, b->value + h * S * P, NULL, NULL,
                            context.mul, context.shift, (uint16_t)S, (uint16_t)P, 1, 0);
}

static void one_group(const ts_team *team, const ts_case *c, const buffers *b, uint32_t first,
                      uint32_t heads) {
    const uint32_t S = c->shape.S, P = c->shape.P, head = S * P;
    const ts_range share = ts_team_share(team, heads * pairs(&c->shape));
    for (uint32_t unit = share.begin; unit < share.end; unit++) {
        const uint32_t h = unit / pairs(&c->shape), row = row_of(&c->shape, unit);
        project(c, PEER_Q, PEER_Q_WEIGHT, first + h, row, b->query + h * head);
        project(c, PEER_K, PEER_K_WEIGHT, first + h, row, b->key + h * head);
        project(c, PEER_V, PEER_V_WEIGHT, first + h, row, b->rows + h * head);
        transpose(b->rows + h * head, row, S, P, b->value + h * head);
    }
    ts_team_barrier(team);
    for (uint32_t unit = share.begin; unit < share.end; unit++)
        attend(c, b, unit / pairs(&c->shape), first + unit / pairs(&c->shape),
               row_of(&c->shape, unit));
    ts_team_barrier(team);
}

void ts_job_run(const ts_team *team, const ts_case *c) {
    const uint32_t E = c->shape.E, P = c->shape.P, H = c->shape.H;
    const buffers b = place(&c->shape, c->scratch);
    for (uint32_t first = 0; first < H; first += b.heads)
        one_group(team, c, &b, first, ts_min(b.heads, H - first));
    const int32_t *bias = c->operands[PEER_O_BIAS];
    const peer_quant quant = peer_requant(c, PEER_O, peer_bound(H * P));
    const ts_range share = ts_team_share(team, pairs(&c->shape));
    for (uint32_t unit = share.begin; unit < share.end; unit++) {
        const uint32_t row = row_of(&c->shape, unit);
        int8_t *to = (int8_t *)c->operands[PEER_OUTPUT] + row * E;
        pulp_nn_matmul_i8_i8_i8(b.context + row * H * P, (int8_t *)bias, to, to + E,
                                c->operands[PEER_O_WEIGHT], NULL, NULL, quant.mul, quant.shift,
                                (uint16_t)(H * P), (uint16_t)E, 1, 0);
    }
}
