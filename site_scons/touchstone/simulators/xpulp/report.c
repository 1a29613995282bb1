// SPDX-License-Identifier: Apache-2.0
// The JSON report, written last and under its final name only when complete.
#include "xpulp.h"

#include <stdlib.h>
#include <string.h>

step write_output(sim *s, core *c, FILE *file, const void *bytes, uint32_t count) {
    if (file == s->stream && !dma_complete(s, c, "when a result is written")) {
        return STEP_STOP;
    }
    s->output_bytes += count;
    if (s->output_bytes > MAX_OUTPUT_BYTES) {
        fault(s, c, "output", NULL, "the program wrote more than %d bytes", MAX_OUTPUT_BYTES);
        return STEP_STOP;
    }
    fwrite(bytes, 1, count, file); // main.c looks for errors at the end
    return STEP_OK;
}

static void print_fault(FILE *file, const fault_record *f) {
    fprintf(file, "{\"kind\":\"%s\",\"core\":%u,\"pc\":%u,\"address\":", f->kind, (unsigned)f->core,
            (unsigned)f->pc);
    if (f->has_address) {
        fprintf(file, "%u", (unsigned)f->address);
    } else {
        fprintf(file, "null");
    }
    // Details are our own texts: no quotes, backslashes or control characters.
    fprintf(file, ",\"detail\":\"%s\"}", f->detail);
}

static void print_report(FILE *file, const sim *s) {
    const char *status = s->status == STATUS_EXIT    ? "exit"
                         : s->status == STATUS_LIMIT ? "limit"
                                                     : "fault";
    fprintf(file, "{\"status\":\"%s\",\"exit_code\":%d,\"instructions\":%llu,\"counter_reads\":[",
            status, (int)s->exit_code, (unsigned long long)(s->max_instructions - s->left));
    for (size_t i = 0; i < s->read_count; i++) {
        fprintf(file, "%s[%llu,%llu]", i == 0 ? "" : ",", (unsigned long long)s->reads[i].cycles,
                (unsigned long long)s->reads[i].instructions);
    }
    fprintf(file, "],\"fault\":");
    if (s->fault.kind != NULL) { // at the limit: where the cores were
        print_fault(file, &s->fault);
    } else {
        fprintf(file, "null");
    }
    fprintf(file, "}\n");
}

bool write_report(const sim *s, const char *path) {
    size_t length = strlen(path);
    char *temporary = malloc(length + 5);
    if (temporary == NULL) {
        return false;
    }
    memcpy(temporary, path, length);
    memcpy(temporary + length, ".new", 5);
    FILE *file = fopen(temporary, "wb");
    bool ok = false;
    if (file != NULL) {
        print_report(file, s);
        ok = ferror(file) == 0;
        ok = fclose(file) == 0 && ok;
        ok = ok && rename(temporary, path) == 0;
    }
    free(temporary);
    return ok;
}
