/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot of a PULP cluster. Execution starts on the fabric controller (FC), which lets the cluster's
 * eight cores go and sleeps. Core 0 runs the harness; the other cores of the team wait for work.
 */

#define ICACHE_CLUSTER 0x10201400
#define ICACHE_FC 0x1A108800
#define CLUSTER_FETCH_ENABLE 0x10200008
#define CLUSTER_BOOT_ADDRESS 0x10200040
#define CLUSTER_CORES 8
#define CORE_ID_MASK 31

    .section .text.start, "ax"
    .globl _start
_start:
    /* Where the FC's cluster number differs from the cluster's, which is 0. */
    csrr t0, mhartid
    srli t0, t0, 5
    beqz t0, cluster_start
    la t0, trap_vector
    csrw mtvec, t0
    /* Both instruction caches are off at reset. */
    li t0, -1
    li t1, ICACHE_FC
    sw t0, 0(t1)
    li t1, ICACHE_CLUSTER
    sw t0, 0(t1)
    la t0, cluster_start
    li t1, CLUSTER_BOOT_ADDRESS
    addi t2, t1, 4 * CLUSTER_CORES
1:  sw t0, 0(t1)
    addi t1, t1, 4
    bne t1, t2, 1b
    li t0, (1 << CLUSTER_CORES) - 1
    li t1, CLUSTER_FETCH_ENABLE
    sw t0, 0(t1)
2:  wfi
    j 2b

cluster_start:
    la t0, trap_vector
    csrw mtvec, t0
    csrr a0, mhartid
    andi a0, a0, CORE_ID_MASK
    jal t0, set_stack
    bnez a0, 3f
    /* Core 0 prepares the static data, then runs the harness, which does not return. */
    la t0, __ts_data_start
    la t1, __ts_data_end
    la t2, __ts_data_load
    j 2f
1:  lw t3, 0(t2)
    sw t3, 0(t0)
    addi t0, t0, 4
    addi t2, t2, 4
2:  bltu t0, t1, 1b
    la t0, __ts_bss_start
    la t1, __ts_bss_end
    j 2f
1:  sw zero, 0(t0)
    addi t0, t0, 4
2:  bltu t0, t1, 1b
    call ts_cluster_main
3:  call ts_cluster_worker

/* sp = the end of core a0's stack; returns through t0. */
set_stack:
    la sp, __ts_stacks_start
    lui t1, %hi(ts_stack_bytes_per_core)
    addi t1, t1, %lo(ts_stack_bytes_per_core)
    addi t2, a0, 1
    mul t1, t1, t2
    add sp, sp, t1
    jr t0

/*
 * Exceptions of any core: report and end. The core's stack is started afresh: the old one may be
 * what went wrong.
 */
    .section .text.trap, "ax"
    .balign 256
trap_vector:
    csrr a0, mhartid
    andi a0, a0, CORE_ID_MASK
    jal t0, set_stack
    csrr a0, mhartid
    csrr a1, mcause
    csrr a2, mepc
    call ts_trap

/* int32_t ts_semihost(uint32_t operation, const void *arguments) */
    .section .text.ts_semihost, "ax"
    .globl ts_semihost
    .balign 16
ts_semihost:
    .option push
    .option norvc
    slli x0, x0, 0x1f
    ebreak
    srai x0, x0, 7
    .option pop
    ret

#include "registers.S"
