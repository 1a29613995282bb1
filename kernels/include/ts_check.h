// SPDX-License-Identifier: Apache-2.0
/* What the ts_<op>_check functions are made of. A checker keeps the first thing that is wrong, and
 * nothing is looked at any more after that: a wrong shape would make the rest nonsense. */
#ifndef TS_CHECK_H
#define TS_CHECK_H

#include "ts_kernel.h"

enum { TS_OPERAND_ALIGNMENT = 4, TS_SCRATCH_ALIGNMENT = 16, TS_MAX_DIMENSION = 65535 };

/* The largest magnitudes of a product: int8 x int8, uint8 x int8. */
enum { TS_PRODUCT_S8 = 128 * 128, TS_PRODUCT_U8 = 255 * 128 };

typedef struct {
    ts_status status;
} ts_checker;

static inline void ts_expect(ts_checker *c, int holds, ts_status otherwise) {
    if (c->status == TS_OK && !holds)
        c->status = otherwise;
}

/* A checker for a call by `team` with `args`, either of which may be NULL. */
static inline ts_checker ts_check_call(const ts_team *team, const void *args) {
    ts_checker c = {TS_OK};
    ts_expect(&c, team != NULL && args != NULL, TS_ERROR_NULL);
    ts_expect(&c, c.status != TS_OK || (team->cores >= 1 && team->core < team->cores),
              TS_ERROR_TEAM);
    return c;
}

static inline void ts_expect_dimension(ts_checker *c, uint32_t value) {
    ts_expect(c, value >= 1 && value <= TS_MAX_DIMENSION, TS_ERROR_SHAPE);
}

static inline void ts_expect_pointer(ts_checker *c, const void *pointer, uint32_t alignment) {
    ts_expect(c, pointer != NULL, TS_ERROR_NULL);
    ts_expect(c, (uintptr_t)pointer % alignment == 0, TS_ERROR_ALIGNMENT);
}

static inline void ts_expect_operand(ts_checker *c, const void *operand) {
    ts_expect_pointer(c, operand, TS_OPERAND_ALIGNMENT);
}

static inline void ts_expect_scratch(ts_checker *c, const void *scratch, uint32_t bytes) {
    if (bytes > 0)
        ts_expect_pointer(c, scratch, TS_SCRATCH_ALIGNMENT);
}

/* A sum of `depth` products of at most `product` each fits int32, whatever the operands hold. */
static inline void ts_expect_depth(ts_checker *c, uint64_t depth, uint32_t product) {
    ts_expect(c, depth * product <= INT32_MAX, TS_ERROR_SHAPE);
}

/* So does the sum with any of `count` biases. */
static inline void ts_expect_bias(ts_checker *c, const int32_t *bias, uint32_t count,
                                  uint64_t depth) {
    ts_expect_depth(c, depth, TS_PRODUCT_S8);
    ts_expect_operand(c, bias);
    for (uint32_t i = 0; c->status == TS_OK && i < count; i++) {
        const int64_t magnitude = bias[i] < 0 ? -(int64_t)bias[i] : bias[i];
        ts_expect(c, magnitude + (int64_t)(depth * TS_PRODUCT_S8) <= INT32_MAX, TS_ERROR_RANGE);
    }
}

/* `channels` 0: always per tensor. */
static inline void ts_expect_requant(ts_checker *c, const ts_requant *requant, uint32_t channels) {
    ts_expect_pointer(c, requant->mul, sizeof(uint16_t));
    ts_expect(c, requant->shift >= 1 && requant->shift <= 31, TS_ERROR_RANGE);
    ts_expect(c, requant->per_channel <= (channels > 0) && requant->round_half_up <= 1,
              TS_ERROR_RANGE);
    const uint32_t count = requant->per_channel ? channels : 1;
    for (uint32_t i = 0; c->status == TS_OK && i < count; i++)
        ts_expect(c, requant->mul[i] != 0, TS_ERROR_RANGE);
}

/* A linear layer: `outputs` channels, each a sum over `inputs` elements. */
static inline void ts_expect_linear(ts_checker *c, const int8_t *weight, const int32_t *bias,
                                    const ts_requant *requant, uint32_t outputs, uint32_t inputs) {
    ts_expect_operand(c, weight);
    ts_expect_bias(c, bias, outputs, inputs);
    ts_expect_requant(c, requant, outputs);
}

/* For rows of `row` elements. */
static inline void ts_expect_table(ts_checker *c, const ts_softmax_table *table, uint32_t row) {
    uint32_t largest = 0;
    ts_expect_operand(c, table->entries);
    for (uint32_t i = 0; c->status == TS_OK && i < 256; i++)
        largest = table->entries[i] > largest ? table->entries[i] : largest;
    ts_expect(c, c->status != TS_OK || table->entries[0] >= 1, TS_ERROR_RANGE);
    ts_expect(c, largest <= 1u << 24 && largest == table->max, TS_ERROR_RANGE);
    ts_expect(c, (uint64_t)largest * row <= UINT32_MAX, TS_ERROR_RANGE);
}

/* What lies between the projections of an attention: scores, softmax, context. */
static inline void ts_expect_maps(ts_checker *c, const ts_shape *shape, const ts_requant *scores,
                                  const ts_softmax_table *table, const ts_requant *context) {
    ts_expect_depth(c, shape->P, TS_PRODUCT_S8);
    ts_expect_depth(c, shape->S, TS_PRODUCT_U8);
    ts_expect_requant(c, scores, 0);
    ts_expect_requant(c, context, shape->H * shape->P);
    ts_expect_table(c, table, shape->S);
}

/* Parameters of a layer normalisation over `width` elements, see layernorm.h. */
static inline void ts_expect_norm(ts_checker *c, const int16_t *weight, const int32_t *bias,
                                  uint32_t width, uint32_t shift) {
    ts_expect_operand(c, weight);
    ts_expect_operand(c, bias);
    ts_expect(c, shift <= 31, TS_ERROR_RANGE);
    for (uint32_t i = 0; c->status == TS_OK && i < width; i++) {
        const int64_t magnitude = bias[i] < 0 ? -(int64_t)bias[i] : bias[i];
        ts_expect(c, magnitude + 255 * 32768 <= INT32_MAX, TS_ERROR_RANGE);
    }
}

/* Parameters of a residual addition, see add.h. */
static inline void ts_expect_sum(ts_checker *c, uint32_t a_mul, uint32_t b_mul, uint32_t shift,
                                 uint32_t round_half_up) {
    ts_expect(c, a_mul >= 1 && a_mul <= 65535 && b_mul >= 1 && b_mul <= 65535, TS_ERROR_RANGE);
    ts_expect(c, shift >= 1 && shift <= 31 && round_half_up <= 1, TS_ERROR_RANGE);
}

/* The bytes of `output` are not those of an input. */
static inline void ts_expect_apart(ts_checker *c, const void *output, uint64_t output_bytes,
                                   const void *input, uint64_t input_bytes) {
    const uintptr_t a = (uintptr_t)output, b = (uintptr_t)input;
    ts_expect(c, a + output_bytes <= b || b + input_bytes <= a, TS_ERROR_OVERLAP);
}

static inline void ts_expect_schedule(ts_checker *c, const ts_schedule *schedule) {
    ts_expect(c, schedule->order <= TS_ORDER_RECOMPUTE, TS_ERROR_SCHEDULE);
}

#endif
