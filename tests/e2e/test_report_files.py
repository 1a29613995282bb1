# SPDX-License-Identifier: Apache-2.0
"""build/report/ of a real build: each file, and the page in a real browser."""

from __future__ import annotations

import html
import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from browser import browse
from project import CELLS, SHAPE, Project

from touchstone.schema import validate

GELU = (f"gap9/gelu/{SHAPE}/c8", f"stm32l4/gelu/{SHAPE}/c1")
# Runs in the page: what a person would do with it, and what came of it as JSON in the title.
USE = """
<script>
window.addEventListener("load", () => {
  const rows = () => Array.from(document.querySelectorAll("#cells tbody tr"));
  const shown = () => rows().filter((row) => !row.hidden).map((row) => row.cells[0].textContent);
  const heads = Array.from(document.querySelectorAll("#cells th button"));
  const cycles = heads.find((head) => head.textContent === "cycles");
  const column = cycles.parentElement.cellIndex;
  const numbers = () => rows().map((row) => row.cells[column].textContent.replace(/\\s/g, ""));
  const box = (node) => [node.getBoundingClientRect().width, node.getBoundingClientRect().height];
  const found = {};
  cycles.click(); found.up = numbers();
  cycles.click(); found.down = numbers();
  found.sorted = cycles.parentElement.getAttribute("aria-sort");
  const filter = document.getElementById("filter");
  filter.value = "stm32l4 gelu";
  filter.dispatchEvent(new Event("input"));
  found.filtered = shown();
  found.said = document.getElementById("shown").textContent;
  filter.value = ""; filter.dispatchEvent(new Event("input"));
  found.all = shown().length;
  found.charts = Array.from(document.querySelectorAll("svg")).map(box);
  found.sections = Array.from(document.querySelectorAll("section")).map((node) => node.id);
  found.heat = document.querySelectorAll("rect.heat").length;
  found.wide = document.documentElement.scrollWidth;
  found.window = window.innerWidth;
  found.logs = Array.from(document.querySelectorAll("#cells a")).map((link) => link.href);
  document.title = JSON.stringify(found);
});
</script>
"""


@pytest.fixture
def failing(project: Project) -> Project:
    """The project with two cells that fail."""
    project.replace("kernels/gelu/portable.c", "[i] = ", "[i] = 1 + ")
    assert project.run().status == 1
    return project


def document(project: Project, name: str) -> Any:
    return json.loads(project.path(f"build/report/{name}").read_text())


def test_results_are_as_published(failing: Project) -> None:
    path = failing.path("build/report/results.json")
    validate(json.loads(path.read_text()), "results", path)


def test_results_are_the_same_in_another_checkout(
    failing: Project, tmp_path: Path, copy_of_template: Callable[[Path], Project]
) -> None:
    """Byte by byte: times and places are in provenance.json alone."""
    other = copy_of_template(tmp_path / "elsewhere" / "other")
    other.replace("kernels/gelu/portable.c", "[i] = ", "[i] = 1 + ")
    other.run()
    for name in ("results.json", "details.json"):
        mine, theirs = failing.path(f"build/report/{name}"), other.path(f"build/report/{name}")
        assert mine.read_bytes() == theirs.read_bytes()
        assert str(failing.folder.parent) not in mine.read_text()


def test_provenance_of_a_build(failing: Project) -> None:
    found = document(failing, "provenance.json")
    assert set(found["cells"]) == set(CELLS)
    gelu = found["cells"][GELU[0]]
    assert gelu["simulate_seconds"] > 0
    assert "-O2" in found["toolchains"][gelu["toolchain"]]["compile"]
    assert re.fullmatch("[0-9a-f]{64}", found["stamps"]["zig"])
    assert {"compile", "link", "simulate", "check"} <= {span[0] for span in found["timeline"]}


def test_junit_of_a_build(failing: Project) -> None:
    root = ElementTree.parse(failing.path("build/report/junit.xml")).getroot()
    assert (root.get("tests"), root.get("failures")) == (str(len(CELLS)), "2")


def test_details_of_a_build(failing: Project) -> None:
    found = document(failing, "details.json")["cells"]
    assert set(found) == set(GELU)
    maps = found[GELU[0]]["heatmaps"]
    assert [entry["case"] for entry in maps][:2] == ["random", "extremes"]
    random = maps[0]
    assert (random["rows"], random["columns"]) == (4, 6)
    assert sum(count for _, _, count, _ in random["bins"]) == 24


def test_report_word(failing: Project) -> None:
    page = failing.path("build/report/report.html")
    before = page.read_bytes()
    page.unlink()
    ended = failing.run("report", config=None)
    assert ended.status != 0
    assert "build/report/report.html" in ended.output
    assert page.read_bytes() == before


def test_page_in_a_browser(failing: Project, tmp_path: Path) -> None:
    page = failing.path("build/report/report.html")
    used = page.with_name("used.html")
    used.write_text(page.read_text().replace("</body>", f"{USE}</body>"))
    dumped, console = browse(used, tmp_path, "--dump-dom")
    assert console == []
    title = re.search("<title>(.*?)</title>", dumped)
    assert title is not None
    found = json.loads(html.unescape(title[1]))
    up, down = [int(n) for n in found["up"]], [int(n) for n in found["down"]]
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)
    assert found["sorted"] == "descending"
    assert found["filtered"] == [GELU[1]]
    assert found["said"] == f"1 of {len(CELLS)} cells"
    assert found["all"] == len(CELLS)
    assert all(width > 50 and height > 10 for width, height in found["charts"])
    wanted = ["failures", "matrix", "efficiency", "memory", "timeline", "provenance"]
    assert found["sections"] == wanted
    assert found["heat"] > 100
    assert found["wide"] <= found["window"]
    logs = [Path(link.removeprefix("file://")) for link in found["logs"]]
    assert len(logs) == len(CELLS)
    assert all(log.is_file() for log in logs)


def test_page_has_a_picture(failing: Project, tmp_path: Path) -> None:
    """A screenshot of the size asked for that is not blank."""
    picture = tmp_path / "page.png"
    browse(failing.path("build/report/report.html"), tmp_path, f"--screenshot={picture}")
    data = picture.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (1280, 2400)
    assert len(data) > 30_000
