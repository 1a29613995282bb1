/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include "console.h"
#include "crc32.h"

typedef struct {
    uint32_t magic, type, case_index, index, payload_bytes;
    uint32_t run_id[4];
    uint32_t crc; /* Of the words from `type` to the run id, then the payload. */
} frame;

void ts_record(const ts_job *job, uint32_t type, uint32_t case_index, uint32_t index,
               const void *payload, uint32_t bytes) {
    frame header = {
        .magic = TS_FRAME_MAGIC,
        .type = type,
        .case_index = case_index,
        .index = index,
        .payload_bytes = bytes,
        .run_id = {job->run_id[0], job->run_id[1], job->run_id[2], job->run_id[3]},
    };
    const uint32_t checked = sizeof(frame) - sizeof(header.magic) - sizeof(header.crc);
    header.crc = ts_crc32(ts_crc32(0, &header.type, checked), payload, bytes);
    ts_stream_write(&header, sizeof(header));
    ts_stream_write(payload, bytes);
}
