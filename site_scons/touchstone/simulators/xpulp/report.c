// SPDX-License-Identifier: Apache-2.0
// The JSON report: how the run ended, and where every core was. standstill.py says in words why a
// run did not end by itself.
#include "xpulp.h"

// State (core_state), pc, cycle and, for who waits in the event unit, the register's offset there;
// then a mask of the cores that each barrier lacks.
static void print_cores(FILE *file, const sim *s) {
    for (uint32_t i = 0; i < ALL_CORES; i++) {
        const core *c = &s->cores[i];
        fprintf(file, "%s[%d,%u,%llu,%u]", i == 0 ? "],\n\"cores\":[" : ",", (int)c->state,
                (unsigned)(c->state == CORE_RUNNING ? core_pc(c) : c->wait_pc),
                (unsigned long long)c->cycle, (unsigned)c->wait_register);
    }
    for (uint32_t i = 0; i < BARRIERS; i++) {
        const barrier *b = &s->barriers[i];
        fprintf(file, "%s%u", i == 0 ? "],\n\"lacking\":[" : ",",
                (unsigned)(b->trigger_mask & ~b->status));
    }
}

bool write_report(const sim *s, const char *path) {
    static const char *const status[] = {
        [EXIT] = "exit", [LIMIT] = "limit", [DEADLOCK] = "deadlock", [FAULT] = "fault"};
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return false;
    }
    fprintf(file, "{\"status\":\"%s\",\"exit_code\":%u,\"instructions\":%llu,\"counter_reads\":[",
            status[s->status], (unsigned)s->exit_code,
            (unsigned long long)(s->max_instructions - s->left));
    for (uint32_t i = 0; i < s->read_count; i++) {
        fprintf(file, "%s[%llu,%llu]", i == 0 ? "" : ",", (unsigned long long)s->reads[i].cycles,
                (unsigned long long)s->reads[i].instructions);
    }
    print_cores(file, s);
    const fault_record *f = &s->fault;
    if (s->status == FAULT) { // details are our own texts: nothing in them needs an escape
        fprintf(file, "],\n\"fault\":{\"kind\":\"%s\",\"detail\":\"%s\",\"core\":%u,\"pc\":%u,",
                f->kind, f->detail, (unsigned)f->core, (unsigned)f->pc);
        fprintf(file, f->has_address ? "\"address\":%u}}\n" : "\"address\":null}}\n",
                (unsigned)f->address);
    } else {
        fprintf(file, "],\n\"fault\":null}\n");
    }
    bool ok = ferror(file) == 0;
    return fclose(file) == 0 && ok;
}
