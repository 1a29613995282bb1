/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include "board.h"
#include "registers.h"
#include "team.h"

__attribute__((noinline)) ts_call ts_call_untimed(const ts_team *team, const ts_case *c) {
    ts_team_fork(team, c);
    ts_registers_call(team, c);
    ts_team_barrier(team);
    return (ts_call){0, (uintptr_t)__builtin_frame_address(0)};
}

__attribute__((noinline)) ts_call ts_call_timed(const ts_team *team, const ts_case *c) {
    ts_team_fork(team, c);
    const uint32_t begin = ts_board_cycles();
    ts_job_run(team, c);
    ts_team_barrier(team);
    const uint32_t end = ts_board_cycles();
    return (ts_call){end - begin, (uintptr_t)__builtin_frame_address(0)};
}
