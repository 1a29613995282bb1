// SPDX-License-Identifier: Apache-2.0
// The trace as touchstone/trace.py reads it, one line for each instruction, numbers in hexadecimal:
// core cycle pc code[@address][ xN=value]... Lines of one core are in order; those of a waiting
// core come when it wakes.
#include "observe.h"

#include <string.h>

void trace_step(trace *t, const sim *s, const core *c, const insn *in, uint32_t pc, uint64_t start,
                const uint32_t *address) {
    if (t->file == NULL || t->count == TRACE_LIMIT) {
        return;
    }
    t->count++;
    const region *r = region_find((sim *)s, pc);
    uint32_t code = 0;
    memcpy(&code, r->bytes + (pc - r->base), 2u * in->half);
    fprintf(t->file, "%x %llx %x %0*x", (unsigned)c->id, (unsigned long long)start, (unsigned)pc,
            4 * in->half, (unsigned)code);
    if (address != NULL) {
        fprintf(t->file, "@%x", (unsigned)*address);
    }
    if (in->rd != SINK) {
        fprintf(t->file, " x%u=%x", (unsigned)in->rd, (unsigned)c->x[in->rd]);
    }
    if (row_of(in)->kind == KIND_LOAD_POST || row_of(in)->kind == KIND_STORE_POST) {
        fprintf(t->file, " x%u=%x", (unsigned)in->rs1, (unsigned)c->x[in->rs1]);
    }
    fputc('\n', t->file);
}
