# SPDX-License-Identifier: Apache-2.0
"""Cells of the matrix on both simulators: the normal build for each, then the runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone import app
from touchstone.fidelity.compare import CONFLICTS, Comparison, Row
from touchstone.graph import BUILD
from touchstone.nested import build_cells
from touchstone.plan import PlannedCell
from touchstone.runfile import CellRun, RunFileError, read_run
from touchstone.simulators import gvsoc

OURS, THEIRS = "xpulp", "gvsoc"
SETTING = "bank_conflicts"
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Built:
    """One build's cells and what results.json says of them."""

    cells: tuple[PlannedCell, ...]
    results: Mapping[str, Mapping[str, Any]]


def compare_cells(root: Path, selection: Mapping[str, str], said: str | None) -> Comparison:
    """Build the selected cells for both, with conflicts off and on unless one of these is said."""
    settings = CONFLICTS if said is None else (said,)
    rows: list[Row] = []
    notes: list[str] = []
    # Everything is planned before anything is built: bad words cost no time.
    for conflicts in settings:
        for simulator in (OURS, THEIRS):
            plan(root, selection, simulator, conflicts)
    for conflicts in settings:
        ours, theirs = (build(root, selection, name, conflicts) for name in (OURS, THEIRS))
        rows += _joined(root, ours, theirs, conflicts)
        skipped = sum(cell.skip is not None for cell in ours.cells)
        if skipped:
            notes.append(f"bank conflicts {conflicts}: {skipped} cells do not fit and are skipped")
    return Comparison("live", gvsoc.version(root / BUILD), tuple(rows), tuple(notes))


def plan(
    root: Path, selection: Mapping[str, str], simulator: str, conflicts: str
) -> tuple[PlannedCell, ...]:
    """The selected cells for one simulator."""
    words = _words(selection, simulator, conflicts)
    return tuple(app.plan_request(root, words)[2])


def _words(selection: Mapping[str, str], simulator: str, conflicts: str) -> dict[str, str]:
    return {**selection, "sim": simulator, "settings": f"{SETTING}:{conflicts}"}


def build(root: Path, selection: Mapping[str, str], simulator: str, conflicts: str) -> Built:
    """The normal build of these cells; its progress is shown, its table is not."""
    words = _words(selection, simulator, conflicts)
    print(f"building with sim={simulator} {SETTING}:{conflicts}", flush=True)
    results = build_cells(root, words, f"fidelity: sim={simulator}")
    return Built(plan(root, selection, simulator, conflicts), results)


def _joined(root: Path, ours: Built, theirs: Built, conflicts: str) -> Sequence[Row]:
    partners = {_key(planned): planned for planned in theirs.cells}
    return [
        _row(root, (ours, planned), (theirs, partners[_key(planned)]), conflicts)
        for planned in ours.cells
        if planned.skip is None
    ]


def _key(planned: PlannedCell) -> Key:
    """What two cells share that differ in nothing but the simulator."""
    cell = planned.cell
    names = (cell.target.name, cell.kernel.name, cell.variant.name, cell.toolchain)
    words = (cell.cores, cell.seed, cell.numerics, cell.data, cell.cflags, cell.schedule)
    return (*names, cell.shape, *words)


def _row(
    root: Path, ours: tuple[Built, PlannedCell], theirs: tuple[Built, PlannedCell], conflicts: str
) -> Row:
    (our_run, our_trouble), (their_run, their_trouble) = _run(root, *ours), _run(root, *theirs)
    trouble = "; ".join(
        f"{name}: {text}"
        for name, text in ((OURS, our_trouble), (THEIRS, their_trouble))
        if text is not None
    )
    return Row(
        id=ours[1].cell.id,
        conflicts=conflicts,
        gvsoc_cycles=their_run.cycles if their_run else None,
        cycles=our_run.cycles if our_run else None,
        equal=bool(our_run and their_run and our_run.cases and our_run.cases == their_run.cases),
        trouble=trouble or None,
    )


def _run(root: Path, built: Built, planned: PlannedCell) -> tuple[CellRun | None, str | None]:
    """The run of a cell that this build confirmed, and why the cell is not good."""
    name = planned.cell.id
    result = built.results.get(name)
    if result is None:
        return None, "was not built"
    trouble = None if result["status"] == "PASS" else f"{result['status']} {result['reason'] or ''}"
    if result["status"] not in ("PASS", "FAIL"):
        return None, trouble
    try:
        return read_run(root / BUILD / "cells" / name / "cell.run"), trouble
    except (OSError, RunFileError) as error:
        return None, str(error)
