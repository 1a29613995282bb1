/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include "crc32.h"

/* Symbols of the linker script; only their addresses mean anything. */
extern const uint32_t __ts_job_start[];
extern const char __ts_job_bytes[];
extern const char ts_kernel_tag_value[];

const ts_job *ts_job_block(void) { return (const ts_job *)__ts_job_start; }

uint32_t ts_job_capacity(void) { return (uint32_t)(uintptr_t)__ts_job_bytes; }

uint32_t ts_firmware_kernel_tag(void) { return (uint32_t)(uintptr_t)ts_kernel_tag_value; }

static uint32_t case_bytes(const ts_job *job) {
    return 4 * (2 + job->param_count) + job->operand_count * (uint32_t)sizeof(ts_job_operand);
}

static bool operand_valid(const ts_job *job, const ts_job_operand *operand, bool is_output) {
    if (is_output) {
        return operand->role == TS_ROLE_OUTPUT && operand->offset == 0 && operand->bytes > 0;
    }
    return operand->role < TS_ROLE_OUTPUT && operand->offset % 16 == 0 &&
           operand->offset <= job->total_bytes &&
           operand->bytes <= job->total_bytes - operand->offset;
}

static bool header_valid(const ts_job *job, uint32_t capacity, uint32_t max_cores) {
    if (job->magic != TS_JOB_MAGIC || job->abi != TS_JOB_ABI ||
        (job->flags & ~(uint32_t)(TS_JOB_ANNOUNCES | TS_JOB_FAR_WEIGHTS)) != 0) {
        return false;
    }
    if (job->total_bytes < sizeof(ts_job) || job->total_bytes > capacity) {
        return false;
    }
    if (job->kernel_tag != ts_firmware_kernel_tag() || job->cores < 1 || job->cores > max_cores) {
        return false;
    }
    if (job->param_count > TS_MAX_PARAMS || job->operand_count > TS_MAX_OPERANDS ||
        job->output_index >= job->operand_count) {
        return false;
    }
    const uint32_t room = (job->total_bytes - (uint32_t)sizeof(ts_job)) / case_bytes(job);
    return job->case_count >= 1 && job->case_count <= room;
}

bool ts_job_valid(const ts_job *job, uint32_t capacity, uint32_t max_cores) {
    if (!header_valid(job, capacity, max_cores)) {
        return false;
    }
    const uint8_t *bytes = (const uint8_t *)job;
    const uint32_t crc = ts_crc32(0, bytes + TS_JOB_CRC_START, job->total_bytes - TS_JOB_CRC_START);
    if (crc != job->crc) {
        return false;
    }
    for (uint32_t i = 0; i < job->case_count; i++) {
        const ts_job_case entry = ts_job_case_at(job, i);
        for (uint32_t k = 0; k < job->operand_count; k++) {
            if (!operand_valid(job, &entry.operands[k], k == job->output_index)) {
                return false;
            }
        }
    }
    return true;
}

ts_job_case ts_job_case_at(const ts_job *job, uint32_t index) {
    const uint8_t *tables = (const uint8_t *)(job + 1);
    const uint32_t *words = (const uint32_t *)(tables + index * case_bytes(job));
    return (ts_job_case){
        .params = words + 2,
        .operands = (const ts_job_operand *)(words + 2 + job->param_count),
        .timed = words[1] != 0,
    };
}
