# SPDX-License-Identifier: Apache-2.0
"""Simulators that lie, hang, eat and die: each a failure of its cell, never green, never kept.

gelu_board.py is the simulator; its faults come by the environment, of which no cell depends, so a
command without them shows what was kept of one with them.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Project, both, processes_below

BOARD = Path(__file__).with_name("gelu_board.py")
# What each fault ends as; a job of S rows has the S-th.
FAULTS = {
    "garbage": ("NO_OUTPUT", ""),
    "truncated": ("NO_OUTPUT", "cut short"),
    "half": ("NO_OUTPUT", ""),
    "stale": ("NO_OUTPUT", "stale result: run id "),
    "silent": ("NO_OUTPUT", "the command ended without a record"),
    "flipped": ("NO_OUTPUT", "damaged, its CRC does not fit"),
    "twice": ("NO_OUTPUT", "after the last record"),
    "status": ("CRASH", "the command ended with status 9"),
    "forks": ("TIMEOUT", "wall limit of 4 s reached"),
    "memory": ("CRASH", "the command ended with status 1"),
    "floods": ("CRASH", "the command ended with status "),
    "killed": ("CRASH", "the command ended with status -9"),
    "wrong": ("FAIL", "1 of 78 wrong"),
    "orphan": ("PASS", ""),
}
if not hasattr(resource, "prlimit"):
    del FAULTS["memory"]  # a host that cannot bound it
ROWS = range(1, len(FAULTS) + 1)
NEVER_KEPT = [name for name, (status, _) in FAULTS.items() if status not in ("PASS", "FAIL")]


@pytest.fixture
def board(project: Project) -> Callable[..., list[str]]:
    """The words that run cells of gelu with E=6 on the board."""
    program = project.path("board")
    program.write_text(f"#!{sys.executable} -SE\n{BOARD.read_text()}")
    program.chmod(0o755)
    project.replace("targets/stm32l4/target.yaml", "wall_seconds: 120", "wall_seconds: 4")

    def words(*rows: int) -> list[str]:
        sizes = ",".join(map(str, rows))
        selected = ["target=stm32l4", "kernel=gelu", f"S={sizes}", "E=6"]
        return ["sim=command", f"command={program} {{elf}}", *selected]

    return words


def test_every_way_to_fail(project: Project, board: Callable[..., list[str]]) -> None:
    words = board(*ROWS)
    ended = project.run(*words, "retries=0", FAULTS=",".join(FAULTS))
    assert ended.status != 0
    rows = dict(zip(FAULTS, ended.cells.values(), strict=True))
    for name, (status, reason) in FAULTS.items():
        assert rows[name]["status"] == status, (name, rows[name])
        assert reason in (rows[name]["reason"] or ""), (name, rows[name])
    assert processes_below(project.folder) == []
    assert list(project.path("build/tmp").iterdir()) == []
    # Nothing of it is kept but what completed: the rest is simulated again, and passes.
    ended = project.run(*words)
    names = dict(zip(FAULTS, ended.cells, strict=True))
    assert ended.simulated == {names[name] for name in NEVER_KEPT}
    assert {row["id"] for row in ended.cells.values() if row["status"] != "PASS"} == {
        names["wrong"]
    }, "a completed run is kept, right or wrong"
    assert ended.cells[names["wrong"]]["status"] == "FAIL"
    again = project.run(*words)
    assert "simulate" not in again.built
    assert again.statuses == ended.statuses


def test_a_simulator_that_is_killed_is_tried_again(
    project: Project, board: Callable[..., list[str]], tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    ended = project.run(*board(4), FAULTS="killed_once", FAULT_NOTES=str(notes))
    assert ended.status == 0, ended.output + ended.error
    (row,) = ended.cells.values()
    assert (row["status"], row["retries"]) == ("PASS", ["the command ended with status -9"])
    assert len(list(notes.iterdir())) == 1


def test_a_simulator_that_is_replaced(project: Project, board: Callable[..., list[str]]) -> None:
    """Between two builds: what ran on the old one is simulated anew, right or wrong."""
    words = board(4, 5)
    assert project.run(*words).status == 0
    assert project.run(*words).built == both()
    program = project.path("board")
    text, status = program.read_text(), program.stat()
    program.write_text(text.replace("bytes([data[0] ^ 1])", "bytes([data[0] ^ 2])"))
    # As an installer does that keeps times and sizes.
    os.utime(program, ns=(status.st_atime_ns, status.st_mtime_ns))
    ended = project.run(*words, FAULTS="wrong")
    assert len(ended.simulated) == 2
    assert set(ended.statuses.values()) == {"FAIL"}
    program.write_text(text)
    ended = project.run(*words)
    assert "simulate" not in ended.built, "the runs of the first one are kept"
    assert set(ended.statuses.values()) == {"PASS"}
