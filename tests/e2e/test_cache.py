# SPDX-License-Identifier: Apache-2.0
"""The cache: shared, read-only, bounded, switched off; what must never be in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from project import CELLS, Project, both, checks, copy_checkout
from states import (
    GAP9_KERNEL,
    GELU_M4,
    LIMIT,
    SOFTMAX_GAP9,
    SOFTMAX_M4,
    all_pass,
    break_row_function,
    loop_for_ever,
)

from touchstone.runfile import MAGIC, read_status
from touchstone.simulators.base import RunStatus

GELUS = tuple(cell for cell in CELLS if "/gelu/" in cell)


def entries(cache: Path) -> list[Path]:
    return sorted(cache.glob("??/*"))


def test_one_cache_for_two_checkouts(tmp_path: Path) -> None:
    cache = tmp_path / "shared by all"
    first, second = copy_checkout(tmp_path / "first"), copy_checkout(tmp_path / "second")
    words = (f"cache={cache}", "kernel=gelu")
    assert first.run(*words).statuses == dict.fromkeys(GELUS, "PASS")
    assert not first.path("build/cache").exists()
    ended = second.run(*words)
    assert ended.statuses == dict.fromkeys(GELUS, "PASS")
    assert ended.built == both(checks(*GELUS)), "everything else comes from the cache"


def test_a_read_only_cache_gives_and_takes_nothing(project: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(project.path("build/cache"), cache)
    damaged = entries(cache)[0]
    damaged.write_bytes(b"damaged")
    before = {path: path.read_bytes() for path in entries(cache)}
    shutil.rmtree(project.path("build/cells"))
    words = (f"cache={cache}", "cache_mode=read-only")
    ended = project.run(*words)
    assert all_pass(ended)
    assert "simulate" not in ended.built or ended.simulated < set(CELLS)
    break_row_function(project)
    assert project.run(*words).statuses[SOFTMAX_M4] == "FAIL"
    assert {path: path.read_bytes() for path in entries(cache)} == before


def test_a_damaged_entry_is_said(project: Project) -> None:
    (run,) = (
        path
        for path in entries(project.path("build/cache"))
        if path.read_bytes()[:-32] == project.cell(GELU_M4, "cell.run").read_bytes()
    )
    run.write_bytes(run.read_bytes()[:-1])
    project.cell(GELU_M4, "cell.run").unlink()
    ended = project.run()
    assert ended.simulated == {GELU_M4}
    assert f"cache: entry {run.name} is damaged and counts as missing" in ended.output
    project.cell(GELU_M4, "cell.run").unlink()
    ended = project.run()
    assert "simulate" not in ended.built, "it has been replaced"
    assert "damaged" not in ended.output


def test_only_completed_runs_are_kept(project: Project) -> None:
    """A wrong output is a completed run; a hang and a crash are not, and no verdict ever is."""
    shutil.rmtree(project.path("build/cache"))
    loop_for_ever(project, GAP9_KERNEL)
    project.replace("targets/gap9/target.yaml", LIMIT, "base_instructions: 2000000")
    break_row_function(project)
    gelu = "kernels/gelu/portable.c"
    text = project.path(gelu).read_text()
    fault = "    *(volatile uint32_t *)0x30000000u = 1;\n"
    project.path(gelu).write_text(
        text.replace("    (void)scratch;\n", fault + "    (void)scratch;\n")
    )
    ended = project.run()
    assert ended.statuses[SOFTMAX_GAP9] == "TIMEOUT"
    assert ended.statuses[SOFTMAX_M4] == "FAIL"
    assert ended.statuses[GELU_M4] == "CRASH"
    payloads = [path.read_bytes() for path in entries(project.path("build/cache"))]
    runs = [
        path for path in entries(project.path("build/cache")) if path.read_bytes().startswith(MAGIC)
    ]
    completed = [name for name in ended.simulated if ended.statuses[name] in ("PASS", "FAIL")]
    assert len(runs) == len(completed) >= 3
    assert {read_status(path) for path in runs} == {RunStatus.COMPLETED}
    assert not [data for data in payloads if b'"status"' in data and not data.startswith(MAGIC)]


def test_the_cache_is_kept_within_its_size(project: Project) -> None:
    cache = project.path("build/cache")
    (cache / "AA").mkdir(exist_ok=True)
    big = cache / "AA" / "big"
    big.write_bytes(bytes(3 << 20))
    assert "pruned" not in project.run("cache_size=1").output, "nothing was built"
    break_row_function(project)
    ended = project.run("cache_size=3")
    assert "cache: pruned" in ended.output
    assert sum(path.stat().st_size for path in entries(cache)) <= 3 << 20


def test_without_a_cache(project: Project) -> None:
    shutil.rmtree(project.path("build/cache"))
    project.cell(GELU_M4, "cell.run").unlink()
    ended = project.run("cache_mode=off")
    assert all_pass(ended)
    assert ended.simulated == {GELU_M4}
    assert not project.path("build/cache").exists()
