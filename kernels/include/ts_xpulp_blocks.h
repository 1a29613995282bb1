/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products for XpulpV2 out of block products, whatever the requantisation. */
#ifndef TS_XPULP_BLOCKS_H
#define TS_XPULP_BLOCKS_H

#include "ts_kernel.h"
#include "ts_xpulp_scale.h"

static inline uint32_t ts_xp_align4(uint32_t n) { return (n + 3u) & ~3u; }

/* Rows that a product over `rows` rows reads and writes: one row alone has its own function. */
static inline uint32_t ts_xp_whole_tiles(uint32_t rows) {
    return (rows & 3) == 1 ? rows : ts_xp_align4(rows);
}

/* A block's accumulators, `rows` rows of 4, to its words. */
TS_XP_SELDOM void ts_xp_store_wide(const ts_xp_call *call, const int32_t *sums, uint32_t rows,
                                   uint32_t block, int8_t *output) {
    const uint16_t *factors = call->factors + block * call->factors_step / 2;
    for (uint32_t i = 0; i < 4 * rows; i++) {
        const uint32_t row = i / 4, column = i & 3;
        const int64_t product = (int64_t)sums[i] * factors[column] + (uint32_t)call->rounding;
        int8_t *word = output + (call->select >> 31 ? column : row) * call->output_row;
        word[call->select >> 31 ? row : column] = ts_clip_int8(product >> call->shift);
    }
}

/* Tiles of `rows` rows, 4 or 1, block by block through accumulators. */
TS_XP_SELDOM void ts_xp_run_wide(ts_xp_call *call, uint32_t rows, uint32_t tiles) {
    int32_t sums[16];
    const struct {
        const int8_t *left, *right;
        const int32_t *bias;
        uint32_t blocks;
        ts_xp_kind kind;
    } all = {call->left, call->right, call->bias, call->blocks, call->kind};
    call->bias = sums;
    call->blocks = call->tiles = 1;
    call->kind = all.kind == TS_XP_UNSIGNED ? TS_XP_UNSIGNED : TS_XP_BIAS;
    for (uint32_t tile = 0; tile < tiles; tile++) {
        call->right = all.right;
        for (uint32_t block = 0; block < all.blocks; block++) {
            for (uint32_t i = 0; i < 16; i++)
                sums[i] = all.kind == TS_XP_BIAS ? all.bias[4 * block + (i & 3)] : 0;
            (rows == 4 ? ts_xp_sum4 : ts_xp_sum1)(call, 1);
            ts_xp_store_wide(call, sums, rows, block,
                             call->output + tile * call->output_tile + block * call->output_block);
            call->right += 16 * call->steps;
        }
        call->left += 4 * call->left_row;
    }
    call->left = all.left;
    call->right = all.right;
    call->bias = all.bias;
    call->blocks = all.blocks;
    call->kind = all.kind;
}

/* Work of so many steps pays for functions of their own. */
#define TS_XP_MANY_STEPS 256u

static inline ts_xp_call_fn *ts_xp_fast_for(const ts_xp_call *call) {
    if (call->kind == TS_XP_BIAS || call->steps < 2 ||
        call->tiles * call->steps * call->blocks < TS_XP_MANY_STEPS)
        return ts_xp_fast4;
    return call->kind == TS_XP_ZERO ? ts_xp_fast4s : ts_xp_fast4u;
}

/* `tiles` tiles and then, alone or with the last of them, the row that is left over. */
TS_XP_SELDOM void ts_xp_run_odd(ts_xp_call *call, uint32_t tiles, uint32_t left_over) {
    ts_xp_call_fn *last = call->path == TS_XP_FAST ? ts_xp_fast1 : ts_xp_general1;
    if (call->path == TS_XP_WIDE) {
        ts_xp_run_wide(call, 4, tiles);
    } else {
        if (left_over && tiles && call->path == TS_XP_FAST && call->steps > 1 &&
            call->select == TS_XP_ROWS && call->output_tile == 4 * call->output_row) {
            last = ts_xp_fast5;
            tiles--;
        }
        call->tiles = tiles;
        if (tiles)
            (call->path == TS_XP_FAST ? ts_xp_fast_for(call) : ts_xp_general4)(call, 1);
    }
    if (!left_over)
        return;
    call->left += tiles * 4 * call->left_row;
    call->output += tiles * call->output_tile;
    call->tiles = 1;
    if (call->path == TS_XP_WIDE)
        ts_xp_run_wide(call, 1, 1);
    else
        last(call, 1);
}

/* The products of `rows` rows, at least 1: `count` calls, whose number of tiles is set here. Where
 * rows % 4 is 2 or 3, whole tiles are read and written; a fifth row joins a tile where output rows
 * are equally far apart. */
TS_XP_STAGE void ts_xp_run_rows(ts_xp_call *calls, uint32_t count, uint32_t rows) {
    const uint32_t tiles = (rows + 2) / 4, left_over = (rows & 3) == 1;
    uint32_t odd = left_over;
    for (uint32_t i = 0; i < count; i++) {
        calls[i].tiles = tiles;
        odd |= calls[i].path;
    }
    if (!odd)
        ts_xp_fast_for(calls)(calls, count);
    else
        for (uint32_t i = 0; i < count; i++)
            ts_xp_run_odd(&calls[i], tiles, left_over);
}

/* The same from row `first` on, a multiple of 4; the left and output operands are those of row 0.
 */
TS_XP_STAGE void ts_xp_run(ts_xp_call *calls, uint32_t count, uint32_t first, uint32_t rows) {
    for (uint32_t i = 0; i < count; i++) {
        calls[i].left += first * calls[i].left_row;
        calls[i].output += first / 4 * calls[i].output_tile;
    }
    ts_xp_run_rows(calls, count, rows);
}

#endif
