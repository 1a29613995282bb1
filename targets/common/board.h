/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_BOARD_H
#define TS_COMMON_BOARD_H

#include <stdbool.h>
#include <stdint.h>

/* What a target provides besides ts_team_barrier() and the semihosting call. */

/* Cores that this target can put into a team. */
uint32_t ts_board_max_cores(void);

/* Starts the cycle counter; false if the machine has none. Does not read it. */
bool ts_board_start_counter(void);

/* The cycle counter, wrapping. Simulators take note of each read: only the measurement makes one.
 */
uint32_t ts_board_cycles(void);

/* Ends the program in the machine's own way; returns where only semihosting can. */
void ts_board_exit(uint32_t code);

#endif
