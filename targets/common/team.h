/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_TEAM_H
#define TS_COMMON_TEAM_H

#include "ts_job.h"

/*
 * Releases the other cores of core 0's team into ts_job_run(team, c) and returns when all of them
 * are on their way; each then enters one ts_team_barrier() after its call. Provided by the target,
 * does nothing for a team of one.
 */
void ts_team_fork(const ts_team *team, const ts_case *c);

#endif
