# SPDX-License-Identifier: Apache-2.0
"""What the tests of states and of damage share: how to break things, and what must hold."""

from __future__ import annotations

import time
from collections.abc import Callable

from project import CELLS, SHAPE, Ended, Project

GELU_M4 = f"stm32l4/gelu/{SHAPE}/c1"
SOFTMAX_M4 = f"stm32l4/softmax/{SHAPE}/c1"
SOFTMAX_GAP9 = f"gap9/softmax/{SHAPE}/c8"
LINEAR_GAP9 = f"gap9/linear_qk/{SHAPE}/c8"
M4_ROW = "kernels/include/ts_softmax_armv7em.h"
M4_KERNEL = "kernels/softmax/armv7em.c"
GAP9_KERNEL = "kernels/softmax/xpulp.c"
# Where a fault goes: behind this, early in the kernel's function.
PLACES = {
    M4_KERNEL: "    (void)scratch;\n",
    GAP9_KERNEL: "    if (!rows)\n        return;\n",
}
LOOP = 'for (;;)\n        __asm__ volatile("nop");'
LIMIT = "base_instructions: 20000000"
NO_LIMIT = "base_instructions: 900000000000"
NULL_BUILD_SECONDS = 1.5
KILLED_WITHIN_SECONDS = 5.0


def break_row_function(project: Project) -> None:
    """`<` becomes `<=` in the loop over the last elements of a row, four of which are words."""
    loop = "for (; i < n; i++) {\n        const uint32_t t = entries"
    project.replace(M4_ROW, loop, loop.replace("<", "<="))


def loop_for_ever(project: Project, source: str) -> None:
    project.replace(source, PLACES[source], f"{PLACES[source]}    {LOOP}\n")


def all_pass(ended: Ended) -> bool:
    return ended.status == 0 and ended.statuses == dict.fromkeys(CELLS, "PASS")


def others_pass(ended: Ended, *cells: str) -> bool:
    others = {name: status for name, status in ended.statuses.items() if name not in cells}
    return others == {name: "PASS" for name in CELLS if name not in cells}


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
