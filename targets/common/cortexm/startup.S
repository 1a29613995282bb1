/* SPDX-License-Identifier: Apache-2.0 */
/* Boot of an ARMv7E-M core: vector table, reset, faults, semihosting. */

#define CPACR 0xE000ED88
#define CPACR_FPU_FULL_ACCESS (0xF << 20)

    .syntax unified
    .thumb

    .section .vectors, "a"
    .globl __ts_vectors
__ts_vectors:
    .word __ts_stacks_end
    .word _start
    .rept 14    /* NMI, faults and system exceptions; interrupts stay off. */
    .word fault
    .endr

    .section .text.start, "ax"
    .globl _start
    .type _start, %function
    .thumb_func
_start:
    /* A debugger that jumps here has not loaded the stack pointer from the table. */
    ldr r0, =__ts_stacks_end
    mov sp, r0
    /* Floating-point registers exist only from here on. */
    ldr r0, =CPACR
    ldr r1, [r0]
    orr r1, r1, #CPACR_FPU_FULL_ACCESS
    str r1, [r0]
    dsb
    isb
    ldr r0, =__ts_data_start
    ldr r1, =__ts_data_end
    ldr r2, =__ts_data_load
    b 2f
1:  ldr r3, [r2], #4
    str r3, [r0], #4
2:  cmp r0, r1
    blo 1b
    ldr r0, =__ts_bss_start
    ldr r1, =__ts_bss_end
    movs r3, #0
    b 4f
3:  str r3, [r0], #4
4:  cmp r0, r1
    blo 3b
    movs r0, #0
    bl ts_stack_paint
    bl main
    b .
    .ltorg

/* r0 = the stack pointer that the exception found; the stack starts afresh, it may be the cause. */
    .section .text.fault, "ax"
    .type fault, %function
    .thumb_func
fault:
    mov r0, sp
    ldr r1, =__ts_stacks_end
    mov sp, r1
    bl ts_fault
    b .
    .ltorg

/* int32_t ts_semihost(uint32_t operation, const void *arguments) */
    .section .text.ts_semihost, "ax"
    .globl ts_semihost
    .type ts_semihost, %function
    .thumb_func
ts_semihost:
    bkpt 0xAB
    bx lr

#include "registers.S"
