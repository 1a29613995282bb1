# SPDX-License-Identifier: Apache-2.0
"""Baselines and their gate, history by commit, trends, two variants side by side."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from touchstone.bench import baselines, gate, history, side_by_side
from touchstone.bench.history import Commit
from touchstone.bench.trend import CHART, trend
from touchstone.errors import UserError
from touchstone.graph import CellPlan
from touchstone.planner import recorded
from touchstone.results import CellResult, Report, cell_result

FIGURES = {"cycles": 1000, "cycles_cold": 1100, "instructions": 900, "stack_bytes": 64}
ZERO: dict[str, float] = {}


@pytest.fixture
def plans(default_plans: list[CellPlan]) -> list[CellPlan]:
    running = [plan for plan in default_plans if plan.planned.skip is None]
    gap9 = [plan for plan in running if plan.cell.target.name == "gap9"]
    return [*gap9[:2], next(p for p in running if p.cell.target.name == "stm32l4")]


def rows(root: Path, plans: list[CellPlan], **changed: int) -> list[CellResult]:
    verdict = {"status": "PASS", "reason": "", **FIGURES, **changed}
    return [cell_result(root, plan, verdict, cached=False, last_cycles=None) for plan in plans]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with one commit."""
    environment = {
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "n"),
        **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "n@example.org"),
        **dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "1700000000 +0000"),
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "HOME": str(tmp_path),
    }
    (tmp_path / "file").write_text("1")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-qm", "m"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, env=environment)
    return tmp_path


def accept(root: Path, results: list[CellResult]) -> None:
    baselines.accept(root, results, {"gap9": {"toolchain llvm": "one"}}, "because")


def test_what_was_accepted_is_loaded(tmp_path: Path, plans: list[CellPlan]) -> None:
    results = rows(tmp_path, plans)
    accept(tmp_path, results)
    known = baselines.load(tmp_path, ["gap9", "stm32l4", "none"])
    assert set(known) == {result.id for result in results}
    assert known[results[0].id]["cycles"] == 1000
    assert "code_bytes" not in known[results[0].id], "nobody measured it"
    text = (tmp_path / "configs/baselines/gap9.json").read_text()
    assert json.loads(text)["reason"] == "because"
    assert [line for line in text.splitlines() if results[1].id in line], "a line a cell"
    assert baselines.changes(results, known, ZERO) == []


def test_other_cells_keep_their_baselines(tmp_path: Path, plans: list[CellPlan]) -> None:
    first, second, _ = rows(tmp_path, plans)
    accept(tmp_path, [first, second])
    accept(tmp_path, [replace(first, cycles=900), replace(second, status="FAIL", cycles=1)])
    known = baselines.load(tmp_path, ["gap9"])
    assert (known[first.id]["cycles"], known[second.id]["cycles"]) == (900, 1000)


@pytest.mark.parametrize("metric", baselines.METRICS)
def test_the_gate_is_exact(tmp_path: Path, plans: list[CellPlan], metric: str) -> None:
    result = replace(rows(tmp_path, plans[:1])[0], code_bytes=10)
    value = getattr(result, metric)
    accept(tmp_path, [result])
    known = baselines.load(tmp_path, ["gap9"])
    (worse,) = baselines.changes([replace(result, **{metric: value + 1})], known, ZERO)  # type: ignore[arg-type]
    (better,) = baselines.changes([replace(result, **{metric: value - 1})], known, ZERO)  # type: ignore[arg-type]
    assert (worse.metric, worse.worse, better.worse) == (metric, True, False)


def test_thresholds_are_percent_of_the_baseline(tmp_path: Path, plans: list[CellPlan]) -> None:
    (result,) = rows(tmp_path, plans[:1])
    known = {result.id: {"cycles": 1000}}
    allowed = baselines.parse_thresholds([("cycles", "0.5")])
    for cycles, worse in ((1005, False), (1006, True)):
        (change,) = baselines.changes([replace(result, cycles=cycles)], known, allowed)
        assert change.worse == worse
    with pytest.raises(UserError, match="did you mean cycles"):
        baselines.parse_thresholds([("cycle", "1")])
    for text in ("x", "-1", "nan"):
        with pytest.raises(UserError, match="allowed 0 to 1000 percent"):
            baselines.parse_thresholds([("cycles", text)])


def test_what_is_no_longer_measured_is_worse(tmp_path: Path, plans: list[CellPlan]) -> None:
    (result,) = rows(tmp_path, plans[:1])
    (change,) = baselines.changes([replace(result, cycles=None)], {result.id: {"cycles": 1}}, ZERO)
    assert change.worse
    assert str(change).endswith("cycles 1, now not measured")


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"schema": 2, "cells": {}}', '{"schema": 1, "cells": {"a": {"cycles": "1"}}}'],
)
def test_damaged_baselines_are_refused(tmp_path: Path, text: str) -> None:
    path = baselines.path_of(tmp_path, "gap9")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(UserError, match=r"gap9\.json: "):
        baselines.load(tmp_path, ["gap9"])


def judged(root: Path, results: list[CellResult], **words: str) -> tuple[Report, str]:
    bench = gate.parse(words.get("mode", "check"), words.get("reason"), ())
    known = baselines.load(root, ["gap9", "stm32l4"])
    return gate.judge(root, bench, Report(tuple(results)), known, [], {})


def test_check_fails_where_something_got_worse(tmp_path: Path, plans: list[CellPlan]) -> None:
    results = rows(tmp_path, plans)
    accept(tmp_path, results)
    assert judged(tmp_path, results) == (Report(tuple(results)), "")
    worse = [replace(results[0], cycles=1010), *results[1:]]
    report, text = judged(tmp_path, worse)
    assert report.problems == (f"bench: {results[0].id}: cycles 1000 -> 1010 (+1.00 %)",)
    assert (report.exit_status, text) == (1, "")


def test_check_says_what_got_better(tmp_path: Path, plans: list[CellPlan]) -> None:
    results = rows(tmp_path, plans)
    accept(tmp_path, results)
    report, text = judged(tmp_path, [replace(results[0], cycles=990), *results[1:]])
    assert report.exit_status == 0
    assert f"bench better {results[0].id}: cycles 1000 -> 990 (-1.00 %)" in text
    assert "bench=accept" in text


def test_check_and_accept_of_what_the_planner_recorded(
    tmp_path: Path, plans: list[CellPlan]
) -> None:
    results = rows(tmp_path, plans)
    first, second, third = (result.id for result in results)
    accept(tmp_path, results)
    path = tmp_path / recorded.FILE
    kept = {first: 1000, second: 999, third: 1001, "gap9/elsewhere/S1/c1": 5}
    path.write_text(json.dumps(kept))
    report, _ = judged(tmp_path, results)
    low = min((second, 999), (third, 1001))
    assert report.exit_status == 1
    assert report.problems == (
        f"bench: STALE {recorded.FILE}: {low[0]}: recorded {low[1]}, now 1000 (+1 more); "
        f"{recorded.ANEW} takes it anew",
    )
    report, text = judged(tmp_path, results, mode="accept", reason="because")
    assert (report.exit_status, report.problems) == (0, ())
    assert f"{recorded.FILE} (2 cells)" in text
    assert recorded.load(tmp_path) == {**kept, second: 1000, third: 1000}
    assert judged(tmp_path, results)[0].exit_status == 0


def test_check_fails_without_a_baseline(tmp_path: Path, plans: list[CellPlan]) -> None:
    results = rows(tmp_path, plans)
    accept(tmp_path, results[:1])
    report, _ = judged(tmp_path, results)
    (problem,) = report.problems
    assert problem.startswith(f"bench: no baseline of {results[1].id} (+1 more)")


def test_nothing_is_accepted_of_a_failure(tmp_path: Path, plans: list[CellPlan]) -> None:
    first, second, _ = rows(tmp_path, plans)
    bad = [first, replace(second, status="FAIL")]
    _, text = judged(tmp_path, bad, mode="accept", reason="r")
    assert text == "bench: nothing accepted: the command failed"
    assert not (tmp_path / "configs").exists()


@pytest.mark.parametrize("reason", [None, " "])
def test_accept_needs_a_reason(reason: str | None) -> None:
    with pytest.raises(UserError, match="found no reason="):
        gate.parse("accept", reason, ())


def test_history_by_commit(repository: Path, plans: list[CellPlan]) -> None:
    results = rows(repository, plans[:1])
    judged(repository, results, mode="record")
    judged(repository, [replace(results[0], cycles=900)], mode="record")
    (repository / "file").write_text("2")
    judged(repository, [replace(results[0], cycles=800)], mode="record")
    points = history.read([repository / history.FILE])[results[0].id]
    assert [(point.figures["cycles"], point.commit.dirty) for point in points] == [
        (900, False),
        (800, True),
    ]
    assert points[0].commit.time == 1_700_000_000


def test_no_history_outside_a_repository(tmp_path: Path, plans: list[CellPlan]) -> None:
    judged(tmp_path, rows(tmp_path, plans[:1]), mode="record")
    assert not (tmp_path / history.FILE).exists()


def test_an_unfinished_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    history.append(path, Commit("a" * 40, 5, False), {"x": {"cycles": 1}})
    path.write_bytes(path.read_bytes() + b'{"commit": "b')
    assert list(history.read([path])) == ["x"]
    path.write_bytes(b"no\n" + path.read_bytes())
    with pytest.raises(UserError, match=r"h\.jsonl:1: found no line of a history"):
        history.read([path])


def test_trend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    for number, cycles in enumerate((1000, 900, 900)):
        path = two if number == 1 else one
        commit = Commit(f"{number}" * 40, 100 + number, False)
        history.append(path, commit, {"gap9/a/S1/c8": {"cycles": cycles}, "x": {"cycles": 5}})
    assert trend(tmp_path, {"cell": "gap9/*", "from": f"{one},{two}"}) == 0
    line = capsys.readouterr().out.splitlines()[2]
    assert line.split() == ["gap9/a/S1/c8", "3", "1,000", "900", "900", "-10.00", "%", "111111111"]
    chart = ElementTree.fromstring((tmp_path / CHART).read_text())
    lines = chart.findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.get("points", "").split()) for line in lines] == [3]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"metric": "cycle"}, "did you mean cycles"),
        ({"cells": "*"}, "did you mean cell"),
        ({"from": "none.jsonl"}, "found no history"),
    ],
)
def test_trend_refuses(tmp_path: Path, words: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        trend(tmp_path, words)


def test_variants_side_by_side(tmp_path: Path, default_plans: list[CellPlan]) -> None:
    xpulp = next(
        plan
        for plan in default_plans
        if plan.cell.target.name == "gap9" and plan.cell.variant.name == "xpulp"
    )
    cell = xpulp.cell
    portable = replace(
        xpulp,
        planned=replace(xpulp.planned, cell=replace(cell, variant=cell.kernel.variant("portable"))),
    )
    fast, slow = rows(tmp_path, [xpulp])[0], rows(tmp_path, [portable], cycles=2500)[0]
    text = side_by_side.render([xpulp, portable], [fast, slow], ("xpulp", "portable"))
    assert text.splitlines()[2].split() == [cell.id, "1", "000", "2", "500", "2.500", "xpulp"]
    text = side_by_side.render([xpulp], [fast], ("xpulp", "portable"))
    assert text.splitlines()[2].split() == [cell.id, "1", "000", "-"]
