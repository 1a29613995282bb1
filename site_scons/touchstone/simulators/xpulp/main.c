// SPDX-License-Identifier: Apache-2.0
// Command line of the simulator. Exit status 0 whenever a report was written, 2 otherwise.
#include "observe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// An option's value: a text, one of two words (as 0 or 1), or a number between bounds.
typedef struct {
    const char *name, *takes;
    const char **text;
    uint64_t *number;
    const char *words[2];
    uint64_t least, most;
    bool power_of_two;
} option;

static bool read_value(const option *o, const char *value) {
    if (o->text != NULL) {
        *o->text = value;
        return true;
    }
    if (o->words[0] != NULL) {
        *o->number = strcmp(value, o->words[1]) == 0;
        return *o->number == 1 || strcmp(value, o->words[0]) == 0;
    }
    char *end = NULL;
    errno = 0;
    *o->number = strtoull(value, &end, 10);
    return errno == 0 && end != value && *end == '\0' && value[0] != '-' &&
           *o->number >= o->least && *o->number <= o->most &&
           !(o->power_of_two && (*o->number & (*o->number - 1)) != 0);
}

// Where core 0's stack begins, and how long each is: the others follow it.
static bool read_stacks(const char *value, sim *s) {
    char *end = NULL;
    unsigned long long base = strtoull(value, &end, 0);
    bool ok = end != value && *end == ':' && base <= UINT32_MAX;
    unsigned long long bytes = ok ? strtoull(end + 1, &end, 0) : 0;
    s->stack_base = (uint32_t)base;
    s->stack_bytes = (uint32_t)bytes;
    return ok && *end == '\0' && bytes > 0 && bytes <= s->l1.size;
}

// `known` ends with an option without a name.
static int refuse(const option *known, const char *name, const char *verb, const char *what) {
    fprintf(stderr, "xpulp_sim: %s %s %s\nusage: xpulp_sim IMAGE.elf, options:\n", name, verb,
            what);
    for (const option *o = known; o->name != NULL; o++) {
        fprintf(stderr, "  %s %s\n", o->name, o->takes);
    }
    return 2;
}

static int parse(const option *known, const char **image, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const option *o = known;
        while (o->name != NULL && strcmp(argv[i], o->name) != 0) {
            o++;
        }
        if (o->name == NULL && (argv[i][0] == '-' || *image != NULL)) {
            return refuse(known, argv[i], "is", "an unknown argument");
        }
        if (o->name == NULL) {
            *image = argv[i];
        } else if (++i == argc || !read_value(o, argv[i])) {
            return refuse(known, o->name, "takes", o->takes);
        }
    }
    return 0;
}

static void reset(sim *s, uint64_t max_instructions) {
    for (uint32_t i = 0; i < ALL_CORES; i++) {
        core *c = &s->cores[i];
        c->id = c->rank = s->ranked[i] = (uint8_t)i;
        c->fetch_base = UINT32_MAX;
        c->region = &s->l2;
        c->at = s->l2.code;
        // Accesses that may have to be trapped all go over the bus.
        c->l1_bytes = i == FC || s->guards.trap ? 0 : s->l1.size;
        s->key[i] = UINT64_MAX;
    }
    s->key[ALL_CORES] = UINT64_MAX;
    s->max_instructions = s->left = max_instructions;
    uint64_t bounded = max_instructions < MAX_INSTRUCTIONS ? max_instructions : MAX_INSTRUCTIONS;
    s->max_cycles = (bounded + (1u << 14)) * CYCLES_PER_INSTRUCTION;
}

// The report comes last: without one the run counts for nothing.
static int run(sim *s, const char *report, const char *profile, const char *trace) {
    bool ok = s->stream != NULL && s->log != NULL && observer_open(s, profile, trace);
    if (ok) {
        run_system(s);
        ok = ferror(s->stream) == 0 && ferror(s->log) == 0;
        ok = fclose(s->stream) == 0 && fclose(s->log) == 0 && ok;
    }
    ok = observer_close(s) && ok && write_report(s, report);
    if (!ok) {
        fprintf(stderr, "xpulp_sim: cannot write an output file\n");
    }
    return ok ? 0 : 2;
}

int main(int argc, char **argv) {
    const char *image = NULL, *stream = NULL, *log = NULL, *report = NULL;
    const char *stacks = NULL, *profile = NULL, *trace = NULL;
    uint64_t limit = 0, timing = 0, conflicts = 0, icache = 0, trap = 0;
    uint64_t l1_bytes = L1_SIZE, skew = 0;
    const option known[] = {
        {"--stream", "FILE", .text = &stream},
        {"--log", "FILE", .text = &log},
        {"--report", "FILE", .text = &report},
        {"--max-instructions", "a positive number", .number = &limit, .least = 1,
         .most = UINT64_MAX},
        {"--timing", "gvsoc or rtl", .number = &timing, .words = {"gvsoc", "rtl"}},
        {"--bank-conflicts", "on or off", .number = &conflicts, .words = {"off", "on"}},
        {"--icache", "on or off", .number = &icache, .words = {"off", "on"}},
        {"--over-reads", "allow or trap", .number = &trap, .words = {"allow", "trap"}},
        {"--l1-bytes", "a power of two from 4096 to 131072", .number = &l1_bytes, .least = 4096,
         .most = L1_SIZE, .power_of_two = true},
        {"--barrier-skew", "cycles, up to 100000", .number = &skew, .most = 100000},
        {"--stacks", "BASE:BYTES", .text = &stacks},
        {"--profile", "FILE", .text = &profile},
        {"--trace", "FILE", .text = &trace},
        {.name = NULL},
    };
    if (parse(known, &image, argc, argv) != 0) {
        return 2;
    }
    if (image == NULL || stream == NULL || log == NULL || report == NULL || limit == 0) {
        return refuse(known, "an image and the first four options", "are", "needed");
    }
    sim *s = calloc(1, sizeof *s);
    if (s == NULL || !sim_allocate(s, (uint32_t)l1_bytes)) {
        fprintf(stderr, "xpulp_sim: out of memory\n");
        return 2;
    }
    if (stacks != NULL && !read_stacks(stacks, s)) {
        return refuse(known, "--stacks", "takes", "BASE:BYTES");
    }
    s->timing = &latencies[timing];
    s->model_conflicts = conflicts != 0;
    s->model_icache = icache != 0;
    s->guards.trap = trap != 0;
    s->barrier_skew = (uint32_t)skew;
    reset(s, limit);
    if (!load_image(s, image)) {
        return 2;
    }
    s->stream = fopen(stream, "wb");
    s->log = fopen(log, "wb");
    return run(s, report, profile, trace);
}
