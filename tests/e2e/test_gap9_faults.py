# SPDX-License-Identifier: Apache-2.0
"""A kernel broken in every way that the GAP9 simulator tells apart: each ends its cell with a
message of its own that names core, pc, symbol and source line, and none hangs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from project import Project
from states import GAP9_KERNEL, LOOP, PLACES

FUNCTION = "ts_softmax_xpulp"


@dataclass(frozen=True)
class Break:
    """What core 2 meets in place of the kernel; what the message begins with and says of it."""

    statement: str
    kind: str
    detail: str
    symbol: str = FUNCTION
    status: str = "CRASH"


# By the length of the rows at which it happens.
BREAKS = {
    4: Break(
        '__asm__ volatile(".word 0xffffffff");',
        "illegal-instruction on core 2, pc 0x1c01",
        "word 0xffffffff",
    ),
    5: Break(
        "*(volatile uint32_t *)0x30000000u = 1;",
        "memory-access at address 0x30000000 on core 2, pc 0x1c01",
        "store: no memory or modelled register there",
    ),
    6: Break(
        '__asm__ volatile("csrw 0x7b0, x0");',
        "unmodelled-register on core 2, pc 0x1c01",
        "write of CSR 0x7b0",
    ),
    7: Break("deep(n);", "stack-overflow at address 0x", "the stack of core 2 is 0x10", "deep"),
    8: Break(
        '__asm__ volatile("wfi");',
        "deadlock on core 2, pc 0x1c01",
        "at barrier 0, which lacks core 2",
    ),
    9: Break(
        '__asm__ volatile(".insn i 0x7b, 4, x0, a0, 1");',
        "hardware-loop on core 2, pc 0x1c01",
        "the loop ends before its body begins",
    ),
    10: Break(
        LOOP,
        "limit of 20",
        "core 2 running, pc 0x1c01",
        status="TIMEOUT",
    ),
}
DEEP = "static __attribute__((noinline)) void deep(uint32_t n) {"
OVERFLOW = f"""{DEEP}
    uint8_t large[4096];
    __asm__ volatile("" : : "r"(large), "r"(n) : "memory");
}}
"""


def broken(project: Project) -> dict[int, int]:
    """Puts all of them into the kernel; by the length of the rows the line that is to blame."""
    cases = "".join(
        f"        case {length}:\n            {b.statement}\n            break;\n"
        for length, b in BREAKS.items()
    )
    place, head = PLACES[GAP9_KERNEL], f"void {FUNCTION}(const"
    switch = f"    if (team->core == 2)\n        switch (n) {{\n{cases}        }}\n"
    project.replace(GAP9_KERNEL, place, place + switch)
    project.replace(GAP9_KERNEL, head, f"{OVERFLOW}\n{head}")
    text = project.path(GAP9_KERNEL).read_text(encoding="utf-8")
    at = {length: text.index(b.statement) for length, b in BREAKS.items()}
    at[7] = text.index(DEEP)  # a stack overflows where the function begins
    return {length: text[:place].count("\n") + 1 for length, place in at.items()}


def test_every_fault_ends_its_cell_with_its_own_message(project: Project) -> None:
    lines = broken(project)
    lengths = ",".join(map(str, BREAKS))
    words = ("target=gap9", "kernel=softmax", f"S={lengths}", "E=6", "P=3", "H=2", "cores=8")
    ended = project.run(*words, config=None)
    assert ended.status != 0
    for length, b in BREAKS.items():
        found = re.search(
            rf"^{b.status} gap9/softmax/S{length}-E6-P3-H2/c8: (.*)\n  at (.*):(\d+) \(0x1c01",
            ended.output,
            re.MULTILINE,
        )
        assert found, ended.output
        reason, place, line = found.groups()
        assert reason.startswith(b.kind)
        assert b.detail in reason
        assert place == f"{b.symbol}, {GAP9_KERNEL}"
        assert abs(int(line) - lines[length]) <= (1 if b.statement == LOOP else 0)
