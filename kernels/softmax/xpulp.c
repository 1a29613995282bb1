/* SPDX-License-Identifier: Apache-2.0 */
/* Exponentials by pairs (ts_xp_softmax_bytes), the table in layout softmax_pairs_wide. In place,
 * and for what pairs do not suit (a table with larger or more values, rows of less than 4 or more
 * than 1,000), the row code of ts_xpulp_softmax.h. Scratch: per core the exponentials of a row and
 * the share's last row, which is written in whole words. */
#include "softmax.h"
#include "ts_xpulp_prepare.h"
#include "ts_xpulp_softmax.h"

uint32_t ts_softmax_xpulp_scratch(const ts_shape *shape, uint32_t cores) {
    return 3 * cores * ts_xp_align4(shape->S);
}

static __attribute__((noinline)) void general(const ts_softmax_args *args, const int8_t *input,
                                              uint8_t *output, uint32_t rows) {
    const uint32_t n = args->shape.S;
    const ts_xp_rows all = {
        .input = input,
        .output = output,
        .input_step = 4,
        .output_step = 4,
        .input_row = n,
        .output_row = n,
        .rows = rows,
        .n = n,
        .padded = 0,
    };
    ts_xp_softmax_rows(&all, &args->table);
}

void ts_softmax_xpulp(const ts_team *team, const ts_softmax_args *args, void *scratch) {
    const uint32_t n = args->shape.S, *pairs = args->table.entries + 256;
    const ts_range share = ts_team_share(team, args->shape.H * n);
    const uint32_t rows = share.end - share.begin, last = (rows - 1) * n;
    const int8_t *input = args->input + share.begin * n;
    uint8_t *output = args->output + share.begin * n;
    if (!rows)
        return;
    if (!pairs[0] || n < 4 || n > TS_XP_PAIRS_LONGEST ||
        args->input == (const int8_t *)args->output) {
        general(args, input, output, rows);
        return;
    }
    uint8_t *own = (uint8_t *)scratch + 3 * team->core * ts_xp_align4(n);
    uint32_t *buffer = (uint32_t *)(own + ts_xp_align4(n));
    if (rows > 1)
        ts_xp_softmax_bytes(input, output, n, rows - 1, pairs, buffer);
    ts_xp_softmax_bytes(input + last, own, n, 1, pairs, buffer);
    ts_xp_copy_bytes(output + last, own, n);
}
