# SPDX-License-Identifier: Apache-2.0
"""Cycles by function and source line, from what an embedded simulator counted by address.

The simulators write one JSON document: {"causes": [name], "frames": [[parent, call site]],
"counts": [[core, frame, pc, executions, cycles, stall cycles by cause...]]}. A count belongs to a
call stack: frame 0 is where the timed run began, any other one was called at its call site from
within its parent.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from touchstone.disassembly import Disassembler, Instruction, unknown
from touchstone.symbols import UNKNOWN, Symbols


@dataclass(frozen=True)
class Count:
    """What the instruction at `pc` did on one core within one call stack, in cycles.

    `stalls` has one figure for each cause: cycles beyond the one that every instruction takes, or
    below it (negative) where two are issued together.
    """

    core: int
    frame: int
    pc: int
    executions: int
    cycles: int
    stalls: tuple[int, ...]


@dataclass(frozen=True)
class Counts:
    """A simulator's profile, in an order that does not depend on the host."""

    causes: tuple[str, ...]
    frames: tuple[tuple[int, int], ...]
    counts: tuple[Count, ...]

    def cycles(self, core: int) -> int:
        """All cycles of a core."""
        return sum(count.cycles for count in self.counts if count.core == core)

    @property
    def instructions(self) -> int:
        """Instructions of all cores."""
        return sum(count.executions for count in self.counts)


def read_counts(data: bytes) -> Counts:
    """What a simulator wrote; ValueError if it is damaged."""
    document = json.loads(data)
    rows = sorted(document["counts"])
    busy = {row[0] for row in rows if row[3]}
    return Counts(
        tuple(document["causes"]),
        tuple((parent, site) for parent, site in document["frames"]),
        # Cores that the team does not use wait for ever; they are not part of the run.
        tuple(_count(row) for row in rows if row[0] in busy),
    )


def _count(row: Sequence[int]) -> Count:
    core, frame, pc, executions, cycles, *stalls = row
    return Count(core, frame, pc, executions, cycles, tuple(stalls))


@dataclass
class Tally:
    """Sums over instructions; grows while the counts are read."""

    instructions: int = 0
    cycles: int = 0
    stalls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    cycles_by_core: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, count: Count, causes: Sequence[str]) -> None:
        """Add one count."""
        self.instructions += count.executions
        self.cycles += count.cycles
        self.cycles_by_core[count.core] += count.cycles
        for cause, cycles in zip(causes, count.stalls, strict=True):
            if cycles:
                self.stalls[cause] += cycles

    def document(self) -> dict[str, Any]:
        """For profile.json."""
        return {
            "instructions": self.instructions,
            "cycles": self.cycles,
            "cycles_by_core": {str(core): n for core, n in sorted(self.cycles_by_core.items())},
            "stalls": dict(sorted(self.stalls.items())),
        }


@dataclass(frozen=True)
class Located:
    """An executed instruction, where it stands, and what it did on all cores."""

    function: str
    line: str
    instruction: Instruction
    tally: Tally


@dataclass(frozen=True)
class Profile:
    """A profile in the terms of the source.

    `functions`, `lines` and `groups` are ordered by falling cycles, `code` by address.
    """

    causes: tuple[str, ...]
    total: Tally
    cores: Mapping[int, Tally]
    groups: Mapping[str, Tally]
    functions: Mapping[str, Tally]
    lines: Mapping[tuple[str, str], Tally]
    code: Mapping[int, Located]
    folded: Mapping[str, int]


def make_profile(counts: Counts, symbols: Symbols, machine: Disassembler) -> Profile:
    """Resolve addresses and sum up.

    Keys of `lines` are (function, file:line); assembly without line numbers goes by instruction.
    """
    stacks = _stacks(counts.frames, symbols)
    locate = _locator(symbols, machine)
    code: dict[int, Located] = {}
    total = Tally()
    cores: dict[int, Tally] = defaultdict(Tally)
    groups: dict[str, Tally] = defaultdict(Tally)
    functions: dict[str, Tally] = defaultdict(Tally)
    lines: dict[tuple[str, str], Tally] = defaultdict(Tally)
    folded: dict[str, int] = defaultdict(int)
    for count in counts.counts:
        if count.pc not in code:
            code[count.pc] = locate(count.pc)
        place = code[count.pc]
        function, line = place.function, place.line
        tallies = (
            total,
            cores[count.core],
            groups[place.instruction.group.value],
            functions[function],
            lines[function, line],
            place.tally,
        )
        for tally in tallies:
            tally.add(count, counts.causes)
        stack = (f"core {count.core}", *stacks[count.frame], function, line)
        folded[";".join(stack)] += count.cycles
    return Profile(
        counts.causes,
        total,
        dict(sorted(cores.items())),
        _by_cycles(groups),
        _by_cycles(functions),
        _by_cycles(lines),
        dict(sorted(code.items())),
        dict(sorted(folded.items())),
    )


def _locator(symbols: Symbols, machine: Disassembler) -> Callable[[int], Located]:
    def locate(pc: int) -> Located:
        instruction = decode_at(pc, symbols, machine)
        function, line = symbols.function(pc), symbols.line(pc)
        if line == UNKNOWN:
            line = f"+{symbols.offset(pc):#x} {instruction.text}"
        return Located(function, line, instruction, Tally())

    return locate


def decode_at(pc: int, symbols: Symbols, machine: Disassembler) -> Instruction:
    """The instruction at an address of the firmware."""
    start = symbols.code(pc, 2)
    code = symbols.code(pc, machine.size(start)) if len(start) == 2 else start
    return machine.decode(code, pc) if code else unknown(code)


def _by_cycles(tallies: Mapping[Any, Tally]) -> dict[Any, Tally]:
    return dict(sorted(tallies.items(), key=lambda item: (-item[1].cycles, item[0])))


def _stacks(frames: Iterable[tuple[int, int]], symbols: Symbols) -> list[tuple[str, ...]]:
    """For each frame the functions that wait for it, outermost first."""
    stacks: list[tuple[str, ...]] = []
    for number, (parent, site) in enumerate(frames):
        stacks.append((*stacks[parent], symbols.function(site)) if number else ())
    return stacks
