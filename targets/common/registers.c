/* SPDX-License-Identifier: Apache-2.0 */
#include "registers.h"

#include "console.h"

/* Apart from the other code, whose place the timed runs depend on where there are caches. */
__attribute__((section(".registers"))) _Noreturn void ts_registers_lost(const char *name) {
    ts_log("the kernel does not keep register ");
    ts_log(name);
    ts_log("\n");
    ts_exit(TS_EXIT_REGISTER);
}
