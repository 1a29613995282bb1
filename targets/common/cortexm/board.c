/* SPDX-License-Identifier: Apache-2.0 */
#include "../board.h"

#include "../console.h"
#include "../stack.h"
#include "../team.h"

/* Debug, trace and system control registers of ARMv7-M. */
enum { DWT_CTRL = 0xE0001000u, DWT_CYCCNT = 0xE0001004u };
enum { DEMCR = 0xE000EDFCu, DEMCR_TRCENA = 1u << 24 };
enum { DWT_CTRL_CYCCNTENA = 1u << 0 };
enum { DWT_LAR = 0xE0001FB0u, DWT_UNLOCK = 0xC5ACCE55u };
enum { ICSR = 0xE000ED04u, CFSR = 0xE000ED28u, HFSR = 0xE000ED2Cu, BFAR = 0xE000ED38u };
enum { ICSR_ACTIVE_MASK = 0x1FF };

/* What the core pushes on an exception. */
enum { FRAME_PC = 6, FRAME_WORDS = 8 };

/* The counter that target.yaml names for this firmware's memory map: DWT_CYCCNT on the chip. */
extern volatile uint32_t ts_cycle_counter[];

extern uint32_t __ts_stacks_start[];
extern uint32_t __ts_stacks_end[];

_Noreturn void ts_fault(const uint32_t *frame);

static volatile uint32_t *reg(uint32_t address) { return (volatile uint32_t *)address; }

/* One core: nobody to wait for. */
void ts_team_barrier(const ts_team *team) { (void)team; }

void ts_team_fork(const ts_team *team, const ts_case *c) {
    (void)team;
    (void)c;
}

uint32_t ts_board_max_cores(void) { return 1; }

/* A counter other than the core's own always runs. Where the core has none, the bit that enables
 * it does not stick. */
bool ts_board_start_counter(void) {
    if ((uintptr_t)ts_cycle_counter != DWT_CYCCNT) {
        return true;
    }
    *reg(DEMCR) |= DEMCR_TRCENA;
    *reg(DWT_LAR) = DWT_UNLOCK; /* The Cortex-M7 ignores the next write otherwise. */
    *reg(DWT_CTRL) |= DWT_CTRL_CYCCNTENA;
    return (*reg(DWT_CTRL) & DWT_CTRL_CYCCNTENA) != 0;
}

__attribute__((noinline)) uint32_t ts_board_cycles(void) {
    const uint32_t cycles = *ts_cycle_counter;
    __asm__ volatile("" ::: "memory");
    return cycles;
}

/* Semihosting is the only way out. */
void ts_board_exit(uint32_t code) { (void)code; }

static void log_register(const char *name, uint32_t value) {
    ts_log(name);
    ts_log_hex(value);
}

_Noreturn void ts_fault(const uint32_t *frame) {
    log_register("fault: exception ", *reg(ICSR) & ICSR_ACTIVE_MASK);
    log_register(", CFSR ", *reg(CFSR));
    log_register(", HFSR ", *reg(HFSR));
    log_register(", address ", *reg(BFAR));
    /* After an overflow there is no frame to read. */
    if (frame >= __ts_stacks_start && frame + FRAME_WORDS <= __ts_stacks_end) {
        log_register(", pc ", frame[FRAME_PC]);
    }
    ts_log("\n");
    ts_exit(TS_EXIT_FAULT);
}
