/* SPDX-License-Identifier: Apache-2.0 */
#include "../common/board.h"

#include "../common/console.h"
#include "../common/job.h"
#include "../common/stack.h"
#include "../common/team.h"

enum { MAX_CORES = 8 };

/* The event unit, as each core of the cluster sees its own part of it. */
enum {
    EVENT_UNIT = 0x10204000,
    EVENT_MASK_OR = EVENT_UNIT + 0x08,
    BARRIER_CORES = 0x00,     /* Cores that have to arrive. */
    BARRIER_WAKE = 0x0C,      /* Cores that are woken then. */
    BARRIER_WAIT_CLEAR = 0x1C /* Arrive, sleep, clear the event. */
};

enum { BARRIER_EVENTS = 7 << 16 };

/* Two barriers, so that a kernel in which the cores disagree stops instead of running on. */
enum { TEAM_BARRIER = EVENT_UNIT + 0x200, FORK_BARRIER = EVENT_UNIT + 0x220 };

/* Exit register of the SoC's control unit: GVSOC, for one, knows no SYS_EXIT_EXTENDED. */
enum { SOC_EXIT = 0x1A1040A0 };
static const uint32_t SOC_EXIT_VALID = 0x80000000u;

static const ts_case *volatile work;

int main(void);
_Noreturn void ts_cluster_main(uint32_t core);
_Noreturn void ts_cluster_worker(uint32_t core);
_Noreturn void ts_trap(uint32_t hart, uint32_t cause, uint32_t pc);

static void write_word(uint32_t address, uint32_t value) {
    *(volatile uint32_t *)(uintptr_t)address = value;
}

/* p.elw: a load during which the core's clock stands still until the event unit answers. */
static inline void wait_at(uint32_t barrier) {
    uint32_t ignored;
    __asm__ volatile(".insn i 0x03, 6, %0, %2(%1)"
                     : "=r"(ignored)
                     : "r"(barrier), "i"(BARRIER_WAIT_CLEAR)
                     : "memory");
}

/* Every core sets up the same, so that none depends on another's having been first. */
static void set_up_barriers(uint32_t cores) {
    const uint32_t mask = (1u << cores) - 1;
    write_word(EVENT_MASK_OR, BARRIER_EVENTS);
    write_word(TEAM_BARRIER + BARRIER_CORES, mask);
    write_word(TEAM_BARRIER + BARRIER_WAKE, mask);
    write_word(FORK_BARRIER + BARRIER_CORES, mask);
    write_word(FORK_BARRIER + BARRIER_WAKE, mask);
}

static uint32_t team_size(void) {
    const uint32_t cores = ts_job_block()->cores;
    return cores >= 1 && cores <= MAX_CORES ? cores : 1;
}

void ts_team_barrier(const ts_team *team) {
    if (team->cores > 1) {
        wait_at(TEAM_BARRIER);
    }
}

void ts_team_fork(const ts_team *team, const ts_case *c) {
    work = c;
    if (team->cores > 1) {
        wait_at(FORK_BARRIER);
    }
}

_Noreturn void ts_cluster_main(uint32_t core) {
    ts_stack_paint(core);
    set_up_barriers(team_size());
    main();
    ts_exit(TS_EXIT_FAULT);
}

_Noreturn void ts_cluster_worker(uint32_t core) {
    const ts_team team = {.core = core, .cores = team_size()};
    while (core >= team.cores) {
        __asm__ volatile("wfi");
    }
    ts_stack_paint(core);
    set_up_barriers(team.cores);
    for (;;) {
        wait_at(FORK_BARRIER);
        ts_job_run(&team, work);
        ts_team_barrier(&team);
    }
}

uint32_t ts_board_max_cores(void) { return MAX_CORES; }

/* mcycle always runs. */
bool ts_board_start_counter(void) { return true; }

__attribute__((noinline)) uint32_t ts_board_cycles(void) {
    uint32_t cycles;
    __asm__ volatile("csrr %0, mcycle" : "=r"(cycles)::"memory");
    return cycles;
}

void ts_board_exit(uint32_t code) { write_word(SOC_EXIT, SOC_EXIT_VALID | code); }

_Noreturn void ts_trap(uint32_t hart, uint32_t cause, uint32_t pc) {
    ts_log("trap: hart ");
    ts_log_hex(hart);
    ts_log(", mcause ");
    ts_log_hex(cause);
    ts_log(", pc ");
    ts_log_hex(pc);
    ts_log("\n");
    ts_exit(TS_EXIT_FAULT);
}
