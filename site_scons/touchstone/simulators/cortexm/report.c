// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *status_name(StopReason stop) {
    return stop == STOP_EXIT ? "exit" : stop == STOP_LIMIT ? "limit" : "fault";
}

/// Kinds and details are texts of this program: plain ASCII without quotes or backslashes.
static void write_fault(FILE *file, const Fault *fault) {
    fprintf(file, "{\"kind\":\"%s\",\"core\":0,\"pc\":%" PRIu32 ",\"address\":", fault->kind,
            fault->pc);
    if (fault->has_address) {
        fprintf(file, "%" PRIu32, fault->address);
    } else {
        fputs("null", file);
    }
    fprintf(file, ",\"detail\":\"%s\"}", fault->detail);
}

static void write_body(FILE *file, const Machine *machine) {
    fprintf(file, "{\"status\":\"%s\",\"exit_code\":%d,\"instructions\":%" PRIu64,
            status_name(machine->stop), machine->exit_code, machine->instructions);
    fputs(",\"counter_reads\":[", file);
    for (size_t i = 0; i < machine->counter_read_count; i++) {
        const CounterRead *read = &machine->counter_reads[i];
        fprintf(file, "%s[%" PRIu64 ",%" PRIu64 "]", i > 0 ? "," : "", read->cycles,
                read->instructions);
    }
    fputs("],\"fault\":", file);
    if (machine->stop == STOP_FAULT) {
        write_fault(file, &machine->fault);
    } else {
        fputs("null", file);
    }
    fputs("}\n", file);
}

bool report_write(const Machine *machine, const char *path) {
    size_t length = strlen(path) + sizeof ".part";
    char *part = malloc(length);
    if (part == NULL) {
        return false;
    }
    snprintf(part, length, "%s.part", path);
    FILE *file = fopen(part, "wb");
    bool written = false;
    if (file != NULL) {
        write_body(file, machine);
        written = !ferror(file);
        written = fclose(file) == 0 && written && rename(part, path) == 0;
    }
    free(part);
    return written;
}
