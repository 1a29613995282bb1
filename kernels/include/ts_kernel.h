// SPDX-License-Identifier: Apache-2.0
/* What every kernel shares: the calling convention and the split of work over a team.
 *
 * Calling convention. Each kernel `ts_<op>` is SPMD: every core of the team calls it with the same
 * arguments and returns once its own share is done; the caller needs a barrier before it reads the
 * output. Kernels keep no state, allocate nothing and report no errors: the stated ranges are
 * preconditions, which `ts_<op>_check` tests and TS_CALL reports in debug builds. Operands are
 * 4-byte aligned; none is read or written beyond its exact size, and the output overlaps no input
 * unless the header allows it. `scratch` is 16-byte aligned, shared by the team, at least
 * `ts_<op>_scratch(shape, cores)` bytes, may hold anything on entry and may be NULL when that
 * number is 0.
 *
 * Symbols. `ts_<op>` is bound to one variant by the link; `ts_<op>_<variant>` are the variants. */
#ifndef TS_KERNEL_H
#define TS_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "ts_types.h"

/* What ts_<op>_check finds. */
typedef enum {
    TS_OK = 0,
    TS_ERROR_NULL = 1,      /* a pointer that is needed is NULL */
    TS_ERROR_TEAM = 2,      /* no core, or a core beyond the team */
    TS_ERROR_SHAPE = 3,     /* a dimension that is 0 or too large, or sums that overflow int32 */
    TS_ERROR_ALIGNMENT = 4, /* an operand or the scratch */
    TS_ERROR_RANGE = 5,     /* a bias, multiplier, shift, table entry or stride */
    TS_ERROR_OVERLAP = 6,   /* the output lies in an input */
    TS_ERROR_SCHEDULE = 7,  /* an order of loops that does not exist */
} ts_status;

/* Calls ts_<op>(team, args, scratch) and is TS_OK; in debug builds (without NDEBUG) it checks the
 * arguments first and, if they are wrong, says how and calls nothing. The macro's arguments may be
 * evaluated more than once. */
#ifdef NDEBUG
#define TS_CALL(op, team, args, scratch) (ts_##op((team), (args), (scratch)), TS_OK)
#else
#define TS_CALL(op, team, args, scratch)                                                           \
    (ts_##op##_check((team), (args), (scratch)) == TS_OK                                           \
         ? (ts_##op((team), (args), (scratch)), TS_OK)                                             \
         : ts_##op##_check((team), (args), (scratch)))
#endif

/* Bytes of scratch that one call needs, for all cores of the team together. */
typedef uint32_t ts_scratch_fn(const ts_shape *shape, uint32_t cores);

/* Half-open range of work items. */
typedef struct {
    uint32_t begin, end;
} ts_range;

static inline uint32_t ts_min(uint32_t a, uint32_t b) { return a < b ? a : b; }

static inline uint32_t ts_ceil_div(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

static inline uint32_t ts_align16(uint32_t bytes) { return (bytes + 15u) & ~15u; }

/* This core's share of `count` items: contiguous, and no core has over one item more than another.
 */
static inline ts_range ts_team_share(const ts_team *team, uint32_t count) {
    const uint32_t each = count / team->cores;
    const uint32_t rest = count % team->cores;
    const uint32_t begin = team->core * each + ts_min(team->core, rest);
    return (ts_range){begin, begin + each + (team->core < rest ? 1u : 0u)};
}

/* Heads that the composite kernels take through their stages at once. One head at a time keeps the
 * scratch small; short sequences need several so that every core finds rows (in tiles of 4). */
static inline uint32_t ts_heads_at_once(const ts_shape *shape, uint32_t cores) {
    return ts_min(shape->H, ts_ceil_div(cores, ts_ceil_div(shape->S, 4)));
}

#endif
