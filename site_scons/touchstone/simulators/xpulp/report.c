// SPDX-License-Identifier: Apache-2.0
// The JSON report: how the run ended, and where every core was. standstill.py says in words why a
// run did not end by itself.
#include "xpulp.h"

static void print_pairs(FILE *file, const sim *s) {
    const char *separator = "";
    fprintf(file, "\"counter_reads\":[");
    for (uint32_t i = 0; i < s->read_count; i++, separator = ",") {
        fprintf(file, "%s[%llu,%llu]", separator, (unsigned long long)s->reads[i].cycles,
                (unsigned long long)s->reads[i].instructions);
    }
}

// State (core_state), pc and, for who waits in the event unit, the register's offset there.
static void print_cores(FILE *file, const sim *s) {
    fprintf(file, "],\n\"cores\":[");
    for (uint32_t i = 0; i < ALL_CORES; i++) {
        const core *c = &s->cores[i];
        fprintf(file, "%s[%d,%u,%u]", i == 0 ? "" : ",", (int)c->state,
                (unsigned)(c->state == CORE_RUNNING ? core_pc(c) : c->wait_pc),
                (unsigned)c->wait_register);
    }
    fprintf(file, "],\n\"lacking\":["); // a mask of cores for every barrier
    for (uint32_t i = 0; i < BARRIERS; i++) {
        const barrier *b = &s->barriers[i];
        fprintf(file, "%s%u", i == 0 ? "" : ",", (unsigned)(b->trigger_mask & ~b->status));
    }
}

static void print_fault(FILE *file, const fault_record *f) {
    // Details are our own texts: no quotes, backslashes or control characters.
    fprintf(file, "],\n\"fault\":{\"kind\":\"%s\",\"detail\":\"%s\",\"core\":%u,\"pc\":%u,",
            f->kind, f->detail, (unsigned)f->core, (unsigned)f->pc);
    fprintf(file, f->has_address ? "\"address\":%u}}\n" : "\"address\":null}}\n",
            (unsigned)f->address);
}

bool write_report(const sim *s, const char *path) {
    static const char *const status[] = {
        [EXIT] = "exit", [LIMIT] = "limit", [DEADLOCK] = "deadlock", [FAULT] = "fault"};
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return false;
    }
    fprintf(file, "{\"status\":\"%s\",\"exit_code\":%u,\"instructions\":%llu,", status[s->status],
            (unsigned)s->exit_code, (unsigned long long)(s->max_instructions - s->left));
    print_pairs(file, s);
    print_cores(file, s);
    if (s->status == FAULT) {
        print_fault(file, &s->fault);
    } else {
        fprintf(file, "],\n\"fault\":null}\n");
    }
    bool ok = ferror(file) == 0;
    return fclose(file) == 0 && ok;
}
