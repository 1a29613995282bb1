# SPDX-License-Identifier: Apache-2.0
"""bench=, trend, compare=, watch=1, and what a developer waits for, on the tiny project."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project import CELLS, Project, both, environment_of
from states import GELU_M4, all_pass

GELU = "kernels/gelu/portable.c"
SLOWER = '    for (int i = 0; i < 50; i++)\n        __asm__ volatile("nop");\n'
BASELINE = "configs/baselines/stm32l4.json"


def test_baselines(project: Project) -> None:
    for target in ("gap9", "stm32l4"):
        project.path(f"configs/baselines/{target}.json").unlink(missing_ok=True)
    ended = project.run("bench=check")
    assert ended.status != 0
    assert f"FAILURE bench: no baseline of {CELLS[0]} (+6 more)" in ended.output
    assert project.run("bench=accept").error.startswith(
        "touchstone: bench=accept: found no reason="
    )
    accepted = project.run("bench=accept", "reason=first")
    assert all_pass(accepted)
    assert (
        "bench: wrote configs/baselines/gap9.json, configs/baselines/stm32l4.json"
        in accepted.output
    )
    kept = project.path(BASELINE).read_bytes()
    ended = project.run("bench=check")
    assert ended.status == 0
    assert ended.built == both(), "a gate on figures rebuilds nothing"
    place = "    (void)scratch;\n"
    project.replace(GELU, place, place + SLOWER)
    ended = project.run()
    assert all_pass(ended), "without bench= slower is not wrong"
    slower = ended.cells[GELU_M4]
    assert slower["cycles"] - slower["baseline_cycles"] == slower["delta_cycles"] > 0
    ended = project.run("bench=check")
    assert ended.status != 0
    assert set(ended.statuses.values()) == {"PASS"}
    assert f"FAILURE bench: {GELU_M4}: cycles {slower['baseline_cycles']} -> " in ended.output
    assert (
        project.run(
            "bench=check",
            "thresholds=cycles:900,cycles_cold:900,instructions:900,code_bytes:900,stack_bytes:900",
        ).status
        == 0
    )
    assert project.path(BASELINE).read_bytes() == kept
    project.replace(GELU, SLOWER, "")
    assert project.run("bench=check").status == 0


def test_variants_side_by_side(project: Project) -> None:
    ended = project.run("compare=xpulp,portable", "kernel=softmax", "target=gap9")
    assert ended.status == 0
    assert len(ended.cells) == 2
    assert re.search(
        r"^cell +xpulp cycles +portable cycles +portable/xpulp +faster", ended.output, re.M
    )
    assert "compare=xpulp: found" in project.run("compare=xpulp").error
    assert "did you mean portable" in project.run("compare=xpulp,portabel").error


@pytest.fixture
def watching(
    project: Project,
) -> Iterator[tuple[Project, Callable[[], str], subprocess.Popen[str]]]:
    """The project under watch=1; a function that waits for the end of a round, with its output."""
    package = str(project.path("site_scons"))
    words = [sys.executable, "-m", "touchstone.start", "-Q", "config=tiny.yaml", "watch=1"]
    # Tests in the background have interrupts ignored, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(
        words,
        cwd=project.folder,
        env=environment_of({"PYTHONPATH": package}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    signal.signal(signal.SIGINT, before)

    def round_of() -> str:
        text = ""
        assert running.stdout is not None
        for line in running.stdout:
            text += line
            if "Ctrl-C ends it" in line:
                return text
        raise AssertionError(f"it ended: {text}")

    yield project, round_of, running
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert running.stdout is not None
    running.stdout.close()


def test_watch(watching: tuple[Project, Callable[[], str], subprocess.Popen[str]]) -> None:
    project, round_of, running = watching
    assert "7 cells: 7 PASS (7 cached)" in round_of()
    place = "    (void)scratch;\n"
    project.replace(GELU, place, place + SLOWER)
    text = round_of()
    assert text.startswith(f"watch: {GELU} changed\n")
    assert "7 cells: 7 PASS (5 cached)" in text
    project.prepend(GELU, "no C\n")
    assert "BUILD_ERROR" in round_of()
    project.replace(GELU, "no C\n", "")
    assert "7 cells: 7 PASS (7 cached)" in round_of()
    # A change of the build's own Python is used from the next round on.
    project.replace(
        "site_scons/touchstone/table.py", '    text = f"{counts[', '    text = "NEW " + f"{counts['
    )
    assert "NEW 7 cells: 7 PASS (7 cached)" in round_of()
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(30) == 0


def test_watch_wants_the_wrapper(project: Project) -> None:
    ended = project.run("watch=1")
    assert (ended.status, ended.error) == (2, "touchstone: watch: allowed with ./scons only\n")


@pytest.mark.nightly
def test_what_a_developer_waits_for(project: Project) -> None:
    """The benchmark's own way of measuring, on a few cells; its goals are for an idle machine."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
    import bench_build

    (project.path("build/env")).symlink_to(bench_build.ROOT / "build" / "env")
    cold, null = bench_build.null_builds(project, 24, runs=1)
    assert "(cached)" not in cold.output
    assert null.megabytes < bench_build.GOAL_MEGABYTES
    assert null.processor < 2 * bench_build.GOAL_SECONDS
