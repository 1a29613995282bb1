# SPDX-License-Identifier: Apache-2.0
"""Cells of the STM32 targets on every simulator and with every toolchain that is here: the normal
build for each, then the runs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone import app
from touchstone.errors import UserError
from touchstone.fidelity.cortexm_compare import EMBEDDED, Comparison, Row, Seen
from touchstone.fidelity.cortexm_machines import Machines, seen_in, toolchains
from touchstone.graph import BUILD
from touchstone.nested import build_cells
from touchstone.plan import PlannedCell
from touchstone.runfile import RunFileError, read_run

Selection = Mapping[str, str]


@dataclass(frozen=True)
class Built:
    """One build's cells and what results.json says of them."""

    cells: tuple[PlannedCell, ...]
    results: Mapping[str, Mapping[str, Any]]


def compare_cells(root: Path, selection: Selection, machines: Machines) -> Comparison:
    """Build the selected cells for everything that is here; UserError where that is one thing."""
    if len(machines.present) < 2:
        raise UserError("fidelity: only unicorn is here; " + "; ".join(machines.missing))
    wanted, notes = _toolchains(machines, selection)
    # Everything is planned before anything is built: bad words cost no time.
    for toolchain in wanted:
        for simulator in machines.present:
            plan(root, selection, simulator, toolchain)
    rows: list[Row] = []
    for toolchain in wanted:
        built = {name: build(root, selection, name, toolchain) for name in machines.present}
        rows += _joined(root, built, toolchain)
    versions = machines.versions(machines.present)
    return Comparison("live", versions, tuple(rows), (*machines.missing, *notes))


def _toolchains(machines: Machines, selection: Selection) -> tuple[list[str], list[str]]:
    """What is asked for, else all that the first target names and this machine has."""
    if "toolchain" in selection:
        return [selection["toolchain"]], []
    target = machines.catalogue.targets[selection["target"].partition(",")[0]]
    here, missing = toolchains(target)
    return list(here), list(missing)


def plan(
    root: Path, selection: Selection, simulator: str, toolchain: str
) -> tuple[PlannedCell, ...]:
    """The selected cells for one simulator and one toolchain."""
    return tuple(app.plan_request(root, _words(selection, simulator, toolchain))[2])


def _words(selection: Selection, simulator: str, toolchain: str) -> dict[str, str]:
    return {**selection, "sim": simulator, "toolchain": toolchain}


def build(root: Path, selection: Selection, simulator: str, toolchain: str) -> Built:
    """The normal build of these cells; its progress is shown, its table is not."""
    words = _words(selection, simulator, toolchain)
    print(f"building with sim={simulator} toolchain={toolchain}", flush=True)
    results = build_cells(root, words, f"fidelity: sim={simulator}")
    return Built(plan(root, selection, simulator, toolchain), results)


def _joined(root: Path, built: Mapping[str, Built], toolchain: str) -> list[Row]:
    """A row for each cell, which every simulator has planned."""
    by_key = {
        name: {_plain(planned): planned for planned in part.cells} for name, part in built.items()
    }
    return [
        Row(
            key,
            toolchain,
            {name: _seen(root, built[name], by_key[name][key]) for name in built},
        )
        for key, planned in by_key[EMBEDDED].items()
        if planned.skip is None
    ]


def _plain(planned: PlannedCell) -> str:
    """The cell's id without the words for toolchain and simulator: what its partners share."""
    cell = planned.cell
    return "/".join(
        word for word in cell.id.split("/") if word not in (cell.toolchain, cell.simulator)
    )


def _seen(root: Path, built: Built, planned: PlannedCell) -> Seen:
    """What this build says of a cell."""
    name = planned.cell.id
    result = built.results.get(name)
    if result is None:
        return Seen(None, None, trouble="was not built")
    trouble = None if result["status"] == "PASS" else f"{result['status']} {result['reason'] or ''}"
    if result["status"] not in ("PASS", "FAIL"):
        return Seen(None, None, trouble=trouble)
    try:
        return seen_in(read_run(root / BUILD / "cells" / name / "cell.run"), trouble)
    except (OSError, RunFileError) as error:
        return Seen(None, None, trouble=str(error))
