# SPDX-License-Identifier: Apache-2.0
"""`profile=1` and `trace=1` look at cells without making anything anew."""

from __future__ import annotations

import json

from project import GAP9, STM32L4, Project

ATTENTION = GAP9[3]
SOFTMAX = STM32L4[2]


def test_profile_and_trace_of_known_cells(project: Project) -> None:
    words = ("kernel=softmax,attention_scores", "profile=1", "trace=1")
    before = {cell: project.path(f"build/cells/{cell}/cell.run").read_bytes() for cell in GAP9}
    ended = project.run(*words)
    assert ended.status == 0, ended.output + ended.error
    assert ended.built.keys() <= {"gate"}
    assert before == {c: project.path(f"build/cells/{c}/cell.run").read_bytes() for c in GAP9}
    for cell in (ATTENTION, SOFTMAX):
        folder = project.path(f"build/cells/{cell}")
        assert f"profile in build/cells/{cell}/profile/" in ended.output
        document = json.loads((folder / "profile/profile.json").read_text())
        row = ended.cells[cell]
        assert document["cores"][0]["cycles"] == document["cycles"] == row["cycles"]
        assert document["total"]["instructions"] == row["instructions"]
        assert any(line["line"].startswith("kernels/") for line in document["lines"])
        assert (folder / "profile/profile.md").read_text().startswith(f"# Profile of {cell} on ")
        assert "core 0;" in (folder / "profile/folded.txt").read_text()
        assert len((folder / "profile/listing.txt").read_text().splitlines()) > 50
        trace = (folder / "trace.txt").read_text().splitlines()
        assert f"all {row['instructions']} instructions" in trace[0]
        assert len(trace) == 3 + row["instructions"]
    again = {
        name: project.path(f"build/cells/{ATTENTION}/{name}").read_bytes()
        for name in (
            "profile/profile.json",
            "profile/profile.md",
            "profile/folded.txt",
            "trace.txt",
        )
    }
    project.run(*words)
    for name, data in again.items():
        assert project.path(f"build/cells/{ATTENTION}/{name}").read_bytes() == data


def test_too_many_cells_to_profile(project: Project) -> None:
    ended = project.run("profile=1", config="configs/default.yaml")
    assert ended.status == 2
    assert "profile=1: found " in ended.error
    assert "allowed up to 20" in ended.error
