// SPDX-License-Identifier: Apache-2.0
#ifndef TS_JOB_H
#define TS_JOB_H

#include "ts_types.h"

/**
 * One set of operands of a job, as a kernel's glue code sees it.
 *
 * `params` and `operands` are in the order of the kernel's kernel.yaml. Every operand starts on 16
 * bytes and has its exact size: the next byte is a guard, never to be written and never to be read.
 * `scratch` (16-byte aligned) has the bytes that ts_job_scratch() asked for. Scratch and output are
 * poisoned before each call and nothing in them survives from one call to the next.
 */
typedef struct {
    ts_shape shape;
    const uint32_t *params;
    void *const *operands;
    void *scratch;
} ts_case;

/** Runs the kernel once; called by all cores of the team. Defined by the kernel's job.c. */
void ts_job_run(const ts_team *team, const ts_case *c);

/** Scratch of the whole team in bytes, at a shape. Defined by the kernel's job.c. */
uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores);

/**
 * The large arguments of a kernel, for glue code. A target whose stacks are small keeps them in
 * static memory (TS_GLUE_STATIC in its target.yaml): every core then writes the same words, before
 * the kernel's first barrier. Where they are small, so is the instruction cache: then what glue
 * code does several times is a function (TS_GLUE_FUNCTION). TS_GLUE_VARIABLE is for what is filled
 * in piece by piece.
 */
#ifdef TS_GLUE_STATIC
#define TS_GLUE_FUNCTION static __attribute__((noinline, unused))
#define TS_GLUE_ARGUMENTS(type, name, ...)                                                         \
    static type name;                                                                              \
    name = (type)__VA_ARGS__
#define TS_GLUE_VARIABLE(type, name) static type name
#else
#define TS_GLUE_FUNCTION static inline
#define TS_GLUE_ARGUMENTS(type, name, ...) const type name = __VA_ARGS__
#define TS_GLUE_VARIABLE(type, name) type name
#endif

/** A function whose loops stay loops. */
#ifdef __clang__
#define TS_GLUE_SMALL TS_GLUE_FUNCTION __attribute__((minsize))
#else
#define TS_GLUE_SMALL TS_GLUE_FUNCTION
#endif

/** Bits of the parameter that follows a requantisation's shift. */
enum { TS_REQUANT_ROUND_HALF_UP = 1u << 0, TS_REQUANT_PER_CHANNEL = 1u << 1 };

/** The requantisation of these multipliers, whose shift and flags are the words at `params`. */
static inline ts_requant ts_case_requant_of(const void *mul, const uint32_t *params) {
    return (ts_requant){
        .mul = (const uint16_t *)mul,
        .per_channel = (params[1] & TS_REQUANT_PER_CHANNEL) != 0,
        .shift = (uint8_t)params[0],
        .round_half_up = (params[1] & TS_REQUANT_ROUND_HALF_UP) != 0,
    };
}

/**
 * The requantisation whose multipliers are operand `mul_operand` and whose shift is parameter
 * `shift_param`; its flags are the parameter after that.
 */
TS_GLUE_FUNCTION ts_requant ts_case_requant(const ts_case *c, uint32_t mul_operand,
                                            uint32_t shift_param) {
    return ts_case_requant_of(c->operands[mul_operand], c->params + shift_param);
}

/**
 * The requantisations from `to` to `end`, at least one, that lie one after the other as their
 * multipliers, shifts and flags do. Where code is dear, a loop.
 */
TS_GLUE_SMALL void ts_case_requants(void *const *mul, const uint32_t *params, ts_requant *to,
                                    const ts_requant *end) {
    do {
        to->mul = *mul++;
        to->per_channel = (uint8_t)(params[1] / TS_REQUANT_PER_CHANNEL);
        to->shift = (uint8_t)params[0];
        to->round_half_up = params[1] & TS_REQUANT_ROUND_HALF_UP;
        params += 2;
        to++;
    } while (to != end);
}

#endif
