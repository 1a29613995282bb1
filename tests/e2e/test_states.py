# SPDX-License-Identifier: Apache-2.0
"""Wrong kernels, hangs, kills: nothing is green by accident, nothing is lost or left."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import (
    CELLS,
    SHAPE,
    STM32L4,
    Ended,
    Project,
    both,
    checks,
    copy_checkout,
    kill_below,
    processes_below,
)
from states import (
    GAP9_KERNEL,
    GELU_M4,
    KILLED_WITHIN_SECONDS,
    LIMIT,
    LOOP,
    M4_KERNEL,
    M4_ROW,
    NO_LIMIT,
    NULL_BUILD_SECONDS,
    PLACES,
    SOFTMAX_GAP9,
    SOFTMAX_M4,
    all_pass,
    break_row_function,
    loop_for_ever,
    others_pass,
    wait_for,
)


@pytest.fixture
def hanging(project: Project) -> Iterator[tuple[Project, subprocess.Popen[str]]]:
    """A build that has simulated all cells anew but one, whose kernel never ends."""
    for target in ("gap9", "stm32l4"):
        # What a run depends on: every cell is simulated anew, and the limit is out of reach.
        project.replace(f"targets/{target}/target.yaml", LIMIT, NO_LIMIT)
    # Every run is checked anew, so that a new verdict tells that a run has ended.
    project.append("site_scons/touchstone/check.py", "# A comment.\n")
    loop_for_ever(project, M4_KERNEL)
    running = project.start("-j2")
    others = set(CELLS) - {SOFTMAX_M4}

    def only_one_left() -> bool:
        assert running.poll() is None, running.communicate()
        verdicts = [project.cell(cell, "verdict.json") for cell in others]
        try:
            done = all(path.stat().st_mtime > start for path in verdicts)
        except FileNotFoundError:
            return False  # SCons takes a file away before it is made again
        return done and any(project.path("build/tmp").glob("run-*/log.txt"))

    start = time.time()
    try:
        wait_for(only_one_left)
        yield project, running
    finally:
        kill_all(project, running)


def kill_all(project: Project, running: subprocess.Popen[str]) -> None:
    """Nobody is left to end what a killed SCons had started."""
    running.kill()
    running.wait()
    kill_below(project.folder)


def stop_looping(project: Project) -> None:
    project.replace(M4_KERNEL, f"    {LOOP}\n", "")


def test_null_build(project: Project) -> None:
    first = project.run()
    best = min(project.run().seconds for _ in range(3))
    assert best < NULL_BUILD_SECONDS
    again = project.run()
    assert again.built == both()
    assert again.table == first.table
    assert {row[0]: row[1] for row in again.table} == dict.fromkeys(CELLS, "PASS (cached)")
    assert f"{len(CELLS)} cells: {len(CELLS)} PASS ({len(CELLS)} cached)" in again.output


def test_cached_cells_show_the_same_numbers(cold: Ended, project: Project) -> None:
    fresh = cold.table
    cached = project.run().table
    assert {row[0]: row[1] for row in fresh} == dict.fromkeys(CELLS, "PASS")
    assert [row[2:] for row in fresh] == [row[2:] for row in cached]


def test_wrong_loop_bound(project: Project) -> None:
    break_row_function(project)
    ended = project.run()
    assert ended.status != 0
    assert ended.statuses[SOFTMAX_M4] == "FAIL"
    assert others_pass(ended, SOFTMAX_M4)
    assert ended.simulated == {SOFTMAX_M4}
    below = ended.output[ended.output.index(f"FAIL {SOFTMAX_M4}: ") :]
    assert "first at (head 0, row 0, column " in below
    assert "worst at (head " in below
    assert "errors by size in LSB" in below
    assert f"log    build/cells/{SOFTMAX_M4}/log.txt" in below
    assert project.cell(SOFTMAX_M4, "log.txt").read_text().startswith("FAIL ")
    assert f"rerun  ./scons cell={SOFTMAX_M4}" in below


def test_wrong_kernel_undone(project: Project) -> None:
    text = project.path(M4_ROW).read_text()
    break_row_function(project)
    assert project.run().status != 0
    project.path(M4_ROW).write_text(text)
    ended = project.run()
    assert "simulate" not in ended.built, "the earlier run comes from the cache"
    assert ended.built["check"] == checks(SOFTMAX_M4)["check"]
    assert all_pass(ended)
    assert project.run().built == both()


def test_wrong_run_is_known_too(project: Project) -> None:
    break_row_function(project)
    assert project.run().simulated == {SOFTMAX_M4}
    ended = project.run()
    assert "simulate" not in ended.built
    assert ended.built["check"] == checks(SOFTMAX_M4)["check"]
    assert ended.status != 0
    assert ended.statuses[SOFTMAX_M4] == "FAIL"
    assert ended.cells[SOFTMAX_M4]["cached"]


def test_rerun_command(project: Project) -> None:
    break_row_function(project)
    project.run()
    ended = project.run(f"cell={SOFTMAX_M4}", config=None)
    assert ended.statuses == {SOFTMAX_M4: "FAIL"}
    assert ended.status != 0


def test_crash(project: Project) -> None:
    place = PLACES[GAP9_KERNEL]
    fault = "    *(volatile uint32_t *)0x30000000u = 1;\n"
    project.replace(GAP9_KERNEL, place, place + fault)
    ended = project.run()
    assert ended.status != 0
    assert ended.statuses[SOFTMAX_GAP9] == "CRASH"
    assert others_pass(ended, SOFTMAX_GAP9)
    text = project.path(GAP9_KERNEL).read_text()
    line = text[: text.index(fault)].count("\n") + 1
    assert "0x30000000" in ended.cells[SOFTMAX_GAP9]["reason"]
    assert f"at ts_softmax_xpulp, kernels/softmax/xpulp.c:{line} (0x1c01" in ended.output
    again = project.run()
    assert again.simulated == {SOFTMAX_GAP9}, "a crash is tried again"


@pytest.mark.parametrize(("source", "cell"), [(M4_KERNEL, SOFTMAX_M4), (GAP9_KERNEL, SOFTMAX_GAP9)])
def test_endless_loop(project: Project, source: str, cell: str) -> None:
    text = project.path(source).read_text()
    loop_for_ever(project, source)
    for _ in range(2):
        ended = project.run()
        assert ended.seconds < 30
        assert ended.status != 0
        assert ended.statuses[cell] == "TIMEOUT"
        assert "simulated instructions" in ended.cells[cell]["reason"]
        assert ended.cells[cell]["cycles"] is None
        assert others_pass(ended, cell)
        assert ended.simulated == {cell}, "it is tried again"
        assert processes_below(project.folder) == []
    project.path(source).write_text(text)
    ended = project.run()
    assert all_pass(ended)
    assert "simulate" not in ended.built


def test_wall_limit(project: Project) -> None:
    """The second limit, where the simulated instructions do not end it."""
    manifest = "targets/stm32l4/target.yaml"
    project.replace(manifest, LIMIT, NO_LIMIT)
    project.replace(manifest, "wall_seconds: 120", "wall_seconds: 2")
    loop_for_ever(project, M4_KERNEL)
    ended = project.run()
    assert ended.statuses[SOFTMAX_M4] == "TIMEOUT"
    assert ended.cells[SOFTMAX_M4]["reason"] == "wall limit of 2 s reached"
    assert others_pass(ended, SOFTMAX_M4)
    assert processes_below(project.folder) == []


def test_syntax_error(project: Project) -> None:
    project.append(M4_KERNEL, "this is not C\n")
    ended = project.run()
    assert ended.status != 0
    assert ended.statuses[SOFTMAX_M4] == "BUILD_ERROR"
    assert f"{M4_KERNEL}:" in ended.cells[SOFTMAX_M4]["reason"]
    assert "error:" in ended.cells[SOFTMAX_M4]["reason"]
    assert others_pass(ended, SOFTMAX_M4)
    assert f"rerun  ./scons cell={SOFTMAX_M4}" in ended.output
    assert project.path("build/report/exit_status").read_text() == "1"


def test_broken_golden_model(project: Project) -> None:
    project.append("golden/gelu.py", "raise ValueError('no model')\n")
    ended = project.run()
    broken = (f"gap9/gelu/{SHAPE}/c8", GELU_M4)
    assert ended.status != 0
    assert {name: ended.statuses[name] for name in broken} == dict.fromkeys(broken, "BUILD_ERROR")
    assert "no model" in ended.cells[GELU_M4]["reason"]
    assert others_pass(ended, *broken)


def test_broken_simulator(project: Project) -> None:
    project.append("site_scons/touchstone/simulators/cortexm/main.c", "this is not C\n")
    ended = project.run()
    assert ended.status != 0
    assert {name: ended.statuses[name] for name in STM32L4} == dict.fromkeys(STM32L4, "BUILD_ERROR")
    assert others_pass(ended, *STM32L4)


def test_kill_loses_no_simulation(hanging: tuple[Project, subprocess.Popen[str]]) -> None:
    """SCons writes what it knows at its end only: the finished runs must come from the cache."""
    project, running = hanging
    kill_all(project, running)
    stop_looping(project)
    ended = project.run()
    assert ended.simulated == {SOFTMAX_M4}
    assert all_pass(ended)
    assert project.run().built == both()


def test_interrupt(hanging: tuple[Project, subprocess.Popen[str]]) -> None:
    project, running = hanging
    start = time.monotonic()
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=30)
    assert time.monotonic() - start < KILLED_WITHIN_SECONDS
    assert running.returncode != 0
    assert processes_below(project.folder) == []
    rows = json.loads(project.path("build/report/results.json").read_text())["cells"]
    statuses = {row["id"]: row["status"] for row in rows}
    assert statuses.pop(SOFTMAX_M4) != "PASS"
    assert set(statuses.values()) == {"PASS"}, output
    assert "interrupted" in output
    stop_looping(project)
    ended = project.run()
    assert ended.simulated == {SOFTMAX_M4}
    assert all_pass(ended)


def test_two_commands_at_once(hanging: tuple[Project, subprocess.Popen[str]]) -> None:
    """The second is refused and told by whom; when the first is killed, the lock is free."""
    project, running = hanging
    before = project.snapshot()
    second = project.run()
    assert second.status == 2
    assert second.error == (
        f"touchstone: build: found in use by process {running.pid}, allowed one at a time\n"
    )
    assert project.snapshot() == before
    assert project.run("list").status == 0
    assert project.run("--help").status == 0
    kill_all(project, running)
    stop_looping(project)
    assert all_pass(project.run())


@pytest.mark.parametrize("own_compiler", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_two_checkouts(template: Project, cold: Ended, tmp_path: Path, own_compiler: bool) -> None:
    """Another path, with spaces and letters beyond ASCII, and nothing that was built before; with
    `own_compiler`, not even the compiler's own libraries."""
    other = copy_checkout(tmp_path / "zweites Verzeichnis, größer, 第二")
    if own_compiler:
        other.path("build/zig").unlink()
    ended = other.run()
    assert all_pass(ended), ended.output + ended.error
    names = [
        path.relative_to(template.folder)
        for pattern in ("firmware/*/*/*/firmware.load", "cells/**/cell.run", "simulators/*")
        for path in template.path("build").glob(pattern)
    ]
    assert len(names) == 7 + 7 + 2
    for name in names:
        assert (other.folder / name).read_bytes() == template.path(str(name)).read_bytes(), name
    assert ended.document == cold.document
    results = "build/report/results.json"
    assert other.path(results).read_bytes() == template.path(results).read_bytes()


def test_cache_serves_another_checkout(template: Project, tmp_path: Path) -> None:
    other = copy_checkout(tmp_path / "other")
    shutil.copytree(template.path("build/cache"), other.path("build/cache"))
    ended = other.run()
    assert all_pass(ended)
    assert ended.built == both(checks(*CELLS)), "everything else comes from the cache"


def test_clean(project: Project) -> None:
    ended = project.run("-c")
    assert ended.status == 0
    assert list(project.path("build/cells").rglob("*.run")) == []
    assert list(project.path("build/firmware").rglob("*.elf")) == []
    ended = project.run()
    assert all_pass(ended)
    assert "simulate" not in ended.built, "the cache is not cleaned"


def test_jobs_do_not_change_results(project: Project) -> None:
    words = ("cflags=-fno-inline", "kernel=gelu,softmax")
    serial = project.run("-j1", *words)
    shutil.rmtree(project.path("build/cells"))
    shutil.rmtree(project.path("build/cache"))
    parallel = project.run("-j4", *words)
    assert len(parallel.simulated) == len(serial.cells) == 4
    for cell, row in serial.cells.items():
        assert {**parallel.cells[cell], "delta_cycles": None} == row


def test_skip_that_nobody_expects(project: Project) -> None:
    project.append(
        "tiny.yaml",
        "  - {name: big, targets: gap9, kernels: gelu, shapes: [{S: 4096, E: 64, P: 1, H: 1}]}\n",
    )
    cell = "gap9/gelu/S4096-E64-P1-H1/c8"
    ended = project.run()
    assert ended.statuses[cell] == "SKIP"
    assert ended.status != 0
    assert project.path("build/report/exit_status").read_text() == "1"
    assert "not in configs/expected_skips.yaml" in ended.output
    project.append("configs/expected_skips.yaml", f"  - {{cell: {cell}, reason: too big}}\n")
    ended = project.run()
    assert ended.statuses[cell] == "SKIP"
    assert ended.cells[cell]["cycles"] is None
    assert "does not fit" in ended.cells[cell]["reason"]
    assert ended.status == 0


def test_only_skips_is_not_success(project: Project) -> None:
    skipped = "gap9/attention_scores/S128-E64-P64-H8/c8"
    ended = project.run(f"cell={skipped}", config=None)
    assert ended.statuses == {skipped: "SKIP"}
    assert skipped in project.path("configs/expected_skips.yaml").read_text()
    assert ended.status != 0
    assert "nothing ran" in ended.output


@pytest.mark.parametrize(
    ("module", "function"), [("table", "render_summary"), ("locate", "locate_faults")]
)
def test_exception_in_the_report(project: Project, module: str, function: str) -> None:
    project.append(f"site_scons/touchstone/{module}.py", f"\n\ndel {function}\n")
    ended = project.run()
    assert ended.status != 0
    assert "Traceback" in ended.error


def test_run_id_is_that_of_firmware_and_job(project: Project) -> None:
    """A stale firmware cannot pass for the one that was asked for."""
    words = ("target=gap9", "kernel=linear_qk")
    ids = set()
    for extra in ((), ("cflags=-fno-inline",), ("seed=7",), ("cores=3",)):
        (cell,) = project.run(*words, *extra).cells
        ids.add(json.loads(project.cell(cell, "verdict.json").read_text())["run_id"])
    assert len(ids) == 4
