/* SPDX-License-Identifier: Apache-2.0 */
/* Scores, softmax and context of two rows of queries with 2 to 4 keys, all heads in one call: the
 * map never leaves the registers. Registers: ts_m4_maps.S. */
#include "ts_m4_few_keys.S"

    .macro BEGIN_FEW
    push {r0, r4-r11, lr}
    vldm r0, {s16-s31}
    .endm

    .macro END_FEW
    pop {r0, r4-r11, pc}
    .endm

    .macro KEEP_MAP keys
    vmov s0, r6
    vmov s1, r10
    .if \keys > 2
    vmov s2, r8
    vmov s3, r12
    .endif
    .endm

    .macro FEW_ROWS name, keys, round
    FUNCTION ts_m4_maps_\name
    BEGIN_FEW
1:  vmov r1, s16
    vmov r0, s17
    vmov r2, s18
    add r2, r1
    vmov s29, r2
    ALL_SCORES \keys
    vmov s16, r1
    vmov s17, r0
    SCORES_TO_MAP \keys, \round, s26
    KEEP_MAP \keys
    BEGIN_CONTEXT
5:  STEP_FROM_ZERO
    .if \keys > 2
    STEP 2, 3
    .endif
    END_TILE \round, 5b
    vmov r1, s31
    cmp r1, #0
    beq 6f
    FIRST_HALF
    .if \keys > 2
    MORE_HALF 2, 3
    .endif
    FINISH_CONTEXT \round, 2
6:  END_HEAD 1b
    END_FEW
    .size ts_m4_maps_\name, . - ts_m4_maps_\name
    .endm

    /* Heads of one or two channels: a step of the scores, half a tile of the context. */
    .macro FEW_NARROW_ROWS name, keys, round
    FUNCTION ts_m4_maps_narrow_\name
    BEGIN_FEW
1:  vmov r1, s16
    vmov r0, s17
    FIRST_SCORES \keys
    vmov s16, r1
    vmov s17, r0
    SCORES_TO_MAP \keys, \round, s26
    KEEP_MAP \keys
    vmov r0, s20
    vmov r3, s24
    FIRST_HALF
    vmov s30, r3
    .if \keys > 2
    MORE_HALF 2, 3
    .endif
    FINISH_CONTEXT \round, 2
    END_HEAD 1b
    END_FEW
    .size ts_m4_maps_narrow_\name, . - ts_m4_maps_narrow_\name
    .endm

    FEW_ROWS two_floor, 2,
    FEW_ROWS two_half_up, 2, r
    FEW_ROWS three_floor, 3,
    FEW_ROWS three_half_up, 3, r
    FEW_ROWS four_floor, 4,
    FEW_ROWS four_half_up, 4, r
    FEW_NARROW_ROWS two_floor, 2,
    FEW_NARROW_ROWS three_floor, 3,
    FEW_NARROW_ROWS four_floor, 4,
    FEW_NARROW_ROWS two_half_up, 2, r
    FEW_NARROW_ROWS three_half_up, 3, r
    FEW_NARROW_ROWS four_half_up, 4, r
