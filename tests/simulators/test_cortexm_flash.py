# SPDX-License-Identifier: Apache-2.0
"""Flash wait states: what a program takes beyond the same one in zero-wait memory, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from cortexm_tools import M4, M7, assemble, launch, run

# The reads frame one call. First read and `bl` fill the first 8 bytes of a line; the second read
# lies in the next 8. The function starts a line of its own.
PROGRAM = """
    enable_counter
    movs r5, #{count}
    sub r6, sp, #64
    b 8f
    .balign 64
8:  count r10
    bl 9f
    count r11
    finish
    .balign 64
9:
{body}
    bx lr
    .balign 64
"""
NOPS = "    nop\n" * 8
WIDE = "    nop.w\n" * 4
# All of it in one line of eight bytes.
SHORT_LOOP = "1:  subs r5, #1\n    bne 1b\n"
# Four instructions in one line, two in the next.
LONG_LOOP = "1:  nop\n    nop\n    nop\n    nop\n    subs r5, #1\n    bne 1b\n"
LOADS = "    ldr r0, [r6]\n" * 4


def stalls(body: str, core: str, *options: str, count: int = 1) -> int:
    image = assemble(PROGRAM.format(body=body, count=count), core)
    distances = []
    for words in ((), options):
        (first, before), (second, after) = run(image, *words, core=core).reads
        distances.append((second - first, after - before))
    (plain, executed), (slow, executed_slow) = distances
    assert executed == executed_slow, "waiting executes nothing"
    return slow - plain


def flash(wait_states: int, line_bytes: int = 8, prefetch: str = "on") -> tuple[str, ...]:
    words = ("--flash-wait-states", str(wait_states), "--flash-line-bytes", str(line_bytes))
    return (*words, "--flash-prefetch", prefetch)


M4_STALLS = [
    # No wait states, no waiting.
    (NOPS, 1, flash(0), 0),
    # The call and the return each wait for a read. Without prefetch so does every line: 4 nops
    # each, then the return.
    (NOPS, 1, flash(4, prefetch="off"), 4 + 4 + 4 + 4),
    # A line of 4 nops takes 4 cycles, the read of the next one 1 + 4: one left to wait.
    (NOPS, 1, flash(4), 4 + 1 + 1 + 4),
    # 1 + 3 cycles are hidden entirely.
    (NOPS, 1, flash(3), 3 + 0 + 0 + 3),
    # A line of two wide ones takes 2 cycles of the 5.
    (WIDE, 1, flash(4), 4 + 3 + 3 + 4),
    # Twice as wide lines: 8 nops in the first, the return in the second.
    (NOPS, 1, flash(4, 16), 4 + 0 + 4),
    (NOPS, 1, flash(4, 16, "off"), 4 + 4 + 4),
    # All within a line: entered once. The return lies in the same one.
    (SHORT_LOOP, 10, flash(4), 4 + 4),
    # Each turn: the second line is prefetched but for one cycle, the way back waits for a read.
    # The return is the seventh instruction: in the second line.
    (LONG_LOOP, 10, flash(4), 4 + 10 * 1 + 9 * 4 + 4),
    (LONG_LOOP, 10, flash(4, prefetch="off"), 4 + 10 * 4 + 9 * 4 + 4),
    # Loads of two bytes that follow each other take 2 + 1 + 1 + 1 cycles, which hides the read.
    (LOADS, 1, flash(4), 4 + 0 + 4),
]  # fmt: skip


@pytest.mark.parametrize(("body", "count", "options", "expected"), M4_STALLS)
def test_m4(body: str, count: int, options: tuple[str, ...], expected: int) -> None:
    assert stalls(body, M4, *options, count=count) == expected


M7_STALLS = [
    (NOPS, flash(0, 32), 0),
    # Eight nops and the return are in one line of 32 bytes; so are both reads and the call. The
    # taken branches leave an empty cycle, in which the wait begins.
    (NOPS, flash(9, 32), 9 + 9),
    (NOPS, flash(9, 32, "off"), 9 + 9),
    # Pairs: 16 nops in 8 cycles; the read of the next line takes 1 + 9 of which 2 are left.
    (NOPS * 2, flash(9, 32), 9 + 2 + 9),
    (NOPS * 2, flash(9, 32, "off"), 9 + 9 + 9),
]  # fmt: skip


@pytest.mark.parametrize(("body", "options", "expected"), M7_STALLS)
def test_m7(body: str, options: tuple[str, ...], expected: int) -> None:
    assert stalls(body, M7, *options) == expected


@pytest.mark.parametrize(
    "options",
    [
        ("--flash-wait-states", "16"),
        ("--flash-wait-states", "some"),
        ("--flash-line-bytes", "0"),
        ("--flash-line-bytes", "12"),
        ("--flash-prefetch", "yes"),
    ],
)
def test_words_that_mean_nothing(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = launch(tmp_path, assemble(PROGRAM.format(body=NOPS, count=1)), *options)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: cortexm_sim")
