# SPDX-License-Identifier: Apache-2.0
"""How every cell ended when it was last selected, over many commands: what `only=failed` means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from touchstone.errors import UserError
from touchstone.files import read_json, write_json
from touchstone.plan import PlannedCell
from touchstone.results import FINE, Report

FILE = "last_statuses.json"


def remember_statuses(path: Path, report: Report) -> None:
    """Keep how the cells of this command ended, beside those of earlier ones."""
    before = recall_statuses(path)
    after = {**before, **{result.id: result.status for result in report.results}}
    if after != before:
        write_json(path, after)


def recall_statuses(path: Path) -> dict[str, str]:
    """Cell ids and statuses."""
    known = read_json(path)
    if not isinstance(known, dict):
        return {}
    return {name: value for name, value in known.items() if isinstance(value, str)}


def only_failed(cells: Sequence[PlannedCell], last: Mapping[str, str]) -> list[PlannedCell]:
    """The cells that did not end well when they were last selected; none at all is an error."""
    failed = [planned for planned in cells if last.get(planned.cell.id, FINE[0]) not in FINE]
    if not failed:
        raise UserError("only=failed: found no selected cell that failed when it last ran")
    return failed
