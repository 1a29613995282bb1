/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void ts_registers_call(const ts_team *team, const ts_case *c): see common/registers.h. The ARM
 * procedure call standard has a callee keep r4 to r11, sp and s16 to s31; of FPSCR the bits that
 * choose how numbers are rounded.
 */
    .syntax unified
    .thumb

/* Register number `index` of the list gets this; no two share a halfword. */
#define PATTERN(index) (0x5AC35A3C + 0x01110111 * (index))
#define FPSCR_MODES 0x07C00000

    .macro for_each_core operation
    \operation r4, 0
    \operation r5, 1
    \operation r6, 2
    \operation r7, 3
    \operation r8, 4
    \operation r9, 5
    \operation r10, 6
    \operation r11, 7
    .endm

    .macro for_each_float operation
    \operation s16, 8
    \operation s17, 9
    \operation s18, 10
    \operation s19, 11
    \operation s20, 12
    \operation s21, 13
    \operation s22, 14
    \operation s23, 15
    \operation s24, 16
    \operation s25, 17
    \operation s26, 18
    \operation s27, 19
    \operation s28, 20
    \operation s29, 21
    \operation s30, 22
    \operation s31, 23
    .endm

    .macro constant register, value
    movw \register, #((\value) & 0xFFFF)
    movt \register, #((\value) >> 16)
    .endm

    .macro fill register, index
    constant \register, PATTERN(\index)
    .endm

    .macro fill_float register, index
    constant r4, PATTERN(\index)
    vmov \register, r4
    .endm

    .macro compare register, expected, name
    ldr r0, =name_\name
    cmp \register, \expected
    bne.w lost
    .endm

    .macro check register, index
    constant r1, PATTERN(\index)
    compare \register, r1, \register
    .endm

    .macro check_float register, index
    constant r1, PATTERN(\index)
    vmov r2, \register
    compare r2, r1, \register
    .endm

    .macro name register, index
name_\register:
    .asciz "\register"
    .endm

    .section .registers, "ax", %progbits
    .globl ts_registers_call
    .type ts_registers_call, %function
    .balign 4
    .thumb_func
ts_registers_call:
    ldr r2, =kept
    stmia r2!, {r4-r11, lr}
    vstmia r2!, {s16-s31}
    vmrs r3, fpscr
    str r3, [r2], #4
    mov r3, sp
    str r3, [r2]
    for_each_float fill_float
    for_each_core fill
    bl ts_job_run
    /* The stack pointer first: without it nobody can say anything. */
    ldr r3, =kept + 4 * 26
    ldr r1, [r3]
    mov r2, sp
    mov sp, r1
    compare r2, r1, sp
    for_each_core check
    for_each_float check_float
    ldr r1, [r3, #-4]
    vmrs r2, fpscr
    eors r2, r1
    and r2, r2, #FPSCR_MODES
    movs r1, #0
    compare r2, r1, fpscr
    ldr r2, =kept
    ldmia r2!, {r4-r11, lr}
    vldmia r2!, {s16-s31}
    bx lr
    .type lost, %function
    .thumb_func
lost:
    b.w ts_registers_lost

    .ltorg
    for_each_core name
    for_each_float name
    name sp
    name fpscr

    .section .kept, "aw", %nobits
    .balign 4
kept:
    .space 4 * 27
