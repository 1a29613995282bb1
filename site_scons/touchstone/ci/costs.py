# SPDX-License-Identifier: Apache-2.0
"""What simulating a cell costs: recorded milliseconds, estimated where nothing is recorded.

The record is a JSON file, {"schema": 1, "milliseconds": {cell id: whole number}}. Every build
writes what it knows to build/report/costs.json; configs/costs.json, where somebody commits one, is
what shards are balanced by. All shards of one run must be given the same record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.files import read_json, write_json
from touchstone.plan import PlannedCell
from touchstone.textfile import shown

SCHEMA = 1
COMMITTED = "configs/costs.json"
# Work of an element and of starting a simulator, in MACs: only their ratios count.
ELEMENT_WORK = 8
START_WORK = 500_000


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
    milliseconds = _milliseconds(document)
    if milliseconds is None:
        raise UserError(
            f'{shown(path)}: found another document, allowed {{"schema": {SCHEMA}, '
            '"milliseconds": {cell id: whole number of at least 0}}'
        )
    return milliseconds


def _milliseconds(document: Any) -> dict[str, int] | None:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return None
    known = document.get("milliseconds")
    if not isinstance(known, dict):
        return None
    good = all(type(value) is int and value >= 0 for value in known.values())
    return known if good else None


def record_costs(path: Path, seconds: Mapping[str, float]) -> None:
    """Add what simulations took just now to the record at `path`."""
    if not seconds:
        return
    known = _milliseconds(read_json(path)) or {}
    now = {cell: round(1000 * value) for cell, value in seconds.items()}
    write_json(path, {"schema": SCHEMA, "milliseconds": {**known, **now}})


def costs_of(cells: Sequence[PlannedCell], recorded: Mapping[str, int]) -> dict[str, int]:
    """A cost for each cell, at least 1; 0 for cells that are skipped.

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
            costs[name] = max(1, recorded[name])
        else:
            spent, work = rates.get(target) or rates.get("") or (1, 1)
            costs[name] = max(1, _work(planned) * spent // work)
    return costs


def _rates(cells: Sequence[PlannedCell], recorded: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """(milliseconds, work) of what is recorded: by target, and under "" of all."""
    rates: dict[str, tuple[int, int]] = {}
    for planned in cells:
        if planned.cell.id in recorded and planned.skip is None:
            for key in (planned.cell.target.name, ""):
                spent, work = rates.get(key, (0, 0))
                rates[key] = (spent + recorded[planned.cell.id], work + _work(planned))
    return rates


def _work(planned: PlannedCell) -> int:
    return planned.needs.macs + ELEMENT_WORK * planned.needs.elements + START_WORK
