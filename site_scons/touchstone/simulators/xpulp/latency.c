// SPDX-License-Identifier: Apache-2.0
// The columns of the table of latencies (xpulp.h), and what a division takes.
#include "xpulp.h"

#define GVSOC(name, gvsoc, rtl) .name = gvsoc,
#define RTL(name, gvsoc, rtl) .name = rtl,
const latency latencies[] = {{XPULP_LATENCIES(GVSOC)}, {XPULP_LATENCIES(RTL)}};

uint32_t latency_divide(const latency *t, uint32_t divisor, bool is_signed) {
    if (divisor == 0) {
        return is_signed ? t->div_by_zero : t->divu_by_zero;
    }
    if (is_signed && (divisor & 0x80000000u) != 0) {
        return t->div_negative + (uint32_t)__builtin_clz(0u - divisor);
    }
    return t->div_positive + (uint32_t)__builtin_clz(divisor);
}
