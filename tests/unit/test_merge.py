# SPDX-License-Identifier: Apache-2.0
"""Shards become one result, or one line says which is missing, damaged or foreign."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from touchstone import app
from touchstone.ci import command
from touchstone.ci.costs import costs_of, load_costs
from touchstone.ci.shards import Shard, take
from touchstone.graph import CellPlan, plan_graph
from touchstone.manifest import Catalogue
from touchstone.plan import PlannedCell
from touchstone.reports import publish
from touchstone.results import Outcome, Report, cell_result, collect

WORDS = {"kernel": "gelu,attention_scores", "target": "gap9"}
SHARDS = 3
ROOT = Path(__file__).resolve().parents[2]
PROVENANCE = {
    "schema": 1,
    "command": [],
    "git": None,
    "host": {"system": "s", "machine": "m", "python": "3", "processors": 1},
    "started": "2026-01-01",
    "seconds": 1.0,
    "stamps": {},
    "cells": {},
    "timeline": [],
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This checkout's manifests and configs, with a build folder of its own."""
    monkeypatch.setattr("touchstone.manifest.support_of", lambda root: "")
    for name in ("kernels", "targets", "configs", "golden"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "site_scons").symlink_to(ROOT / "site_scons")
    return tmp_path


def shard_report(
    root: Path, catalogue: Catalogue, cells: list[PlannedCell], status: str
) -> tuple[list[CellPlan], Report]:
    plans = plan_graph(catalogue, cells, ())
    rows = []
    for plan in plans:
        verdict: dict[str, Any] = {"status": status, "reason": "" if status == "PASS" else "wrong"}
        if plan.planned.skip is not None:
            verdict = {"status": "SKIP", "reason": plan.planned.skip}
        rows.append(cell_result(root, plan, verdict, cached=False, last_cycles=None))
    return plans, Report(tuple(rows))


@pytest.fixture
def shards(project: Path, catalogue: Catalogue) -> Callable[..., Path]:
    """Writes the results of all shards as their builds would; the folder they are in."""

    def write(statuses: dict[int, str] | None = None, count: int = SHARDS) -> Path:
        _, _, cells = app.plan_request(project, WORDS)
        costs = costs_of(cells, load_costs(project, None))
        for index in range(1, count + 1):
            part, share = take(cells, costs, Shard(index, count))
            status = (statuses or {}).get(index, "PASS")
            plans, report = shard_report(project, catalogue, part, status)
            bad = {plan.cell.id for plan in plans if plan.planned.skip is None}
            known = {"reason": "wrong", "rerun": "again", "location": None, "log": ""}
            entry = {**known, "differences": [], "heatmaps": []}
            failing = bad if status != "PASS" else set()
            details = {
                "schema": 1,
                "unexpected_skips": [],
                "cells": dict.fromkeys(sorted(failing), entry),
            }
            folder = project / "in" / str(index)
            made = publish.Publication(report, details, PROVENANCE, share.document())
            publish.publish(folder, made)
        return project / "in"

    return write


def merge(project: Path, capsys: pytest.CaptureFixture[str], **words: str) -> tuple[int, str]:
    from touchstone.errors import UserError

    try:
        status = command.merge_shards(project, {"from": str(project / "in"), **WORDS, **words})
    except UserError as error:
        assert "\n" not in str(error)
        return 2, str(error)
    return status, capsys.readouterr().out


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


def test_all_shards(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shards()
    status, said = merge(project, capsys)
    assert status == 0
    assert f"merged {SHARDS} shards into build/report/report.html" in said
    _, _, cells = app.plan_request(project, WORDS)
    document = json.loads((project / "build/report/results.json").read_text())
    assert [row["id"] for row in document["cells"]] == [planned.cell.id for planned in cells]
    assert (document["shard"], document["exit_status"]) == (None, 0)
    assert document["summary"]["PASS"] + document["summary"]["SKIP"] == len(cells)
    assert len(json.loads((project / "build/report/provenance.json").read_text())["shards"]) == 3


def test_a_failing_shard_fails_the_whole(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shards({2: "FAIL"})
    status, said = merge(project, capsys)
    assert status == 1
    assert "FAIL gap9/" in said


def test_a_skip_that_nobody_committed_to_fails_the_whole(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Merging looks at the committed list itself."""
    shards()
    (project / "configs/expected_skips.yaml").write_text("schema: 1\nskips: []\n")
    status, said = merge(project, capsys)
    assert status == 1
    assert "not in configs/expected_skips.yaml: a failure" in said


def test_missing_shard(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shards()
    (folder / "2" / "results.json").unlink()
    assert merge(project, capsys) == (2, "merge: found 2 of 3 shards; missing: 2/3")
    assert not (project / "build/report/results.json").exists()


def test_missing_planned_cell(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = shards() / "2" / "results.json"
    lost = json.loads(path.read_text())["cells"][0]["id"]
    change(path, lambda document: document["cells"].pop(0))
    status, said = merge(project, capsys)
    assert status == 2
    assert said.endswith(f"planned cells have no result: {lost}")


def test_cell_that_is_not_planned(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = shards() / "1" / "results.json"
    change(path, lambda d: d["cells"].append({**d["cells"][0], "id": "gap9/x/S1/c1"}))
    status, said = merge(project, capsys)
    assert (status, said.partition("cells: ")[2]) == (
        2,
        "found gap9/x/S1/c1, which is not planned for this shard",
    )


def test_cell_twice(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = shards() / "1" / "results.json"
    change(path, lambda document: document["cells"].append(document["cells"][0]))
    status, said = merge(project, capsys)
    assert status == 2
    assert said.endswith(" twice")


def test_shard_twice(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shards()
    (folder / "3" / "results.json").write_bytes((folder / "2" / "results.json").read_bytes())
    status, said = merge(project, capsys)
    assert status == 2
    assert "results.json: shard 2 is in " in said


def test_other_matrix_or_other_costs(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shards()
    status, said = merge(project, capsys, kernel="gelu,attention_scores,softmax")
    assert status == 2
    assert "planned cells have no result" in said
    costs = project / "costs.json"
    _, _, cells = app.plan_request(project, WORDS)
    known = {planned.cell.id: 1 for planned in cells}
    known["gap9/gelu/S4-E32-P32-H8/c8"] = 10**9
    costs.write_text(json.dumps({"schema": 2, "instructions": known}))
    assert merge(project, capsys, costs=str(costs))[0] == 2


def test_shards_of_two_runs(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shards()
    change(folder / "3" / "results.json", lambda document: document["shard"].update(count=4))
    assert merge(project, capsys) == (2, "merge: found shards of 3, 4, allowed shards of one run")


def test_plan_digest_is_not_believed(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = shards() / "1" / "results.json"
    change(path, lambda document: document["shard"].update(plan="0" * 64))
    status, said = merge(project, capsys)
    assert status == 2
    assert "shard.plan: found another plan" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "found no readable JSON"),
        ('{"schema": 1', "found no readable JSON"),
        ("[]", "found no mapping"),
        ("{}", "top level: found keys none; 'schema' is missing"),
    ],
)
def test_damaged_shard(
    project: Path,
    shards: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    text: str,
    expected: str,
) -> None:
    (shards() / "2" / "results.json").write_text(text)
    status, said = merge(project, capsys)
    assert status == 2
    assert expected in said


def test_row_with_a_status_that_does_not_exist(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = shards() / "2" / "results.json"
    change(path, lambda document: document["cells"][0].update(status="PASSED"))
    status, said = merge(project, capsys)
    assert status == 2
    assert "cells[0].status: found 'PASSED'" in said


def test_exit_status_that_its_cells_deny(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = shards({2: "FAIL"}) / "2" / "results.json"
    change(path, lambda document: document.update(exit_status=0))
    status, said = merge(project, capsys)
    assert status == 2
    assert "exit_status: found 0, but its cells and details.json make 1" in said


def test_results_without_a_shard(
    project: Path, shards: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    change(shards() / "1" / "results.json", lambda document: document.update(shard=None))
    assert merge(project, capsys)[1].endswith("shard: found none, allowed results of a shard=i/n")


def test_no_shards_at_all(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "in").mkdir()
    assert merge(project, capsys)[1].endswith("found no results.json in it or below")
    (project / "in").rmdir()
    assert merge(project, capsys)[1].endswith("found no such folder or file")
    words = {"from": "", **WORDS}
    assert "found no from=" in merge(project, capsys, **words)[1]
    assert "allowed the variables of the whole plan" in merge(project, capsys, shard="1/2")[1]


def test_report_again(
    project: Path,
    catalogue: Catalogue,
    capsys: pytest.CaptureFixture[str],
    shards: Callable[..., Path],
) -> None:
    """Its exit status is that of the results; what it renders is the same, byte by byte."""
    folder = shards({1: "FAIL"}) / "1"
    before = {name: (folder / name).read_bytes() for name in publish.RENDERED}
    for name in publish.RENDERED:
        (folder / name).unlink()
    assert command.report(project, {"from": str(folder)}) == 1
    assert {name: (folder / name).read_bytes() for name in publish.RENDERED} == before
    assert "report.html" in capsys.readouterr().out


def test_collected_report_knows_unexpected_skips(project: Path, catalogue: Catalogue) -> None:
    _, _, cells = app.plan_request(project, WORDS)
    plans = plan_graph(catalogue, [p for p in cells if p.skip is not None], ())
    found = collect(project, plans, lambda _: Outcome(False, False), {}, {})
    assert found.unexpected_skips == tuple(plan.cell.id for plan in plans) != ()
