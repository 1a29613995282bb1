// SPDX-License-Identifier: Apache-2.0
/// \file
/// The report of a run, as JSON.
#ifndef TOUCHSTONE_CORTEXM_REPORT_H
#define TOUCHSTONE_CORTEXM_REPORT_H

#include "machine.h"

/// Write the report under a temporary name and rename it, so that a report that exists is whole.
bool report_write(const Machine *machine, const char *path);

#endif
