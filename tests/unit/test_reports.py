# SPDX-License-Identifier: Apache-2.0
"""JUnit, Markdown, the page and its charts, provenance: what each says, what it never does."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from touchstone.graph import CellPlan
from touchstone.reports import charts, svg
from touchstone.reports.details import details_of, heatmap
from touchstone.reports.html import render_html
from touchstone.reports.junit import render_junit
from touchstone.reports.markdown import SUMMARY_BYTES, append_step_summary, render_markdown
from touchstone.reports.provenance import git_state, provenance_of, seconds_by_cell
from touchstone.results import STATUSES, CellResult, Report, cell_result
from touchstone.session import Session, Span
from touchstone.vectors import Operand

VERDICT = {"status": "PASS", "reason": "", "cycles": 1000, "stack_bytes": 64}
HOSTILE = "<script>alert('x')</script> \"q\" | `b` \x1b[31m \x00 & ]]>"
PROVENANCE: dict[str, Any] = {
    "schema": 1,
    "command": ["kernel=gelu"],
    "git": {"commit": "abc", "dirty": True},
    "host": {"system": "s", "machine": "m", "python": "3", "processors": 2},
    "started": "2026-01-01T00:00:00+00:00",
    "seconds": 3.0,
    "toolchains": {},
    "simulators": {},
    "stamps": {"zig": "f00d"},
    "cells": {},
    "timeline": [["compile", "build/a.o", 0, 0.5, 0.25], ["simulate", "b", 1, 1.0, 2.0]],
}


@pytest.fixture
def rows(default_plans: list[CellPlan], tmp_path: Path) -> list[CellResult]:
    """One row of each status, with reasons that would break out of any markup."""
    found = []
    plans = [plan for plan in default_plans if plan.planned.needs.macs]
    for status, plan in zip(STATUSES, plans, strict=False):
        verdict = {**VERDICT, "status": status, "reason": "" if status == "PASS" else HOSTILE}
        found.append(cell_result(tmp_path, plan, verdict, cached=False, last_cycles=900))
    return found


def details(rows: list[CellResult]) -> dict[str, Any]:
    operand = Operand("output", "int8", (2, 3), bytes(6))
    entry = {
        "reason": HOSTILE,
        "rerun": "./scons cell=x",
        "location": "f, a.c:3 (0x10)",
        "log": HOSTILE,
        "differences": [{"case": "random", "count": 1, "total": 6, "histogram": [["1", 1]]}],
        "heatmaps": [
            {
                "case": "random",
                "operand": "output",
                **heatmap(operand, b"\0\0\1\0\0\0"),
                "axes": ["row", "column"],
            }
        ],
    }
    bad = {row.id: entry for row in rows if row.status not in ("PASS", "SKIP")}
    return {"schema": 1, "unexpected_skips": [], "cells": bad}


def junit(rows: list[CellResult], skips: tuple[str, ...] = ()) -> ElementTree.Element:
    report = Report(tuple(rows), {}, skips)
    return ElementTree.fromstring(render_junit(report, details(rows), {rows[0].id: 1.5}))


def test_junit_has_a_case_for_each_cell(rows: list[CellResult]) -> None:
    root = junit(rows)
    cases = root.findall("testsuite/testcase")
    assert len(cases) == len(rows)
    ids = [f"{c.get('classname', '').replace('.', '/', 1)}/{c.get('name')}" for c in cases]
    assert ids == [row.id for row in rows]
    assert cases[0].get("time") == "1.500"


def test_junit_tells_statuses_apart(rows: list[CellResult]) -> None:
    cases = junit(rows).findall("testsuite/testcase")
    kinds = {}
    for row, case in zip(rows, cases, strict=True):
        found = [child for child in case if child.tag != "system-out"]
        kinds[row.status] = [(child.tag, child.get("type")) for child in found]
    assert kinds == {
        "PASS": [],
        "FAIL": [("failure", "FAIL")],
        "XPASS": [("failure", "XPASS")],
        **{status: [("skipped", status)] for status in ("SKIP", "XFAIL", "QUARANTINED")},
        **{
            status: [("error", status)]
            for status in ("TIMEOUT", "CRASH", "NO_OUTPUT", "BUILD_ERROR", "NOT_RUN")
        },
    }


def test_junit_totals_are_those_of_its_cases(rows: list[CellResult]) -> None:
    root = junit(rows)
    for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(root.get(name, "-1")) == len(root.findall(f".//{tag}"))
    assert int(root.get("tests", "-1")) == len(rows)


def test_junit_fails_where_the_command_does(rows: list[CellResult]) -> None:
    """A skip that nobody committed to, and a command that verified nothing."""
    skip = next(row for row in rows if row.status == "SKIP")
    root = junit([rows[0], skip], (skip.id,))
    assert [found.get("type") for found in root.findall(".//failure")] == ["UNEXPECTED_SKIP"]
    root = junit([skip])
    assert [found.get("type") for found in root.findall(".//failure")] == ["NOTHING_RAN"]
    assert root.get("failures") == "1"


def test_reports_say_what_else_is_wrong(rows: list[CellResult]) -> None:
    report = Report((rows[0],), problems=("bench: cycles changed",))
    root = ElementTree.fromstring(render_junit(report, details(rows), {}))
    (failure,) = root.findall(".//failure")
    assert (failure.get("type"), failure.get("message")) == ("PROBLEM", "bench: cycles changed")
    assert int(root.get("failures", "-1")) == 1
    assert "FAILURE bench: cycles changed" in render_markdown(report, details(rows), "T")


def test_junit_is_read_by_a_common_parser(rows: list[CellResult], tmp_path: Path) -> None:
    junitparser = pytest.importorskip("junitparser")
    path = tmp_path / "junit.xml"
    report = Report(tuple(rows))
    path.write_bytes(render_junit(report, details(rows), {}))
    read = junitparser.JUnitXml.fromfile(str(path))
    assert (read.tests, read.failures, read.errors, read.skipped) == (len(rows), 2, 5, 3)
    results = {(case.classname, case.name): case.result for suite in read for case in suite}
    failed = next(row for row in rows if row.status == "FAIL")
    target, kernel, name = failed.id.split("/", 2)
    (result,) = results[f"{target}.{kernel}", name]
    assert isinstance(result, junitparser.Failure)
    assert "rerun ./scons cell=x" in str(result.text)


def test_markdown(rows: list[CellResult]) -> None:
    text = render_markdown(Report(tuple(rows)), details(rows), "Touchstone")
    assert text.startswith("## Touchstone: FAILED\n")
    assert "rerun: `./scons cell=x`" in text
    assert "<script>" not in text
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(lines) == len(rows)
    assert {line.replace("\\|", "").count("|") for line in lines} == {10}
    assert render_markdown(Report((rows[0],)), details([]), "T").startswith("## T: passed\n")


def test_step_summary(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    where = {"GITHUB_STEP_SUMMARY": str(path)}
    assert append_step_summary("one\n", where)
    assert append_step_summary("two\n", where)
    assert path.read_text() == "one\ntwo\n"
    assert not append_step_summary("three", {})


def test_step_summary_is_never_too_long(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    text = f"## verdict\n\n<details>{'x' * 2 * SUMMARY_BYTES}</details>"
    append_step_summary(text, {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text() == (
        "## verdict\n\n\nThe table is in report.md: it is too long for this page.\n"
    )


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def page(rows: list[CellResult]) -> str:
    return render_html(Report(tuple(rows)), details(rows), PROVENANCE, "Touchstone")


def test_page_loads_nothing_and_runs_nothing_foreign(rows: list[CellResult]) -> None:
    read = _Page()
    read.feed(page(rows))
    assert read.tags.count("script") == 1
    assert not {"img", "link", "iframe", "object"} & set(read.tags)
    assert "src" not in {name for name, _ in read.attributes}
    links = [value for name, value in read.attributes if name == "href"]
    assert all(str(link).startswith(("#", "../cells/")) for link in links)
    assert "http" not in page(rows).replace("http-equiv", "")


def test_page_has_every_section(rows: list[CellResult]) -> None:
    text = page(rows)
    for name in ("failures", "matrix", "efficiency", "memory", "timeline", "provenance"):
        assert f'<section id="{name}">' in text
    assert text.count("<tr class=bad>") == 7
    assert text.count("log.txt") == len(
        [r for r in rows if r.status not in ("SKIP", "BUILD_ERROR", "NOT_RUN")]
    )
    assert "abc with changes" in text


def test_page_is_deterministic(rows: list[CellResult]) -> None:
    assert page(rows) == page(rows)


def test_speed_up(rows: list[CellResult]) -> None:
    row = replace(rows[0], id="gap9/fwsa/S4/c1/half_up", cores=1, cycles=1000)
    eight = replace(row, id="gap9/fwsa/S4/c8/half_up", cores=8, cycles=200)
    other = replace(row, id="gap9/fwsa/S5/c8", cores=8, cycles=7)
    failed = replace(row, id="gap9/fwsa/S5/c1", status="FAIL")
    ((name, (line,)),) = charts.speedups([row, eight, other, failed]).items()
    assert name == f"{row.target} {row.kernel}"
    assert line == svg.Line("gap9/fwsa/S4/half_up", ((1.0, 1.0), (8.0, 5.0)))
    assert "5 times at 8 cores" in charts.scaling([row, eight])
    assert charts.scaling([row]) == ""


def test_heatmap_bins() -> None:
    operand = Operand("output", "int8", (2, 100, 3), bytes(600))
    wrong = bytearray(600)
    wrong[0] = 5
    wrong[3 * 101 + 2] = 0x80
    found = heatmap(operand, bytes(wrong))
    assert (found["rows"], found["columns"], found["bin"]) == (200, 3, [4, 1])
    assert found["bins"] == [[0, 0, 1, 5], [25, 2, 1, 128]]
    text = charts.heatmap({"case": "c", "operand": "o", "axes": ["head", "row", "column"], **found})
    assert "row 100-103, column 2: 1 of 4 wrong, largest error 128 LSB" in text


def test_details_only_of_what_is_wrong(default_plans: list[CellPlan], tmp_path: Path) -> None:
    good, bad = default_plans[:2]
    verdicts = {good.cell.id: VERDICT, bad.cell.id: {"status": "CRASH", "reason": "r", "log": "l"}}
    made = tuple(
        cell_result(tmp_path, plan, verdicts[plan.cell.id], cached=False, last_cycles=None)
        for plan in (good, bad)
    )
    rerun = {plan.cell.id: plan.cell.rerun for plan in (good, bad)}
    found = details_of(tmp_path, (good, bad), Report(made), verdicts, rerun)
    assert list(found["cells"]) == [bad.cell.id]
    assert found["cells"][bad.cell.id]["log"] == "l"
    assert found["cells"][bad.cell.id]["heatmaps"] == []


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (0, [0, 1]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (17, [0, 5, 10, 15, 20]),
        (120_000, [0, 25_000, 50_000, 75_000, 100_000, 125_000]),
    ],
)
def test_ticks(highest: float, expected: list[float]) -> None:
    assert svg.ticks(highest) == pytest.approx(expected)


def test_provenance(default_plans: list[CellPlan], tmp_path: Path) -> None:
    plan = default_plans[0]
    session = Session()
    session.spans.append(Span("simulate", plan.run, 0, 1.0, 0.5))
    session.note_stamp("zig", "f00d")
    verdicts = {plan.cell.id: {"run_id": "abc"}}
    found = provenance_of(tmp_path, {"kernel": "add"}, [plan], verdicts, session)
    cell = found["cells"][plan.cell.id]
    assert (cell["image"], cell["simulate_seconds"], cell["check_seconds"]) == ("abc", 0.5, None)
    assert found["toolchains"][cell["toolchain"]]["program"] == "zig"
    assert found["stamps"] == {"zig": "f00d"}
    assert found["command"] == ["kernel=add"]
    assert found["timeline"] == [["simulate", plan.run, 0, 1.0, 0.5]]
    assert seconds_by_cell(found, ("simulate", "check")) == {plan.cell.id: 0.5}
    assert seconds_by_cell({"schema": 1, "shards": [found]}, ("check",)) == {}
    json.dumps(found)


def test_spans_of_threads_are_in_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    start = session.elapsed()
    session.note_span("compile", "a", start)
    session.note_span("compile", "b", start)
    monkeypatch.setattr("threading.get_ident", lambda: -1)
    session.note_span("compile", "c", start)
    assert [span.lane for span in session.spans] == [0, 0, 1]
    assert all(span.seconds >= 0 for span in session.spans)


def test_git_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) is None
    run: Callable[..., Any] = lambda *words: subprocess.run(  # noqa: E731
        ["git", "-c", "user.name=n", "-c", "user.email=e", *words], cwd=tmp_path, check=True
    )
    run("init", "-q")
    (tmp_path / "a").write_text("a")
    run("add", "a")
    run("commit", "-q", "-m", "m")
    clean = git_state(tmp_path)
    assert clean is not None
    assert re.fullmatch("[0-9a-f]{40}", clean["commit"])
    assert clean["dirty"] is False
    (tmp_path / "a").write_text("b")
    assert git_state(tmp_path) == {"commit": clean["commit"], "dirty": True}
