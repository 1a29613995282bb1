// SPDX-License-Identifier: Apache-2.0
/// \file
/// cortexm_sim: runs a firmware image on a simulated Cortex-M4 or Cortex-M7 and reports how it
/// ended, how many instructions it executed and what its cycle counter showed.
#include "files.h"
#include "observe.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: cortexm_sim IMAGE.elf --unicorn LIBRARY --core cortex-m4|cortex-m7 --costs FILE\n"
    "           --stream FILE --log FILE --report FILE --max-instructions N\n"
    "           [--memory ORIGIN:BYTES[:rwx]]... [--over-reads allow|trap]\n"
    "           [--flash-wait-states N] [--flash-line-bytes N] [--flash-prefetch on|off]\n"
    "           [--profile FILE] [--trace FILE]\n";

enum { EXIT_USAGE = 2, MAX_WAIT_STATES = 15, MAX_LINE_BYTES = 256 };

typedef struct {
    const char *image, *unicorn, *core, *costs, *stream, *log, *report, *profile, *trace,
        *over_reads, *prefetch;
    uint64_t max_instructions, wait_states, line_bytes;
} Options;

static int failed(const char *subject, const char *what) {
    fprintf(stderr, "cortexm_sim: %s: %s\n", subject, what);
    return EXIT_USAGE;
}

/// A whole number up to `max` at the start of `text`; `*end` is what follows it, NULL if there is
/// none.
static uint64_t parse_number(const char *text, uint64_t max, char **end) {
    errno = 0;
    uint64_t value = strtoull(text, end, 0);
    if (*text < '0' || *text > '9' || errno != 0 || value > max) {
        *end = NULL;
    }
    return value;
}

/// "ORIGIN:BYTES" or "ORIGIN:BYTES:PERMISSIONS".
static bool parse_memory(const char *text, Memory *memory) {
    char *end = NULL;
    uint64_t origin = parse_number(text, UINT32_MAX, &end);
    if (end == NULL || *end != ':') {
        return false;
    }
    uint64_t bytes = parse_number(end + 1, UINT32_MAX, &end);
    if (end == NULL || bytes == 0 || origin + bytes > (uint64_t)UINT32_MAX + 1) {
        return false;
    }
    uint8_t permissions = 0;
    if (*end == ':') {
        for (end++; *end != '\0' && strchr("rwx", *end) != NULL; end++) {
            permissions |= *end == 'r' ? MEMORY_READ : *end == 'w' ? MEMORY_WRITE : MEMORY_EXECUTE;
        }
        if (permissions == 0) {
            return false;
        }
    }
    return *end == '\0' && memory_declare(memory, (uint32_t)origin, (uint32_t)bytes, permissions);
}

static bool parse_option(Options *options, Memory *memory, const char *name, const char *value) {
    const struct {
        const char *name;
        const char **value;
    } texts[] = {
        {"--unicorn", &options->unicorn},
        {"--core", &options->core},
        {"--costs", &options->costs},
        {"--stream", &options->stream},
        {"--log", &options->log},
        {"--report", &options->report},
        {"--profile", &options->profile},
        {"--trace", &options->trace},
        {"--over-reads", &options->over_reads},
        {"--flash-prefetch", &options->prefetch},
    };
    const struct {
        const char *name;
        uint64_t *value, max;
    } numbers[] = {
        {"--max-instructions", &options->max_instructions, UINT64_MAX / 2},
        {"--flash-wait-states", &options->wait_states, MAX_WAIT_STATES},
        {"--flash-line-bytes", &options->line_bytes, MAX_LINE_BYTES},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].value = value;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            char *end = NULL;
            *numbers[i].value = parse_number(value, numbers[i].max, &end);
            return end != NULL && *end == '\0';
        }
    }
    return strcmp(name, "--memory") == 0 && parse_memory(value, memory);
}

static bool is_one_of(const char *word, const char *one, const char *other) {
    return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

static bool parse_options(Options *options, Memory *memory, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            if (options->image != NULL) {
                return false;
            }
            options->image = argv[i];
        } else if (i + 1 == argc || !parse_option(options, memory, argv[i], argv[i + 1])) {
            return false;
        } else {
            i++;
        }
    }
    return options->image && options->unicorn && options->core && options->costs &&
           options->stream && options->log && options->report && options->max_instructions > 0 &&
           is_one_of(options->over_reads, "allow", "trap") &&
           is_one_of(options->prefetch, "on", "off") && options->line_bytes >= 4 &&
           (options->line_bytes & (options->line_bytes - 1)) == 0 &&
           is_one_of(options->core, "cortex-m4", "cortex-m7");
}

/// The cost table must describe the code that was loaded, not another build of it.
static const char *check_costs(const Machine *machine) {
    for (uint32_t i = 0; i < machine->costs.segment_count; i++) {
        const CostSegment *segment = &machine->costs.segments[i];
        const uint8_t *code = memory_host(&machine->memory, segment->address, segment->bytes);
        if (code == NULL || crc32_of(code, segment->bytes) != segment->crc32) {
            return "it was made for another firmware";
        }
    }
    return NULL;
}

static FILE *open_output(const char *path) {
    FILE *file = fopen(path, "wb");
    if (file != NULL) {
        // Unbuffered, so that the output up to a kill is not lost.
        setvbuf(file, NULL, _IONBF, 0);
    }
    return file;
}

int main(int argc, char **argv) {
    static Machine machine;
    static Image image;
    Options options = {.over_reads = "allow", .prefetch = "on", .line_bytes = 8};
    uint32_t stack_pointer = 0;
    uint32_t entry = 0;
    const char *wrong = NULL;
    if (!memory_init(&machine.memory)) {
        return failed("host", "out of memory");
    }
    if (!parse_options(&options, &machine.memory, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if ((wrong = image_read(&image, options.image)) != NULL) {
        return failed(options.image, wrong);
    }
    image_declare(&image, &machine.memory);
    if ((wrong = memory_allocate(&machine.memory)) != NULL ||
        (wrong = image_load(&image, &machine.memory, &stack_pointer, &entry)) != NULL) {
        return failed(options.image, wrong);
    }
    if ((wrong = costs_read(&machine.costs, options.costs, options.core)) != NULL ||
        (wrong = check_costs(&machine)) != NULL) {
        return failed(options.costs, wrong);
    }
    machine.costs.flash = (FlashTiming){
        .wait_states = (uint32_t)options.wait_states,
        .line_bytes = (uint32_t)options.line_bytes,
        .prefetch = strcmp(options.prefetch, "on") == 0,
    };
    machine.guards.trap = strcmp(options.over_reads, "trap") == 0;
    if ((wrong = unicorn_api_load(&machine.api, options.unicorn)) != NULL ||
        (wrong = machine_init(&machine)) != NULL ||
        (wrong = observer_open(&machine, options.profile, options.trace)) != NULL) {
        return failed(options.unicorn, wrong);
    }
    machine.max_instructions = options.max_instructions;
    machine.streams[0] = open_output(options.stream);
    machine.streams[1] = open_output(options.log);
    if (machine.streams[0] == NULL || machine.streams[1] == NULL) {
        return failed("output", "cannot be written");
    }
    machine_run(&machine, stack_pointer, entry);
    if (!observer_close(&machine)) {
        return failed("profile or trace", "cannot be written");
    }
    if (!report_write(&machine, options.report)) {
        return failed(options.report, "cannot be written");
    }
    return EXIT_SUCCESS;
}
