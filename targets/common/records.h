/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TS_COMMON_RECORDS_H
#define TS_COMMON_RECORDS_H

#include <stdint.h>

#include "job.h"

/*
 * The record stream: frames of ten header words and a payload, without padding. A complete stream
 * is HELLO, then OUTPUT and CASE for each case, then END.
 */

enum { TS_FRAME_MAGIC = 0x43525354 /* "TSRC" */ };
enum { TS_RECORD_HELLO = 1, TS_RECORD_OUTPUT = 2, TS_RECORD_CASE = 3, TS_RECORD_END = 4 };
enum { TS_NOT_MEASURED = -1 };

/* Status of a case (0 .. 3) or of a whole job (any). */
typedef enum {
    TS_STATUS_OK = 0,
    TS_STATUS_RUNS_DIFFER = 1,
    TS_STATUS_INPUT_CHANGED = 2,
    TS_STATUS_GUARD_OVERWRITTEN = 3,
    TS_STATUS_SCRATCH_MISMATCH = 4,
    TS_STATUS_BAD_JOB = 5,
    TS_STATUS_ARENA_TOO_SMALL = 6,
} ts_status;

typedef struct {
    uint32_t abi, kernel_tag, cores;
} ts_record_hello;

typedef struct {
    uint32_t status;
    uint32_t operand;   /* Operand at fault; the operand count stands for scratch. */
    int32_t offset;     /* Byte at fault, from the operand's start. */
    uint32_t hash_cold; /* Hash of the output of the first run ... */
    uint32_t hash_warm; /* ... and of the last. */
} ts_record_case;

typedef struct {
    uint32_t status;
    uint32_t cycles_cold, cycles_warm; /* 0xFFFFFFFF: not measured. */
    uint32_t stack_bytes;
    uint32_t cases_done;
} ts_record_end;

/* Appends one frame to the stream. */
void ts_record(const ts_job *job, uint32_t type, uint32_t case_index, uint32_t index,
               const void *payload, uint32_t bytes);

#endif
