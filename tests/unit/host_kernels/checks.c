// SPDX-License-Identifier: Apache-2.0
/* Calls with arguments that are right and with every kind that is wrong. Prints what was expected
 * and found where they differ; exit status 0 if nowhere. Linked with the portable kernels. */
#include <stdio.h>
#include <stdlib.h>

#include "add/add.h"
#include "attention_context/attention_context.h"
#include "attention_scores/attention_scores.h"
#include "encoder_block/encoder_block.h"
#include "ffn/ffn.h"
#include "layernorm/layernorm.h"
#include "mhsa/mhsa.h"
#include "mhsa_dft/mhsa_dft.h"

enum { S = 5, E = 6, P = 3, H = 2, F = 7, C = H * P };

static const ts_team team = {0, 1};
static int failures;
static _Alignas(16) uint8_t scratch[65536];
static _Alignas(16) int8_t input[S * E], output[S * E], big[4096], weights[4096];
static int32_t bias[64];
static int16_t wide[64];
static uint16_t mul[64];
static uint32_t entries[256];

void ts_team_barrier(const ts_team *unused) { (void)unused; }

static void expect(const char *what, ts_status expected, ts_status found) {
    if (expected != found) {
        printf("%s: expected %d, found %d\n", what, expected, found);
        failures++;
    }
}

/* A copy of the right arguments with one statement applied to it, and what that is. */
#define WRONG(op, right, status, change)                                                           \
    do {                                                                                           \
        __typeof__(right) a = (right);                                                             \
        change;                                                                                    \
        expect(#op ": " #change, status, TS_CALL(op, &team, &a, scratch));                         \
    } while (0)

static const ts_requant requant = {.mul = mul, .shift = 7};

static ts_mhsa_args attention(void) {
    return (ts_mhsa_args){
        .shape = {.S = S, .E = E, .P = P, .H = H},
        .input = input,
        .q_weight = weights,
        .q_bias = bias,
        .k_weight = weights,
        .k_bias = bias,
        .v_weight = weights,
        .v_bias = bias,
        .o_weight = weights,
        .o_bias = bias,
        .q = requant,
        .k = requant,
        .v = requant,
        .scores = requant,
        .context = requant,
        .o = requant,
        .table = {entries, 73},
        .output = output,
    };
}

static void check_mhsa(void) {
    ts_mhsa_args right = attention();
    const ts_team none = {0, 0}, beyond = {3, 3};
    WRONG(mhsa, right, TS_OK, (void)a);
    WRONG(mhsa, right, TS_OK, a.q.per_channel = 1);
    WRONG(mhsa, right, TS_OK, a.o.round_half_up = 1);
    expect("no arguments", TS_ERROR_NULL, ts_mhsa_check(&team, NULL, scratch));
    expect("no team", TS_ERROR_NULL, ts_mhsa_check(NULL, &right, scratch));
    expect("no cores", TS_ERROR_TEAM, ts_mhsa_check(&none, &right, scratch));
    expect("a core beyond the team", TS_ERROR_TEAM, ts_mhsa_check(&beyond, &right, scratch));
    expect("no scratch", TS_ERROR_NULL, ts_mhsa_check(&team, &right, NULL));
    expect("scratch", TS_ERROR_ALIGNMENT, ts_mhsa_check(&team, &right, scratch + 8));
    WRONG(mhsa, right, TS_ERROR_SHAPE, a.shape.S = 0);
    WRONG(mhsa, right, TS_ERROR_SHAPE, a.shape.E = 65536);
    WRONG(mhsa, right, TS_ERROR_NULL, a.input = NULL);
    WRONG(mhsa, right, TS_ERROR_NULL, a.k_bias = NULL);
    WRONG(mhsa, right, TS_ERROR_NULL, a.scores.mul = NULL);
    WRONG(mhsa, right, TS_ERROR_NULL, a.table.entries = NULL);
    WRONG(mhsa, right, TS_ERROR_ALIGNMENT, a.v_weight = weights + 2);
    WRONG(mhsa, right, TS_ERROR_RANGE, a.q.shift = 0);
    WRONG(mhsa, right, TS_ERROR_RANGE, a.k.shift = 32);
    WRONG(mhsa, right, TS_ERROR_RANGE, a.scores.per_channel = 1);
    WRONG(mhsa, right, TS_ERROR_RANGE, a.v.round_half_up = 2);
    WRONG(mhsa, right, TS_ERROR_RANGE, a.table.max = 72);
    WRONG(mhsa, right, TS_ERROR_OVERLAP, a.output = input);
    WRONG(mhsa, right, TS_ERROR_OVERLAP, a.output = input + 4);
    WRONG(mhsa, right, TS_ERROR_SCHEDULE, a.shape.schedule.order = 4);
    WRONG(mhsa_dft, right, TS_OK, a.shape.schedule.order = TS_ORDER_RECOMPUTE);
    WRONG(mhsa_dft, right, TS_ERROR_SCHEDULE, a.shape.schedule.order = 4);
    mul[C - 1] = 0;
    WRONG(mhsa, right, TS_OK, (void)a);
    WRONG(mhsa, right, TS_ERROR_RANGE, a.q.per_channel = 1);
    mul[C - 1] = 300;
    bias[C - 1] = INT32_MAX - E * 128 * 128;
    WRONG(mhsa, right, TS_OK, a.o_bias = bias + 8);
    bias[C - 1]++;
    WRONG(mhsa, right, TS_ERROR_RANGE, a.o_bias = bias + 8);
    bias[C - 1] = 0;
    bias[0] = INT32_MIN;
    WRONG(mhsa, right, TS_ERROR_RANGE, (void)a);
    bias[0] = 0;
    entries[0] = 0;
    WRONG(mhsa, right, TS_ERROR_RANGE, (void)a);
    entries[0] = 73;
}

static void check_stages(void) {
    ts_layernorm_args norm = {{S, E, 0, 0, 0, {0}}, input, wide, bias, 31, output};
    WRONG(layernorm, norm, TS_OK, a.output = input);
    WRONG(layernorm, norm, TS_ERROR_RANGE, a.shift = 32);
    WRONG(layernorm, norm, TS_ERROR_SHAPE, a.shape.E = 1 << 15);
    ts_add_args sum = {{S, E, 0, 0, 0, {0}}, input, input, 1, 65535, 31, 1, output};
    WRONG(add, sum, TS_OK, a.output = input);
    WRONG(add, sum, TS_ERROR_RANGE, a.a_mul = 0);
    WRONG(add, sum, TS_ERROR_RANGE, a.b_mul = 65536);
    WRONG(add, sum, TS_ERROR_RANGE, a.shift = 0);
    ts_attention_context_args context = {
        {S, 0, P, H, 0, {0}}, (const uint8_t *)weights, weights + 1024, requant, big, C};
    WRONG(attention_context, context, TS_OK, a.output_row_stride = C + 9);
    WRONG(attention_context, context, TS_ERROR_RANGE, a.output_row_stride = C - 1);
    WRONG(attention_context, context, TS_ERROR_OVERLAP, a.output = weights + 1020);
    ts_attention_scores_args scores = {{S, 0, P, H, 0, {0}}, weights,       weights, S * P, requant,
                                       {entries, 73},        (uint8_t *)big};
    WRONG(attention_scores, scores, TS_OK, a.key_head_stride = 0);
    WRONG(attention_scores, scores, TS_ERROR_RANGE, a.key_head_stride = 1);
    ts_ffn_args network = {{S, E, 0, 0, F, {0}},
                           input,
                           weights,
                           bias,
                           weights,
                           bias,
                           requant,
                           requant,
                           weights,
                           output};
    WRONG(ffn, network, TS_OK, (void)a);
    WRONG(ffn, network, TS_ERROR_SHAPE, a.shape.F = 0);
    WRONG(ffn, network, TS_ERROR_NULL, a.table = NULL);
    WRONG(ffn, network, TS_ERROR_OVERLAP, a.output = input);
}

static void check_block(void) {
    const ts_mhsa_args m = attention();
    ts_encoder_block_args right = {m.shape,      input,        {wide, bias, 8}, {wide, bias, 8},
                                   weights,      bias,         weights,         bias,
                                   weights,      bias,         weights,         bias,
                                   weights,      bias,         weights,         bias,
                                   requant,      requant,      requant,         requant,
                                   requant,      requant,      requant,         requant,
                                   {1, 1, 1, 0}, {1, 1, 1, 0}, m.table,         weights,
                                   output};
    WRONG(encoder_block, right, TS_ERROR_SHAPE, (void)a);
    WRONG(encoder_block, right, TS_OK, a.shape.F = F);
    WRONG(encoder_block, right, TS_ERROR_RANGE, (a.shape.F = F, a.norm2.shift = 32));
    WRONG(encoder_block, right, TS_ERROR_RANGE, (a.shape.F = F, a.add2.layer_mul = 0));
    WRONG(encoder_block, right, TS_ERROR_NULL, (a.shape.F = F, a.gelu_table = NULL));
    WRONG(encoder_block, right, TS_ERROR_RANGE, (a.shape.F = F, a.up.shift = 0));
}

int main(void) {
    for (int i = 0; i < 64; i++)
        mul[i] = 300;
    for (int i = 0; i < 256; i++)
        entries[i] = i == 0 ? 73 : 1;
    check_mhsa();
    check_stages();
    check_block();
    return failures != 0;
}
