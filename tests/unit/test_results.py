# SPDX-License-Identifier: Apache-2.0
"""From verdicts to rows, the table and the exit status: nothing is green by accident."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from touchstone import table
from touchstone.graph import CellPlan
from touchstone.results import (
    FINE,
    STATUSES,
    Outcome,
    Report,
    collect,
    recall_cycles,
    remember_cycles,
    write_results,
)

PASS = {
    "status": "PASS",
    "reason": "",
    "cycles": 1000,
    "cycles_cold": 1200,
    "instructions": 900,
    "stack_bytes": 64,
    "differences": [],
}
MADE = Outcome(confirmed=True, simulated=True)
CACHED = Outcome(confirmed=True, simulated=False)
BAD = [status for status in STATUSES if status not in FINE]


@pytest.fixture
def plan(default_plans: list[CellPlan]) -> CellPlan:
    wanted = "gap9/linear_qk/S4-E32-P32-H8/c8"
    return next(item for item in default_plans if item.cell.id == wanted)


@pytest.fixture
def other(default_plans: list[CellPlan]) -> CellPlan:
    wanted = "stm32l4/softmax/S4-E32-P32-H8/c1"
    return next(item for item in default_plans if item.cell.id == wanted)


def skipped(plan: CellPlan) -> CellPlan:
    return replace(plan, planned=replace(plan.planned, skip="does not fit"))


def report(
    root: Path,
    plans: Mapping[CellPlan, Any] | list[tuple[CellPlan, Any]],
    outcome: Outcome = MADE,
    known: tuple[str, ...] = (),
    last: Mapping[str, int] | None = None,
) -> Report:
    """What comes of verdicts on disk; None is a verdict that is not there."""
    pairs = list(plans.items()) if isinstance(plans, Mapping) else plans
    for plan, verdict in pairs:
        path = root / plan.verdict
        path.parent.mkdir(parents=True, exist_ok=True)
        if verdict is not None:
            path.write_text(verdict if isinstance(verdict, str) else json.dumps(verdict))
    return collect(root, [plan for plan, _ in pairs], lambda _: outcome, known, last or {})


def test_row(tmp_path: Path, plan: CellPlan) -> None:
    facts = tmp_path / plan.firmware.path("firmware.json")
    facts.parent.mkdir(parents=True)
    facts.write_text('{"code_bytes": 77}')
    (row,) = report(tmp_path, [(plan, PASS)], last={plan.cell.id: 1100}).results
    macs = 4 * 32 * 32 * 8
    assert (row.status, row.cached, row.reason) == ("PASS", False, None)
    assert (row.cycles, row.cycles_cold, row.instructions) == (1000, 1200, 900)
    assert (row.macs, row.code_bytes, row.stack_bytes) == (macs, 77, 64)
    assert row.mac_per_cycle == pytest.approx(macs / 1000)
    assert row.peak_share == pytest.approx(macs / 1000 / (4 * 8), abs=1e-4)
    assert row.cycles_per_element is None
    assert row.delta_cycles == -100
    target = plan.cell.target
    assert row.energy_uj == pytest.approx(
        1000 / target.clock_hz * target.active_milliwatts / 1000 * 1e6, rel=1e-3
    )
    assert row.shape == {"S": 4, "E": 32, "P": 32, "H": 8, "F": None}


def test_what_nobody_measured_is_null(tmp_path: Path, other: CellPlan) -> None:
    verdict = {"status": "TIMEOUT", "reason": "limit", "cycles": None}
    (row,) = report(tmp_path, [(other, verdict)]).results
    unknown = (row.cycles, row.cycles_cold, row.instructions, row.stack_bytes, row.code_bytes)
    assert unknown == (None,) * 5
    derived = (row.mac_per_cycle, row.peak_share, row.energy_uj, row.delta_cycles, row.macs)
    assert derived == (None,) * 5


def test_kernel_without_multiplications_has_cycles_per_element(
    tmp_path: Path, other: CellPlan
) -> None:
    (row,) = report(tmp_path, [(other, PASS)]).results
    assert row.macs is None
    assert row.cycles_per_element == pytest.approx(1000 / (8 * 4 * 4), abs=1e-4)


def test_cached_is_what_was_confirmed_without_a_simulation(tmp_path: Path, plan: CellPlan) -> None:
    assert report(tmp_path, [(plan, PASS)], CACHED).results[0].cached
    assert not report(tmp_path, [(plan, PASS)], MADE).results[0].cached


def test_verdict_of_an_earlier_build_does_not_count(tmp_path: Path, plan: CellPlan) -> None:
    """On disk it says PASS, but this build neither made nor confirmed it."""
    for failure, reason in ((None, "was not built"), ("error: x", "error: x")):
        made = report(tmp_path, [(plan, PASS)], Outcome(False, False, failure))
        assert made.results[0].status == "BUILD_ERROR"
        assert made.results[0].reason == reason
        assert made.results[0].cycles is None
        assert made.exit_status == 1


@pytest.mark.parametrize("verdict", [None, "", "[]", "{}", '{"status": "GREEN"}', '{"status": 1}'])
def test_damaged_verdict(tmp_path: Path, plan: CellPlan, verdict: str | None) -> None:
    made = report(tmp_path, [(plan, verdict)], CACHED)
    assert made.results[0].status == "NO_OUTPUT"
    assert made.exit_status == 1


def test_exit_status(tmp_path: Path, plan: CellPlan, other: CellPlan) -> None:
    assert report(tmp_path, [(plan, PASS), (other, PASS)]).exit_status == 0
    assert report(tmp_path, [(plan, PASS), (other, PASS)], CACHED).exit_status == 0
    for status in BAD:
        bad = {**PASS, "status": status, "reason": "why"}
        assert report(tmp_path, [(plan, PASS), (other, bad)]).exit_status == 1, status
    assert report(tmp_path, []).exit_status == 1, "nothing at all"


def test_exit_status_with_skips(tmp_path: Path, plan: CellPlan, other: CellPlan) -> None:
    skip = skipped(other)
    known = (skip.cell.id,)
    assert report(tmp_path, [(plan, PASS), (skip, None)], known=known).exit_status == 0
    made = report(tmp_path, [(plan, PASS), (skip, None)])
    assert (made.exit_status, made.unexpected_skips) == (1, known)
    assert report(tmp_path, [(skip, None)], known=known).exit_status == 1, "nothing ran"


def test_skip_is_no_verdict_of_before(tmp_path: Path, other: CellPlan) -> None:
    (row,) = report(tmp_path, [(skipped(other), PASS)], CACHED).results
    assert (row.status, row.reason, row.cycles, row.cached) == ("SKIP", "does not fit", None, False)


def test_results_file(tmp_path: Path, plan: CellPlan, other: CellPlan) -> None:
    made = report(tmp_path, [(plan, PASS), (other, {**PASS, "status": "FAIL", "reason": "x"})])
    write_results(tmp_path / "results.json", made)
    document = json.loads((tmp_path / "results.json").read_text())
    assert document["schema"] == 1
    wanted = "id target kernel variant shape cores seed toolchain simulator timing status cached"
    wanted += " cycles cycles_cold instructions macs mac_per_cycle code_bytes weight_bytes"
    wanted += " activation_bytes stack_bytes energy_uj delta_cycles reason"
    for row in document["cells"]:
        assert set(wanted.split()) <= set(row)
    assert document["summary"]["PASS"] == document["summary"]["FAIL"] == 1
    assert document["summary"]["cells"] == 2
    assert str(tmp_path) not in json.dumps(document)


def test_cycles_are_remembered(tmp_path: Path, plan: CellPlan, other: CellPlan) -> None:
    path = tmp_path / "last.json"
    failed = {"status": "CRASH", "reason": "x", "cycles": None}
    made = report(tmp_path, [(plan, PASS), (other, failed)])
    remember_cycles(path, {other.cell.id: 5, "another": 6}, made)
    assert recall_cycles(path) == {plan.cell.id: 1000, other.cell.id: 5, "another": 6}
    for damage in ("", "[]", '{"a": "x", "b": 3}'):
        path.write_text(damage)
        assert recall_cycles(path) in ({}, {"b": 3})


def test_table(tmp_path: Path, plan: CellPlan, other: CellPlan) -> None:
    last = {plan.cell.id: 800, other.cell.id: 1000}
    made = report(tmp_path, [(plan, PASS), (other, PASS)], CACHED, last=last)
    first, second = table.render_table(made).splitlines()[2:]
    assert first.split()[:3] == [plan.cell.id, "PASS", "(cached)"]
    assert "1 000" in first
    assert "+200 (+25.0 %)" in first
    assert f"{4 * 32 * 32 * 8 / 1000:.3f}" in first
    assert "+" not in second
    assert "(7.81 c/el)" in second


def test_nothing_is_called_cycles_that_is_not(tmp_path: Path, plan: CellPlan) -> None:
    made = report(tmp_path, [(plan, PASS)])
    assert table.render_clocks(made).startswith("cycles of xpulp")
    assert "no silicon" in table.render_clocks(made)
    none = report(tmp_path, [(plan, {"status": "CRASH", "reason": "x"})])
    assert table.render_clocks(none) == ""


def test_summary_line(tmp_path: Path, plan: CellPlan, other: CellPlan) -> None:
    assert table.render_summary(report(tmp_path, [(plan, PASS)])) == "1 cells: 1 PASS"
    cached = report(tmp_path, [(plan, PASS), (skipped(other), None)], CACHED)
    assert table.render_summary(cached) == "2 cells: 1 PASS, 1 SKIP (1 cached)"
    nothing = report(tmp_path, [(skipped(other), None)])
    assert table.render_summary(nothing).endswith("nothing ran: a failure")


def test_skips_have_reasons(tmp_path: Path, other: CellPlan) -> None:
    skip = skipped(other)
    known = report(tmp_path, [(skip, None)], known=(skip.cell.id,))
    assert table.render_skips(known) == f"SKIP {skip.cell.id}: does not fit"
    assert table.render_skips(report(tmp_path, [(skip, None)])).endswith("a failure")


def test_failures_say_where_and_how_to_rerun(tmp_path: Path, plan: CellPlan) -> None:
    wrong = {"position": [["head", 1], ["row", 2]], "expected": 3, "found": -4}
    difference = {
        "case": "extremes",
        "operand": "output",
        "count": 2,
        "total": 9,
        "first": wrong,
        "worst": {**wrong, "found": 100},
        "histogram": [["4-15", 1], ["64+", 1]],
    }
    verdict = {**PASS, "status": "FAIL", "reason": "bad", "differences": [difference]}
    made = report(tmp_path, [(plan, verdict)])
    located = {plan.cell.id: {**verdict, "location": "f, f.c:3 (0x10)"}}
    text = table.render_failures(made, located, {plan.cell.id: plan.cell.rerun})
    assert text.splitlines() == [
        f"FAIL {plan.cell.id}: bad",
        "  extremes: 2 of 9 wrong",
        "    first at (head 1, row 2): expected 3, found -4",
        "    worst at (head 1, row 2): expected 3, found 100",
        "    errors by size in LSB  4-15: 1, 64+: 1",
        "  at f, f.c:3 (0x10)",
        f"  log    build/cells/{plan.cell.id}/log.txt",
        f"  rerun  ./scons cell={plan.cell.id}",
    ]
    assert table.render_failures(report(tmp_path, [(plan, PASS)]), located, {}) == ""
