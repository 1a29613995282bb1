# SPDX-License-Identifier: Apache-2.0
"""Profiles and traces from what a simulator wrote to what somebody reads."""

from __future__ import annotations

import json

import pytest

from touchstone import disassembler_xpulp
from touchstone.errors import UserError
from touchstone.observe import MAX_CELLS, Observation, ObservationError, Wanted, compare
from touchstone.observe import check_selection as check
from touchstone.profile import Counts, Profile, make_profile, read_counts
from touchstone.profile_report import document, folded, listing, render
from touchstone.request import parse_request
from touchstone.runfile import CellRun
from touchstone.simulators.base import RunStatus
from touchstone.symbols import Symbols, _Span
from touchstone.trace import read_steps, render_trace

BASE = 0x1C010000
# main: c.jal, c.nop; kernel: lw a0, 0(a1), add a0, a0, a2, c.jr ra
CODE = bytes.fromhex("1120010003a505003305c5008280")
KERNEL = BASE + 4
COUNTS = {
    "causes": ["load-use", "bank conflict"],
    "frames": [[0, 0], [0, BASE]],
    "counts": [
        [1, 1, KERNEL, 8, 8, 0, 0],
        [0, 1, KERNEL, 10, 14, 0, 4],
        [0, 1, KERNEL + 4, 10, 20, 10, 0],
        [0, 0, BASE, 1, 1, 0, 0],
        [2, 0, BASE, 0, 99, 0, 99],
    ],
}


def symbols() -> Symbols:
    functions = (_Span(BASE, BASE + 4, "main"), _Span(KERNEL, KERNEL + 10, "kernel"))
    lines = (_Span(BASE, BASE + 4, "main.c:3"), _Span(KERNEL, KERNEL + 4, "kernel.c:7"))
    return Symbols("EM_RISCV", functions, lines, ((BASE, CODE),))


def counts() -> Counts:
    return read_counts(json.dumps(COUNTS).encode())


def profile() -> Profile:
    return make_profile(counts(), symbols(), disassembler_xpulp.disassembler())


def run(cycles: int, instructions: int) -> CellRun:
    return CellRun(
        RunStatus.COMPLETED, "", "", cycles, cycles, instructions, None, 0, (), None, ""
    )  # fmt: skip


def test_a_core_that_executes_nothing_is_left_out() -> None:
    assert {count.core for count in counts().counts} == {0, 1}
    assert counts().cycles(0) == 35
    assert counts().instructions == 29


def test_sums() -> None:
    made = profile()
    assert list(made.functions) == ["kernel", "main"]
    assert made.functions["kernel"].cycles == 42
    assert made.functions["kernel"].cycles_by_core == {0: 34, 1: 8}
    assert made.lines["kernel", "kernel.c:7"].stalls == {"bank conflict": 4}
    # Code without line numbers goes by instruction.
    assert made.lines["kernel", "+0x4 add a0, a0, a2"].stalls == {"load-use": 10}
    assert {name: tally.instructions for name, tally in made.groups.items()} == {
        "load": 18,
        "ALU": 10,
        "jump or call": 1,
    }


def test_folded_stacks() -> None:
    assert folded(profile()).splitlines() == [
        "core 0;main;kernel;+0x4 add a0, a0, a2 20",
        "core 0;main;kernel;kernel.c:7 14",
        "core 0;main;main.c:3 1",
        "core 1;main;kernel;kernel.c:7 8",
    ]


def test_tables() -> None:
    text = render(profile(), "Profile of a cell", "github")
    assert text.startswith("# Profile of a cell\n")
    assert "| kernel     |       42 |  97.7 % |" in text
    assert "bank conflict 18 %" in text
    assert "load-use" in text


def test_listing() -> None:
    lines = listing(profile()).splitlines()
    assert "  kernel.c:7" in lines
    assert "          22          18  1c010004  lw a0, 0(a1)                          "\
        "bank conflict 18 %" in lines  # fmt: skip


def test_document() -> None:
    made = document(profile(), cell="a", cycles=35)
    assert made["total"]["cycles"] == 43
    assert made["functions"][0]["function"] == "kernel"
    assert made["cores"][1] == {
        "core": 1,
        "instructions": 8,
        "cycles": 8,
        "cycles_by_core": {"1": 8},
        "stalls": {},
    }
    assert json.loads(json.dumps(made)) == made


def test_trace_is_ordered_and_says_that_it_is_cut() -> None:
    text = "1 64 1c010004 0005a503@10000040 x10=2a\n0 62 1c010000 2011 x1=1c010002\n"
    lines = list(
        render_trace(read_steps(text), 9, symbols(), disassembler_xpulp.disassembler(), "a cell")
    )
    assert "the first 2 of 9 instructions" in lines[0]
    assert lines[3].split() == ["0", "0", "1c010000", "2011", "c.jal", "0x1c010004", "ra=1c010002"]
    assert lines[4].split()[-2:] == ["@10000040", "a0=0000002a"]
    assert lines[4].split()[1] == "2"


def test_a_profile_that_does_not_add_up_is_refused() -> None:
    right = run(35, 29)
    compare(Observation(right, counts(), None), right)
    with pytest.raises(ObservationError, match="found 35 profiled cycles of core 0, expected 36"):
        compare(Observation(run(36, 29), counts(), None), run(36, 29))
    with pytest.raises(ObservationError, match="found 35 cycles, expected 34"):
        compare(Observation(right, None, ""), run(34, 29))


def test_too_many_cells() -> None:
    check(Wanted(profile=True, trace=False), MAX_CELLS)
    check(Wanted(profile=False, trace=False), MAX_CELLS + 1)
    with pytest.raises(UserError, match="profile=1 trace=1: found 21 cells, allowed up to 20"):
        check(Wanted(profile=True, trace=True), MAX_CELLS + 1)


def test_words() -> None:
    request = parse_request({"profile": "1"})
    assert (request.profile, request.trace) == (True, False)
    with pytest.raises(UserError, match="trace=2"):
        parse_request({"trace": "2"})
