/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_JOB_H
#define TS_COMMON_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "ts_types.h"

/*
 * The job block: what an image carries besides the firmware. Little-endian 32-bit words; the header
 * is followed by one table per case and by the operands' bytes.
 */

enum { TS_JOB_MAGIC = 0x424A5354 /* "TSJB" */, TS_JOB_ABI = 1 };
enum { TS_MAX_OPERANDS = 32, TS_MAX_PARAMS = 32 };
/* Flags: the simulator wants to know where operands lie; weights stay in the job (arena.h). */
enum { TS_JOB_ANNOUNCES = 1, TS_JOB_FAR_WEIGHTS = 2 };
enum { TS_ROLE_ACTIVATION = 0, TS_ROLE_WEIGHT = 1, TS_ROLE_OUTPUT = 2 };

typedef struct {
    uint32_t magic;
    uint32_t abi;
    uint32_t total_bytes;
    uint32_t crc; /* CRC-32 of the bytes from TS_JOB_CRC_START to the end. */
    uint32_t run_id[4];
    uint32_t kernel_tag; /* CRC-32 of the kernel's name. */
    uint32_t cores;
    uint32_t flags;
    uint32_t case_count;
    uint32_t param_count;
    uint32_t operand_count;
    uint32_t scratch_bytes;
    uint32_t output_index;
    ts_shape shape; /* With the schedule. */
} ts_job;

/* The run id is a hash that includes the rest, so neither it nor the CRC can be in the CRC. */
enum { TS_JOB_CRC_START = 64 };

typedef struct {
    uint32_t offset; /* From the start of the job, a multiple of 16; 0 for the output. */
    uint32_t bytes;
    uint32_t role;
    uint32_t reserved;
} ts_job_operand;

/* One case's table, in place. */
typedef struct {
    const uint32_t *params;
    const ts_job_operand *operands;
    bool timed;
} ts_job_case;

/* The image's job, and the room there is for it. */
const ts_job *ts_job_block(void);
uint32_t ts_job_capacity(void);

/* Whether the block is one this firmware can run: every count, offset and size, and the CRC. */
bool ts_job_valid(const ts_job *job, uint32_t capacity, uint32_t max_cores);

/* Case `index` of a valid job. */
ts_job_case ts_job_case_at(const ts_job *job, uint32_t index);

/* The tag of the kernel that this firmware was linked for. */
uint32_t ts_firmware_kernel_tag(void);

#endif
