/* SPDX-License-Identifier: Apache-2.0 */
/* The ARM run-time ABI's names for the routines of common/memory.c. */
    .syntax unified
    .thumb

    .section .text.aeabi, "ax"
    .globl __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8
    .globl __aeabi_memmove, __aeabi_memmove4, __aeabi_memmove8
    .globl __aeabi_memset, __aeabi_memset4, __aeabi_memset8
    .globl __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8
    .thumb_func
__aeabi_memcpy:
    .thumb_func
__aeabi_memcpy4:
    .thumb_func
__aeabi_memcpy8:
    b memcpy
    .thumb_func
__aeabi_memmove:
    .thumb_func
__aeabi_memmove4:
    .thumb_func
__aeabi_memmove8:
    b memmove
    /* Unlike memset: destination, count, value. */
    .thumb_func
__aeabi_memset:
    .thumb_func
__aeabi_memset4:
    .thumb_func
__aeabi_memset8:
    mov r3, r1
    mov r1, r2
    mov r2, r3
    b memset
    .thumb_func
__aeabi_memclr:
    .thumb_func
__aeabi_memclr4:
    .thumb_func
__aeabi_memclr8:
    mov r2, r1
    movs r1, #0
    b memset
