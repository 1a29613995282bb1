# SPDX-License-Identifier: Apache-2.0
"""`trace=1`: what a simulator executed in the timed run, instruction by instruction, as text.

The simulators write a line an instruction, numbers in hexadecimal:
`core cycle pc code[@address][ register=value]...[ skipped]`, the last of an instruction whose
condition does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from touchstone.disassembly import Disassembler
from touchstone.profile import decode_at
from touchstone.symbols import Symbols

COLUMNS = "core  cycle     pc        code      instruction                       results"


class Step(NamedTuple):
    """One executed instruction; `code` is as the simulator wrote it."""

    cycle: int
    core: int
    pc: int
    code: str
    address: str
    results: str


def read_steps(text: str) -> list[Step]:
    """The steps in the order of (cycle, core); those of one core and cycle as they came."""
    steps = [_step(line) for line in text.splitlines()]
    return sorted(steps, key=lambda step: (step.cycle, step.core))


def _step(line: str) -> Step:
    core, cycle, pc, rest = line.split(" ", 3)
    code, _, results = rest.partition(" ")
    code, _, address = code.partition("@")
    return Step(int(cycle, 16), int(core, 16), int(pc, 16), code, address, results)


def render_trace(
    steps: Iterable[Step], total: int, symbols: Symbols, machine: Disassembler, title: str
) -> Iterator[str]:
    """The lines of trace.txt. `total`: instructions of the timed run, all cores."""
    steps = list(steps)
    cut = f"the first {len(steps)} of {total}" if len(steps) < total else f"all {total}"
    yield f"# {title}: {cut} instructions of the timed run"
    yield "# cycles from its start; memory addresses behind @; registers as they are afterwards"
    yield COLUMNS
    start = steps[0].cycle if steps else 0
    texts: dict[int, str] = {}
    for step in steps:
        if step.pc not in texts:
            texts[step.pc] = decode_at(step.pc, symbols, machine).text
        yield _line(step, start, texts[step.pc], machine)


def _line(step: Step, start: int, text: str, machine: Disassembler) -> str:
    parts = [f"@{step.address}"] if step.address else []
    for result in step.results.split():
        register, separator, value = result.partition("=")
        known = f"{machine.register(register)}={int(value, 16):08x}" if separator else result
        parts.append(known)
    where = f"{step.core:<4}  {step.cycle - start:<8}  {step.pc:08x}  {step.code:<8}"
    return f"{where}  {text:<32}  {' '.join(parts)}".rstrip()
