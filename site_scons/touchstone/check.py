# SPDX-License-Identifier: Apache-2.0
"""Holds a run against the golden outputs and says exactly what is wrong.

Always ends with a verdict: a run that cannot be read is one too. Pure Python: outputs that are
equal are compared as bytes, and nothing heavier is imported for them.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.runfile import CaseRun, CellRun, RunFileError, read_run
from touchstone.simulators.base import RunStatus
from touchstone.vectors import Operand, read_container

ARRAY_CODES = {"int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I"}
HISTOGRAM_EDGES = (1, 2, 4, 16, 64)


@dataclass(frozen=True)
class Mismatch:
    """One wrong element; `position` maps axis names to indices."""

    position: Mapping[str, int]
    expected: int
    found: int

    def document(self) -> dict[str, Any]:
        """As JSON."""
        # Pairs, not a mapping: axes have an order, and JSON is written with sorted keys.
        position = [[axis, index] for axis, index in self.position.items()]
        return {"position": position, "expected": self.expected, "found": self.found}

    def __str__(self) -> str:
        where = ", ".join(f"{axis} {index}" for axis, index in self.position.items())
        return f"({where}): expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Difference:
    """Everything about one output that is not as it should be."""

    case: str
    operand: str
    count: int
    total: int
    first: Mismatch
    worst: Mismatch
    histogram: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "case": self.case,
            "operand": self.operand,
            "count": self.count,
            "total": self.total,
            "first": self.first.document(),
            "worst": self.worst.document(),
            "histogram": [[label, count] for label, count in self.histogram.items()],
        }


def check_cell(run_path: Path, golden_path: Path, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict on one cell, as the document that goes into verdict.json."""
    try:
        run = read_run(run_path)
    except (OSError, RunFileError) as error:
        return {"status": "CRASH", "reason": f"unreadable run: {error}", "differences": []}
    status, reason, differences = judge(run, golden_path, spec)
    return {
        "status": status,
        "reason": reason,
        "run_id": run.run_id,
        "cycles": run.cycles,
        "cycles_cold": run.cycles_cold,
        "instructions": run.instructions,
        "stack_bytes": run.stack_bytes,
        "fault": None if run.fault is None else vars(run.fault),
        "log": run.log,
        "differences": [difference.document() for difference in differences],
    }


def judge(
    run: CellRun, golden_path: Path, spec: Mapping[str, Any]
) -> tuple[str, str, list[Difference]]:
    """Status, one-line reason and differences of a run."""
    if run.status is not RunStatus.COMPLETED:
        return run.status.value, run.reason, []
    golden = read_container(golden_path.read_bytes())
    classes = [case.value_class for case in golden.cases]
    if len(run.cases) != len(classes):
        return "NO_OUTPUT", f"{len(run.cases)} of {len(classes)} cases reported", []
    problems = []
    differences = []
    for case, name, expected in zip(run.cases, classes, golden.cases, strict=True):
        if case.status != "ok":
            problems.append(f"{name}: {_case_problem(case, spec['operands'])}")
        if case.output is None:
            return "NO_OUTPUT", f"{name}: no output", []
        operand = expected.operands[-1]
        found = compare(name, operand, operand.data, case.output, spec["axes"])
        if found is not None:
            differences.append(found)
    problems += [summarise(difference) for difference in differences]
    if problems:
        return "FAIL", "; ".join(problems[:1]) + _more(problems), differences
    return "PASS", "", []


def _more(problems: Sequence[str]) -> str:
    return f" (+{len(problems) - 1} more)" if len(problems) > 1 else ""


def _case_problem(case: CaseRun, operands: Sequence[str]) -> str:
    """A firmware's own complaint with the operand's name instead of its number."""
    name = operands[case.operand] if case.operand < len(operands) else "scratch"
    if case.status in ("input changed", "guard overwritten"):
        return f"{case.status}: {name}, byte {case.offset}"
    return case.status


def summarise(difference: Difference) -> str:
    """One line about a difference."""
    return (
        f"{difference.case}: {difference.operand} {difference.first}; "
        f"{difference.count} of {difference.total} wrong"
    )


def compare(
    case: str, operand: Operand, expected: bytes, found: bytes, axes: Sequence[str]
) -> Difference | None:
    """What differs between two outputs, None if nothing does."""
    if expected == found:
        return None
    wanted, got = array(ARRAY_CODES[operand.type]), array(ARRAY_CODES[operand.type])
    wanted.frombytes(expected)
    got.frombytes(found[: len(expected)].ljust(len(expected), b"\0"))
    wrong = [index for index, (a, b) in enumerate(zip(wanted, got, strict=True)) if a != b]
    worst = max(wrong, key=lambda index: (abs(wanted[index] - got[index]), -index))

    def at(index: int) -> Mismatch:
        names = _axis_names(axes, operand.shape)
        position = dict(zip(names, unravel(index, operand.shape), strict=True))
        return Mismatch(position, wanted[index], got[index])

    return Difference(
        case=case,
        operand=operand.name,
        count=len(wrong),
        total=len(wanted),
        first=at(wrong[0]),
        worst=at(worst),
        histogram=_histogram(abs(wanted[index] - got[index]) for index in wrong),
    )


def _axis_names(axes: Sequence[str], shape: Sequence[int]) -> Sequence[str]:
    if len(axes) == len(shape):
        return axes
    return [f"axis{number}" for number in range(len(shape))]


def unravel(index: int, shape: Sequence[int]) -> tuple[int, ...]:
    """The coordinates of a flat index in a row-major array."""
    position = []
    for size in reversed(shape):
        index, coordinate = divmod(index, size)
        position.append(coordinate)
    return tuple(reversed(position))


def _histogram(errors: Any) -> dict[str, int]:
    """How many errors are 1, 2-3, 4-15, 16-63, 64 and more (in LSBs)."""
    counts = [0] * len(HISTOGRAM_EDGES)
    for error in errors:
        counts[sum(error >= edge for edge in HISTOGRAM_EDGES) - 1] += 1
    labels = []
    for number, low in enumerate(HISTOGRAM_EDGES):
        last = number + 1 == len(HISTOGRAM_EDGES)
        high = None if last else HISTOGRAM_EDGES[number + 1] - 1
        labels.append(f"{low}+" if last else str(low) if high == low else f"{low}-{high}")
    return {label: count for label, count in zip(labels, counts, strict=True) if count}
