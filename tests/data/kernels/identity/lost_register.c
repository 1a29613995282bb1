/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

void ts_identity_lost_register(const ts_team *team, const ts_identity_args *args, void *scratch);
uint32_t ts_identity_lost_register_scratch(const ts_shape *shape, uint32_t cores);

/* A change of one bit each, in a register that a callee has to keep; nobody tells the compiler. */
#ifdef __riscv
static inline void lose_core(void) { __asm__ volatile("xori s8, s8, 1"); }
static inline void lose_other(void) { __asm__ volatile("xori gp, gp, 1024"); }
static inline void lose_last(void) { __asm__ volatile("addi s11, s11, 1"); }
#else
static inline void lose_core(void) { __asm__ volatile("eor r8, r8, #1"); }
static inline void lose_other(void) { __asm__ volatile("vneg.f32 s20, s20"); }
static inline void lose_last(void) {
    __asm__ volatile("vmrs r3, fpscr\n eor r3, r3, #0x400000\n vmsr fpscr, r3" ::: "r3");
}
#endif

/* The first two calls are the timed ones, after which nobody looks. */
enum { TIMED_CALLS = 2 };
enum { KEEPS_ALL, LOSES_CORE, LOSES_OTHER, LOSES_LAST };

void ts_identity_lost_register(const ts_team *team, const ts_identity_args *args, void *scratch) {
    static uint32_t calls;
    ts_identity_portable(team, args, scratch);
    if (++calls <= TIMED_CALLS) {
        return;
    }
    if (args->bias == LOSES_CORE) {
        lose_core();
    } else if (args->bias == LOSES_OTHER) {
        lose_other();
    } else if (args->bias == LOSES_LAST) {
        lose_last();
    }
}

uint32_t ts_identity_lost_register_scratch(const ts_shape *shape, uint32_t cores) {
    return ts_identity_portable_scratch(shape, cores);
}
