// SPDX-License-Identifier: Apache-2.0
/* Runs one kernel on the host over a team of threads. Usage: runner REQUEST > OUTPUTS
 *
 * REQUEST, native uint32 words: kernel index, S, E, P, H, F, schedule (3), cores, scratch bytes,
 * cases, params, operands; then per case the params, and per operand its size in bytes and (but for
 * the last, the output) its bytes. OUTPUTS: the output of every case. Every case runs twice, on
 * different poison, in buffers of buffers.h: with operands that end, and with operands that begin,
 * at what guards them. Exit status 1 and a line on stderr when something is wrong; a stray access
 * ends the program by a signal or a sanitizer's report. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffers.h"
#include "kernels.h"
#include "ts_job.h"

enum { MAX_OPERANDS = 32, MAX_PARAMS = 32, MAX_CORES = 64 };

typedef struct {
    uint32_t kernel;
    ts_shape shape;
    uint32_t cores, scratch_bytes, cases, params, operands;
} request;

typedef struct {
    const host_kernel *kernel;
    const ts_case *job;
    ts_team team;
} member;

static pthread_mutex_t barrier_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t barrier_open = PTHREAD_COND_INITIALIZER;
static uint32_t barrier_waiting, barrier_round;

void fail(const char *what) {
    fprintf(stderr, "runner: %s\n", what);
    exit(1);
}

void ts_team_barrier(const ts_team *team) {
    pthread_mutex_lock(&barrier_lock);
    const uint32_t round = barrier_round;
    if (++barrier_waiting == team->cores) {
        barrier_waiting = 0;
        barrier_round++;
        pthread_cond_broadcast(&barrier_open);
    }
    while (round == barrier_round)
        pthread_cond_wait(&barrier_open, &barrier_lock);
    pthread_mutex_unlock(&barrier_lock);
}

static void *run_member(void *argument) {
    const member *m = argument;
    m->kernel->run(&m->team, m->job);
    return NULL;
}

static void run_team(const request *r, const ts_case *job) {
    pthread_t threads[MAX_CORES];
    member members[MAX_CORES];
    for (uint32_t core = 0; core < r->cores; core++) {
        members[core] = (member){&host_kernels[r->kernel], job, {core, r->cores}};
        if (pthread_create(&threads[core], NULL, run_member, &members[core]) != 0)
            fail("no thread");
    }
    for (uint32_t core = 0; core < r->cores; core++)
        pthread_join(threads[core], NULL);
}

/* One run of a case; the output is copied to `output`. */
static void run_once(const request *r, const uint32_t *params, const uint8_t *const *inputs,
                     const uint32_t *bytes, int at_end, uint8_t *output) {
    const int poison = at_end ? 0xA5 : 0x5A;
    guarded buffers[MAX_OPERANDS];
    void *operands[MAX_OPERANDS];
    const uint32_t last = r->operands - 1;
    for (uint32_t i = 0; i < r->operands; i++) {
        buffers[i] = guard(bytes[i], at_end, poison);
        operands[i] = buffers[i].data;
        if (i < last)
            fill_and_lock(&buffers[i], inputs[i]);
    }
    guarded scratch = guard(r->scratch_bytes, at_end, poison);
    const ts_case job = {r->shape, params, operands, scratch.data};
    run_team(r, &job);
    check_slack(&buffers[last], poison);
    check_slack(&scratch, poison);
    memcpy(output, buffers[last].data, bytes[last]);
    for (uint32_t i = 0; i < r->operands; i++)
        release(&buffers[i]);
    release(&scratch);
}

static void read_exactly(FILE *file, void *to, size_t bytes) {
    if (bytes && fread(to, bytes, 1, file) != 1)
        fail("the request is cut short");
}

static void run_case(FILE *file, const request *r) {
    uint32_t params[MAX_PARAMS], bytes[MAX_OPERANDS];
    uint8_t *inputs[MAX_OPERANDS];
    read_exactly(file, params, r->params * sizeof *params);
    for (uint32_t i = 0; i < r->operands; i++) {
        read_exactly(file, &bytes[i], sizeof bytes[i]);
        inputs[i] = malloc(bytes[i] + 1);
        if (i + 1 < r->operands)
            read_exactly(file, inputs[i], bytes[i]);
    }
    const uint32_t last = r->operands - 1;
    uint8_t *again = malloc(bytes[last] + 1);
    const uint8_t *const *data = (const uint8_t *const *)inputs;
    run_once(r, params, data, bytes, 1, inputs[last]);
    run_once(r, params, data, bytes, 0, again);
    if (memcmp(inputs[last], again, bytes[last]) != 0)
        fail("two runs differ");
    fwrite(again, 1, bytes[last], stdout);
    for (uint32_t i = 0; i < r->operands; i++)
        free(inputs[i]);
    free(again);
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        fail("usage: runner REQUEST");
    request r;
    read_exactly(file, &r, sizeof r);
    if (r.kernel >= HOST_KERNELS || r.cores > MAX_CORES || r.params > MAX_PARAMS ||
        r.operands > MAX_OPERANDS || r.operands == 0)
        fail("a number of the request is out of range");
    if (host_kernels[r.kernel].scratch(&r.shape, r.cores) != r.scratch_bytes)
        fail("the scratch of kernel.yaml and that of the kernel differ");
    for (uint32_t i = 0; i < r.cases; i++)
        run_case(file, &r);
    return fflush(stdout) == 0 ? 0 : 1;
}
