# SPDX-License-Identifier: Apache-2.0
"""only=failed: which cells did not end well when they were last selected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from touchstone.errors import UserError
from touchstone.graph import CellPlan
from touchstone.last_statuses import only_failed, recall_statuses, remember_statuses
from touchstone.results import Report, cell_result

VERDICT = {"status": "PASS", "reason": ""}


def report(tmp_path: Path, plans: list[CellPlan], statuses: list[str]) -> Report:
    rows = [
        cell_result(tmp_path, plan, {**VERDICT, "status": status}, cached=False, last_cycles=None)
        for plan, status in zip(plans, statuses, strict=True)
    ]
    return Report(tuple(rows))


def test_statuses_add_up_over_commands(tmp_path: Path, default_plans: list[CellPlan]) -> None:
    path, plans = tmp_path / "last.json", default_plans[:3]
    remember_statuses(path, report(tmp_path, plans, ["PASS", "FAIL", "XPASS"]))
    remember_statuses(path, report(tmp_path, plans[:1], ["NOT_RUN"]))
    ids = [plan.cell.id for plan in plans]
    assert recall_statuses(path) == dict(zip(ids, ["NOT_RUN", "FAIL", "XPASS"], strict=True))


def test_failed_cells_are_chosen(default_plans: list[CellPlan]) -> None:
    cells = [plan.planned for plan in default_plans[:6]]
    statuses = ["PASS", "FAIL", "XFAIL", "TIMEOUT", "QUARANTINED"]
    last = {cell.cell.id: status for cell, status in zip(cells, statuses, strict=False)}
    assert only_failed(cells, last) == [cells[1], cells[3]]
    with pytest.raises(UserError, match="only=failed: found no selected cell"):
        only_failed(cells[:1], last)


def test_a_damaged_memory_knows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    for text in ("", "[]", "{"):
        path.write_text(text)
        assert recall_statuses(path) == {}


def test_retries_are_shown(tmp_path: Path, default_plans: list[CellPlan]) -> None:
    from touchstone import table

    (row,) = report(tmp_path, default_plans[:1], ["PASS"]).results
    flaky = Report((replace(row, retries=("killed by signal 9",)),))
    assert "PASS (flaky)" in table.render_table(flaky)
    assert table.render_notes(flaky) == f"flaky {row.id}: killed by signal 9"
    assert flaky.exit_status == 0
