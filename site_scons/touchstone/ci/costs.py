# SPDX-License-Identifier: Apache-2.0
"""What simulating a cell costs: recorded simulated instructions, estimated where none are recorded.

The record is a JSON file, {"schema": 2, "instructions": {cell id: whole number}}. Instructions are
the same on every host, however busy it is; the embedded simulators take much the same time for
one, whichever the target. `./scons costs ...` builds the selected cells and records them in
configs/costs.json, which shards are balanced by; every build writes what it knows to
build/report/costs.json. All shards of one run must be given the same record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.files import read_json, write_json
from touchstone.graph import BUILD
from touchstone.plan import PlannedCell
from touchstone.textfile import shown

SCHEMA = 2
COMMITTED = "configs/costs.json"
UNIT = "instructions"
# To start a simulator and to prepare a run takes as long as so many instructions: measured, 10 ms
# beside 5 to 10 ns for one, on both embedded simulators.
START_WORK = 1_500_000
# Estimates of work in MACs: what an element takes in those. Only the ratio counts.
ELEMENT_WORK = 8


def load_costs(root: Path, said: str | None) -> dict[str, int]:
    """The record that costs= names, else the committed one, else nothing."""
    path = Path(said) if said else root / COMMITTED
    if said is None and not path.exists():
        return {}
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"costs={said}: found no readable file ({error.strerror})") from None
    except ValueError:
        raise UserError(f"{shown(path)}: found no JSON, allowed a costs.json of a build") from None
    recorded = _recorded(document)
    if recorded is None:
        raise UserError(
            f'{shown(path)}: found another document, allowed {{"schema": {SCHEMA}, '
            f'"{UNIT}": {{cell id: whole number of at least 0}}}}'
        )
    return recorded


def _recorded(document: Any) -> dict[str, int] | None:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return None
    known = document.get(UNIT)
    if not isinstance(known, dict):
        return None
    good = all(type(value) is int and value >= 0 for value in known.values())
    return known if good else None


def record_costs(path: Path, instructions: Mapping[str, int]) -> None:
    """Add what simulations took just now to the record at `path`."""
    if not instructions:
        return
    known = _recorded(read_json(path)) or {}
    write_json(path, {"schema": SCHEMA, UNIT: {**known, **instructions}})


def executed(root: Path, cells: Iterable[PlannedCell]) -> dict[str, int]:
    """The instructions of each cell's last completed run, of all its cores and cases together.

    Cells without such a run are left out, and those of simulators that count none.
    """
    # Imported here: to know what cells cost takes no run.
    from touchstone.runfile import RunFileError, read_run

    found = {}
    for planned in cells:
        try:
            run = read_run(root / BUILD / "cells" / planned.cell.id / "cell.run")
        except (OSError, RunFileError):
            continue
        if run.instructions_total is not None:
            found[planned.cell.id] = run.instructions_total
    return found


def command(root: Path, arguments: Mapping[str, str]) -> int:
    """Build the selected cells and record them in configs/costs.json; status 1 where one fails."""
    # Imported here: the application itself asks this module.
    from touchstone import app
    from touchstone.nested import build_cells

    words = dict(arguments)
    _, _, cells = app.plan_request(root, words)
    rows = build_cells(root, words, "costs")
    recorded = executed(root, (p for p in cells if rows.get(p.cell.id, {}).get("status") == "PASS"))
    record_costs(root / COMMITTED, recorded)
    print(f"{COMMITTED}: {len(recorded)} of {len(cells)} cells recorded")
    return 0 if all(row["status"] in ("PASS", "SKIP") for row in rows.values()) else 1


def costs_of(cells: Sequence[PlannedCell], recorded: Mapping[str, int]) -> dict[str, int]:
    """A cost for each cell that runs; 0 for cells that are skipped.

    What is not recorded is estimated from its work, at the rate of the recorded cells of its
    target, else of all.
    """
    rates = _rates(cells, recorded)
    costs: dict[str, int] = {}
    for planned in cells:
        name, target = planned.cell.id, planned.cell.target.name
        if planned.skip is not None:
            costs[name] = 0
        elif name in recorded:
            costs[name] = recorded[name] + START_WORK
        else:
            spent, work = rates.get(target) or rates.get("") or (1, 1)
            costs[name] = _work(planned) * spent // work + START_WORK
    return costs


def _rates(cells: Sequence[PlannedCell], recorded: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """(instructions, work) of what is recorded: by target, and under "" of all."""
    rates: dict[str, tuple[int, int]] = {}
    for planned in cells:
        if planned.cell.id in recorded and planned.skip is None:
            for key in (planned.cell.target.name, ""):
                spent, work = rates.get(key, (0, 0))
                rates[key] = (spent + recorded[planned.cell.id], work + _work(planned))
    return rates


def _work(planned: PlannedCell) -> int:
    return planned.needs.macs + ELEMENT_WORK * planned.needs.elements
