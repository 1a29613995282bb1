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
 * code does several times is a function (TS_GLUE_FUNCTION).
 */
#ifdef TS_GLUE_STATIC
#define TS_GLUE_FUNCTION static __attribute__((noinline, unused))
#define TS_GLUE_ARGUMENTS(type, name, ...)                                                         \
    static type name;                                                                              \
    name = (type)__VA_ARGS__
#else
#define TS_GLUE_FUNCTION static inline
#define TS_GLUE_ARGUMENTS(type, name, ...) const type name = __VA_ARGS__
#endif

/** Bits of the parameter that follows a requantisation's shift. */
enum { TS_REQUANT_ROUND_HALF_UP = 1u << 0, TS_REQUANT_PER_CHANNEL = 1u << 1 };

/**
 * The requantisation whose multipliers are operand `mul_operand` and whose shift is parameter
 * `shift_param`; its flags are the parameter after that.
 */
TS_GLUE_FUNCTION ts_requant ts_case_requant(const ts_case *c, uint32_t mul_operand,
                                            uint32_t shift_param) {
    const uint32_t flags = c->params[shift_param + 1];
    return (ts_requant){
        .mul = (const uint16_t *)c->operands[mul_operand],
        .per_channel = (flags & TS_REQUANT_PER_CHANNEL) != 0,
        .shift = (uint8_t)c->params[shift_param],
        .round_half_up = (flags & TS_REQUANT_ROUND_HALF_UP) != 0,
    };
}

#endif
