// SPDX-License-Identifier: Apache-2.0
// Command line of the simulator. Exit status 0 whenever a report was written, 2 otherwise.
#include "observe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { L1_MINIMUM = 4096, SKEW_MAXIMUM = 100000 };

typedef struct {
    const char *image, *stream, *log, *report, *limit, *timing, *conflicts, *icache, *stacks;
    const char *profile, *trace, *over_reads, *l1_bytes, *skew;
} options;

static int usage(const char *reason) {
    fprintf(stderr,
            "xpulp_sim: %s\nusage: xpulp_sim IMAGE.elf --stream FILE --log FILE --report FILE "
            "--max-instructions N [--timing gvsoc|rtl] [--bank-conflicts on|off] "
            "[--icache on|off] [--l1-bytes N] [--over-reads allow|trap] [--stacks BASE:BYTES] "
            "[--profile FILE] "
            "[--trace FILE] [--barrier-skew CYCLES]\n",
            reason);
    return 2;
}

static const char *parse(int argc, char **argv, options *out) {
    const struct {
        const char *name;
        const char **value;
    } known[] = {{"--stream", &out->stream},         {"--log", &out->log},
                 {"--report", &out->report},         {"--max-instructions", &out->limit},
                 {"--timing", &out->timing},         {"--bank-conflicts", &out->conflicts},
                 {"--icache", &out->icache},         {"--stacks", &out->stacks},
                 {"--profile", &out->profile},       {"--trace", &out->trace},
                 {"--over-reads", &out->over_reads}, {"--l1-bytes", &out->l1_bytes},
                 {"--barrier-skew", &out->skew}};
    for (int i = 1; i < argc; i++) {
        const char **target = NULL;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            target = strcmp(argv[i], known[k].name) == 0 ? known[k].value : target;
        }
        if (target == NULL) {
            if (argv[i][0] == '-' || out->image != NULL) {
                return "unknown argument";
            }
            out->image = argv[i];
        } else if (++i < argc) {
            *target = argv[i];
        } else {
            return "an option lacks its value";
        }
    }
    bool complete = out->image && out->stream && out->log && out->report && out->limit;
    return complete ? NULL : "an argument is missing";
}

static bool parse_count(const char *text, uint64_t *value) {
    char *end = NULL;
    errno = 0;
    unsigned long long parsed = strtoull(text, &end, 10);
    *value = parsed;
    return errno == 0 && end != text && *end == '\0' && text[0] != '-' && parsed > 0;
}

// Where core 0's stack begins, and how long each is: the others follow it.
static bool parse_stacks(const char *text, sim *s) {
    char *end = NULL;
    unsigned long base = strtoul(text, &end, 0);
    bool ok = end != text && *end == ':' && base <= UINT32_MAX;
    unsigned long bytes = ok ? strtoul(end + 1, &end, 0) : 0;
    s->stack_base = (uint32_t)base;
    s->stack_bytes = (uint32_t)bytes;
    return ok && *end == '\0' && bytes > 0 && bytes <= s->l1.size;
}

static bool parse_switch(const char *text, bool *value) {
    *value = strcmp(text, "on") == 0;
    return *value || strcmp(text, "off") == 0;
}

static void reset(sim *s, uint64_t max_instructions) {
    for (uint32_t i = 0; i < ALL_CORES; i++) {
        s->cores[i].id = i;
        s->cores[i].rank = i;
        s->ranked[i] = (uint8_t)i;
        s->cores[i].state = CORE_OFF;
        s->cores[i].fetch_base = UINT32_MAX;
        s->cores[i].region = &s->l2;
        s->cores[i].at = s->l2.code;
        // Accesses that may have to be trapped all go over the bus.
        s->cores[i].l1_bytes = i == FC || s->guards.trap ? 0 : s->l1.size;
        s->key[i] = UINT64_MAX;
    }
    s->key[ALL_CORES] = UINT64_MAX;
    s->max_instructions = s->left = max_instructions;
    uint64_t bound = UINT64_C(1) << 54; // keys hold the cycle shifted by eight bits
    s->max_cycles = max_instructions < bound / CYCLES_PER_INSTRUCTION
                        ? (max_instructions + (1u << 14)) * CYCLES_PER_INSTRUCTION
                        : bound;
}

static int run(sim *s, const options *o) {
    s->stream = fopen(o->stream, "wb");
    s->log = fopen(o->log, "wb");
    bool ok = s->stream != NULL && s->log != NULL && observer_open(s, o->profile, o->trace);
    if (ok) {
        run_system(s);
    } else {
        fprintf(stderr, "xpulp_sim: cannot write an output file\n");
    }
    ok = observer_close(s) && ok;
    FILE *files[2] = {s->stream, s->log};
    for (int i = 0; i < 2; i++) {
        if (files[i] != NULL) {
            ok = ferror(files[i]) == 0 && ok;
            ok = fclose(files[i]) == 0 && ok;
        }
    }
    return ok && write_report(s, o->report) ? 0 : 2;
}

int main(int argc, char **argv) {
    options o = {.timing = "gvsoc", .conflicts = "off", .icache = "off", .over_reads = "allow"};
    o.l1_bytes = "131072";
    o.skew = "0";
    const char *problem = parse(argc, argv, &o);
    uint64_t limit = 0;
    if (problem != NULL) {
        return usage(problem);
    }
    if (!parse_count(o.limit, &limit)) {
        return usage("--max-instructions takes a positive number");
    }
    uint64_t l1_bytes = 0;
    if (!parse_count(o.l1_bytes, &l1_bytes) || l1_bytes > L1_SIZE || l1_bytes < L1_MINIMUM ||
        (l1_bytes & (l1_bytes - 1)) != 0) {
        return usage("--l1-bytes takes a power of two from 4096 to 131072");
    }
    sim *s = calloc(1, sizeof *s);
    if (s == NULL || !sim_allocate(s, (uint32_t)l1_bytes)) {
        fprintf(stderr, "xpulp_sim: out of memory\n");
        return 2;
    }
    s->timing = latency_find(o.timing);
    if (s->timing == NULL) {
        return usage("--timing takes gvsoc or rtl");
    }
    if (!parse_switch(o.conflicts, &s->model_conflicts) ||
        !parse_switch(o.icache, &s->model_icache)) {
        return usage("--bank-conflicts and --icache take on or off");
    }
    s->guards.trap = strcmp(o.over_reads, "trap") == 0;
    if (!s->guards.trap && strcmp(o.over_reads, "allow") != 0) {
        return usage("--over-reads takes allow or trap");
    }
    uint64_t skew = 0;
    if (strcmp(o.skew, "0") != 0 && (!parse_count(o.skew, &skew) || skew > SKEW_MAXIMUM)) {
        return usage("--barrier-skew takes cycles, up to 100000");
    }
    s->barrier_skew = (uint32_t)skew;
    if (o.stacks != NULL && !parse_stacks(o.stacks, s)) {
        return usage("--stacks takes BASE:BYTES");
    }
    reset(s, limit);
    int status = load_image(s, o.image) ? run(s, &o) : 2;
    sim_free(s);
    free(s);
    return status;
}
