/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void ts_registers_call(const ts_team *team, const ts_case *c): see common/registers.h. The
 * integer calling convention of RISC-V has a callee keep s0 to s11 and sp, and leave gp and tp
 * alone. The other cores' registers are not looked at: they run the same code.
 */

/* Register number `index` of the list gets this; no two share a halfword. */
#define PATTERN(index) (0x5AC35A3C + 0x01110111 * (index))

    .macro for_each_register operation
    \operation s0, 0
    \operation s1, 1
    \operation s2, 2
    \operation s3, 3
    \operation s4, 4
    \operation s5, 5
    \operation s6, 6
    \operation s7, 7
    \operation s8, 8
    \operation s9, 9
    \operation s10, 10
    \operation s11, 11
    \operation gp, 12
    \operation tp, 13
    .endm

    .macro keep register, index
    sw \register, 4 * \index(t0)
    .endm

    .macro fill register, index
    li \register, PATTERN(\index)
    .endm

    .macro check register, index
    li t1, PATTERN(\index)
    la a0, name_\register
    bne \register, t1, lost
    .endm

    .macro restore register, index
    lw \register, 4 * \index(t0)
    .endm

    .macro name register, index
name_\register:
    .asciz "\register"
    .endm

    .section .registers, "ax"
    .globl ts_registers_call
    .balign 4
ts_registers_call:
    la t0, kept
    sw ra, 4 * 14(t0)
    sw sp, 4 * 15(t0)
    for_each_register keep
    for_each_register fill
    call ts_job_run
    /* The stack pointer first: without it nobody can say anything. */
    la t0, kept
    lw t1, 4 * 15(t0)
    la a0, name_sp
    mv t2, sp
    mv sp, t1
    bne t2, t1, lost
    for_each_register check
    for_each_register restore
    lw ra, 4 * 14(t0)
    ret
lost:
    tail ts_registers_lost

    for_each_register name
    name sp

    .section .kept, "aw", @nobits
    .balign 4
kept:
    .zero 4 * 16
