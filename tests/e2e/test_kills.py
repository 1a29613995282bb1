# SPDX-License-Identifier: Apache-2.0
"""Interrupted, terminated and killed at random moments: the next command gives the same results
and simulates nothing again that was finished. The seeds are printed; TOUCHSTONE_FUZZ_SEED has
others."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from project import CELLS, Ended, Project, kill_below, processes_below
from states import KILLED_WITHIN_SECONDS, wait_for

from touchstone.runfile import MAGIC

SEED = int(os.environ.get("TOUCHSTONE_FUZZ_SEED", "1"))
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
# Cells that the project has not built: their vectors are made and their runs simulated ...
OTHERS = ("seed=7",)
# ... or everything is compiled for them, too.
OTHER_OBJECTS = ("seed=7", "cflags=-fno-inline")
ROUNDS = [
    pytest.param(range(6), id="some"),
    pytest.param(range(100, 150), marks=pytest.mark.nightly, id="many"),
]


@dataclass(frozen=True)
class Whole:
    """What a command makes of the project if nobody disturbs it."""

    words: tuple[str, ...]
    ended: Ended
    runs: dict[str, bytes]


def runs_of(project: Project) -> dict[str, bytes]:
    folder = project.path("build/cells")
    return {
        path.parent.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("cell.run")
    }


def restore(project: Project, kept: Path) -> None:
    """The built project as it was: what the killed command and the one after it made is gone."""
    for path in project.path("build").iterdir():
        if path.name != "zig":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(kept, project.path("build"), dirs_exist_ok=True)


@pytest.fixture
def kept(project: Project, tmp_path: Path) -> Iterator[Path]:
    """The project's build folder to go back to."""
    copy = tmp_path / "kept"
    shutil.copytree(project.path("build"), copy, ignore=shutil.ignore_patterns("zig"))
    yield copy


def finished(project: Project, before: dict[str, bytes]) -> set[str]:
    """The cells whose new runs the cache has, whole: what a kill may not lose."""
    payloads = {
        path.read_bytes()[:-32]
        for path in project.path("build/cache").glob("??/*")
        if path.read_bytes().startswith(MAGIC)
    }
    return {cell for cell, run in before.items() if run in payloads}


def strays(project: Project) -> list[str]:
    """Files under temporary names, and folders of runs."""
    names = [
        path.relative_to(project.folder).as_posix()
        for path in project.path("build").rglob(".*.????????")
        if path.is_file()
    ]
    folders = [*project.path("build/tmp").glob("*"), *project.path("build/cache").glob("??/tmp*")]
    return sorted([*names, *(path.name for path in folders)])


def disturb(project: Project, whole: Whole, draw: random.Random, number: signal.Signals) -> str:
    """Send the signal at a moment drawn from the time that the command takes; what was seen."""
    moment = draw.random() * whole.ended.seconds * 1.1
    running = project.start("-j2", *whole.words)
    try:
        time.sleep(moment)
        sent = time.monotonic()
        running.send_signal(number)
        output, _ = running.communicate(timeout=60)
        took = time.monotonic() - sent
        if number is not signal.SIGKILL:
            assert processes_below(project.folder) == [], output
            assert took < KILLED_WITHIN_SECONDS, output
            assert running.returncode != 0 or "7 PASS" in output
    finally:
        running.kill()
        running.wait()
    # Of a killed command the simulators end by themselves; compilers may take a moment.
    wait_for(lambda: processes_below(project.folder) == [], 60)
    return f"{number.name} after {moment:.3f} s"


@pytest.mark.parametrize("rounds", ROUNDS)
def test_any_moment(project: Project, kept: Path, rounds: range) -> None:
    wholes = []
    for words in (OTHERS, OTHER_OBJECTS):
        restore(project, kept)
        ended = project.run("-j2", *words)
        assert ended.status == 0, ended.output + ended.error
        wholes.append(Whole(words, ended, runs_of(project)))
    tried = 0
    for index in rounds:
        draw = random.Random(1000 * SEED + index)
        # One in six compiles, too: that takes longest.
        whole = wholes[index % 6 == 5]
        restore(project, kept)
        said = disturb(project, whole, draw, SIGNALS[index % len(SIGNALS)])
        names = set(whole.ended.cells)
        done = finished(project, {name: whole.runs[name] for name in names})
        print(f"seed {1000 * SEED + index}: {said}, {len(done)} of {len(CELLS)} finished")
        ended = project.run(*whole.words)
        assert ended.status == 0, ended.output + ended.error
        assert set(ended.statuses.values()) == {"PASS"}
        assert ended.simulated.isdisjoint(done), "a finished run was lost"
        again = runs_of(project)
        assert {name: again[name] for name in names} == {name: whole.runs[name] for name in names}
        assert {row["cycles"] for row in ended.cells.values()} == {
            row["cycles"] for row in whole.ended.cells.values()
        }
        assert strays(project) == []
        tried += 1
    assert tried == len(rounds)
    assert kill_below(project.folder) == []
