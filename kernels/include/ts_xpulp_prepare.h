/* SPDX-License-Identifier: Apache-2.0 */
/* What a stage of a layer works with: a linear layer's weights, biases and scale; copies where the
 * operands' exact sizes do not suit the block products. */
#ifndef TS_XPULP_PREPARE_H
#define TS_XPULP_PREPARE_H

#include "ts_xpulp_blocks.h"

/* The left operand and the number of columns of a linear layer. */
typedef struct {
    const int8_t *left;
    uint32_t depth;   /* a multiple of 4, also bytes from row to row */
    uint32_t columns; /* factors, where there is one per channel */
} ts_xp_input;

/* left * weight^T + bias, columns from block `block` on; without where the output goes. `weight` in
 * layout words4, `bias` in bounded4 (the largest magnitude, 3 words, the biases), the factors in
 * factors4. */
TS_XP_STAGE void ts_xp_set_linear(ts_xp_call *call, const ts_xp_input *input, const int8_t *weight,
                                  const int32_t *bias, const ts_requant *requant, uint32_t block) {
    const uint32_t depth = input->depth, products = depth * 128 * 128;
    const uint32_t bound = (uint32_t)bias[0] + products;
    call->left = input->left;
    call->left_row = depth;
    call->right = weight + block * 4 * depth;
    call->bias = bias + 4 + block * 4;
    call->steps = depth / 4;
    call->kind = TS_XP_BIAS;
    call->select = TS_XP_ROWS;
    ts_xp_set_scale(call, requant, input->columns, bound < products ? ~0u : bound, block);
}

/* left * right^T of operands that were made here; `bound`: no sum is larger. */
TS_XP_STAGE void ts_xp_set_product(ts_xp_call *call, ts_xp_kind kind, const int8_t *left,
                                   uint32_t left_row, const int8_t *right, uint32_t depth) {
    call->left = left;
    call->left_row = left_row;
    call->right = right;
    call->steps = depth / 4;
    call->kind = kind;
    call->select = TS_XP_ROWS;
}

/* Output in rows. */
TS_XP_STAGE void ts_xp_set_output(ts_xp_call *call, int8_t *output, uint32_t row, uint32_t blocks) {
    call->output = output;
    call->output_row = row;
    call->output_block = 4;
    call->output_tile = 4 * row;
    call->blocks = blocks;
}

/* Whether rows of `width` bytes cannot be read and written in whole tiles. */
static inline int ts_xp_copies(uint32_t rows, uint32_t width) {
    return (width & 3) != 0 || (rows & 3) > 1;
}

/* Exactly `count` bytes, by words as far as that goes; misaligned words take two cycles. */
TS_XP_SELDOM void ts_xp_copy_bytes(void *to, const void *from, uint32_t count) {
    typedef uint32_t __attribute__((may_alias, aligned(1))) word;
    uint8_t *out = to;
    const uint8_t *in = from;
    for (; count >= 16; count -= 16, in += 16, out += 16) {
        const uint32_t a = ((const word *)in)[0], b = ((const word *)in)[1];
        const uint32_t c = ((const word *)in)[2], d = ((const word *)in)[3];
        ((word *)out)[0] = a;
        ((word *)out)[1] = b;
        ((word *)out)[2] = c;
        ((word *)out)[3] = d;
    }
    for (; count >= 4; count -= 4, in += 4, out += 4)
        *(word *)out = *(const word *)in;
    for (; count; count--)
        *out++ = *in++;
}

/* This core's rows of a padded copy: ts_xp_whole_tiles(rows) rows of align4(width) bytes. */
TS_XP_SELDOM void ts_xp_copy_in(const ts_team *team, int8_t *copy, const int8_t *input,
                                uint32_t rows, uint32_t width) {
    const uint32_t pitch = ts_xp_align4(width);
    const ts_range share = ts_team_share(team, ts_xp_whole_tiles(rows));
    for (uint32_t row = share.begin; row < share.end; row++) {
        int8_t *to = copy + row * pitch;
        const uint32_t used = row < rows ? width : 0;
        ts_xp_copy_bytes(to, input + row * width, used);
        for (uint32_t i = used; i < pitch; i++)
            to[i] = 0;
    }
}

/* This core's rows out of a padded copy. */
TS_XP_SELDOM void ts_xp_copy_out(const ts_team *team, int8_t *output, const int8_t *copy,
                                 uint32_t rows, uint32_t width) {
    const ts_range share = ts_team_share(team, rows);
    for (uint32_t row = share.begin; row < share.end; row++)
        ts_xp_copy_bytes(output + row * width, copy + row * ts_xp_align4(width), width);
}

/* This core's share of the input's words into panels, as the keys of all heads. */
TS_XP_STAGE void ts_xp_pack_keys(const ts_team *team, int8_t *keys, const ts_xp_input *input,
                                 uint32_t rows) {
    const uint32_t words = input->depth / 4;
    const ts_range share = ts_team_share(team, rows);
    for (uint32_t row = share.begin; row < share.end; row++) {
        const uint32_t *from = (const uint32_t *)(input->left + row * input->depth);
        uint32_t *to = (uint32_t *)keys + row / 4 * 4 * words + (row & 3);
        for (uint32_t i = 0; i < words; i++)
            to[4 * i] = from[i];
    }
}

/* Bytes per column that ts_xp_spread needs. */
#define TS_XP_SPREAD_BYTES 6u

/* Where heads of `width` columns, width % 4 != 0, have align4(width) in the weights: this core's
 * share of the biases (unless NULL) and factors with a place for each column. Returns the factors;
 * the biases are at `place`. */
TS_XP_SELDOM uint16_t *ts_xp_spread(const ts_team *team, void *place, const int32_t *bias,
                                    const ts_requant *requant, uint32_t heads, uint32_t width) {
    const uint32_t columns = ts_xp_align4(width);
    int32_t *biases = place;
    uint16_t *factors = (uint16_t *)(biases + heads * columns);
    const ts_range share = ts_team_share(team, heads);
    for (uint32_t head = share.begin; head < share.end; head++) {
        for (uint32_t i = 0; i < columns; i++) {
            const uint32_t to = head * columns + i, from = head * width + i;
            if (bias)
                biases[to] = i < width ? bias[from] : 0;
            if (requant->per_channel)
                factors[to] = i < width ? requant->mul[from] : 1;
        }
    }
    return factors;
}

#endif
