// SPDX-License-Identifier: Apache-2.0
// The only place that holds latencies. Column `gvsoc`: measured on GVSOC's pulp-open target (RI5CY
// model, warm instruction cache, L1 bank conflicts off). Column `rtl`: the RI5CY user manual where
// it differs; the memory system is the same.
#include "xpulp.h"

#include <string.h>

static const latency columns[] = {
    {
        .name = "gvsoc",
        .load_use = 1,
        .mul_extra = 1,
        .mul_use = 1,
        .mulh_extra = 4,
        .mulh_use = 1,
        .branch_taken_extra = 2,
        .jump_extra = 1,
        .split_target = 0,
        .l1 = 1,
        .l2 = 15,
        .cluster_peripheral = 3,
        .demux = 1,
        .apb = 23,
        .fc_memory = 1,
        .event_wait = 5,
        .elw_extra = 2,
        .div_positive = 3,
        .div_negative = 2,
        .div_by_zero = 1,
        .divu_by_zero = 34,
        .refill = 2,
        .fetch_l2 = 14,
        .core_start = 1,
    },
    {
        .name = "rtl",
        .load_use = 1,
        .mul_extra = 0,
        .mul_use = 0,
        .mulh_extra = 4,
        .mulh_use = 0,
        .branch_taken_extra = 2,
        .jump_extra = 1,
        .split_target = 1,
        .l1 = 1,
        .l2 = 15,
        .cluster_peripheral = 3,
        .demux = 1,
        .apb = 23,
        .fc_memory = 1,
        .event_wait = 5,
        .elw_extra = 2,
        .div_positive = 3,
        .div_negative = 2,
        .div_by_zero = 35,
        .divu_by_zero = 35,
        .refill = 2,
        .fetch_l2 = 14,
        .core_start = 1,
    },
};

const latency *latency_find(const char *name) {
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (strcmp(columns[i].name, name) == 0) {
            return &columns[i];
        }
    }
    return NULL;
}

static uint32_t leading_zeros(uint32_t value) {
    uint32_t count = 0;
    for (uint32_t bit = 0x80000000u; bit != 0 && (value & bit) == 0; bit >>= 1) {
        count++;
    }
    return count;
}

uint32_t latency_divide(const latency *t, uint32_t divisor, bool is_signed) {
    if (divisor == 0) {
        return is_signed ? t->div_by_zero : t->divu_by_zero;
    }
    if (is_signed && (divisor & 0x80000000u) != 0) {
        return t->div_negative + leading_zeros(0u - divisor);
    }
    return t->div_positive + leading_zeros(divisor);
}
