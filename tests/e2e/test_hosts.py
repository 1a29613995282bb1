# SPDX-License-Identifier: Apache-2.0
"""Hosts on their worst day: a full disk, a tree that nobody may write, clocks that jump, another
Python on the same cache."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import CELLS, CONFIG, Ended, Project, both, checks, environment_of, scons_command
from states import GELU_M4, all_pass, others_pass

FILE_BYTES = 60_000
PYTHONS = ("3.10", "3.12", "3.13", "3.14", "3.11")
SMALL_DISK = "12m"


def said_plainly(ended: Ended) -> None:
    """It failed, says why, and no cell counts as good that did not run."""
    assert ended.status != 0, ended.output + ended.error
    statuses = set(ended.statuses.values())
    assert statuses <= {"PASS", "BUILD_ERROR", "CRASH", "NO_OUTPUT", "NOT_RUN"}, statuses


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)]
    mounted = subprocess.run(words, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small tmpfs: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="not installed: mount")
def test_full_disk(project: Project) -> None:
    """The cells' folder fills up in the middle of a build; with room again, all is made good."""
    whole = {cell: project.cell(cell, "cell.run").read_bytes() for cell in CELLS}
    shutil.rmtree(project.path("build/cells"))
    shutil.rmtree(project.path("build/cache"))
    with small_disk(project.path("build/cells")):
        room = shutil.disk_usage(project.path("build/cells")).free
        # Less than a page for each file that is to come.
        project.path("build/cells/ballast").write_bytes(bytes(room - 12_000))
        said_plainly(project.run())
        runs = list(project.path("build/cells").rglob("cell.run"))
        assert len(runs) < len(CELLS)
        for path in runs:
            cell = path.parent.relative_to(project.path("build/cells")).as_posix()
            assert path.read_bytes() == whole[cell], "a file is whole or not there"
        project.path("build/cells/ballast").unlink()
        assert all_pass(project.run())
    ended = project.run()
    assert all_pass(ended)
    assert "simulate" not in ended.built, "the cache has them, whole"


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("mount") is None, reason="not installed: mount")
def test_full_cache(project: Project, tmp_path: Path) -> None:
    """A cache that takes nothing more costs time, never a result."""
    cache = tmp_path / "cache"
    with small_disk(cache):
        ended = project.run("seed=5", f"cache={cache}")
        assert set(ended.statuses.values()) == {"PASS"}, ended.output + ended.error
        room = shutil.disk_usage(cache).free
        (cache / "ballast").write_bytes(bytes(room))
        ended = project.run("seed=6", f"cache={cache}")
        assert set(ended.statuses.values()) == {"PASS"}, ended.output + ended.error
        assert ended.status == 0
        shutil.rmtree(project.path("build/cells"))
        ended = project.run("seed=6", f"cache={cache}")
        assert set(ended.statuses.values()) == {"PASS"}, ended.output + ended.error


def test_files_that_cannot_grow(project: Project) -> None:
    """Where no disk can be mounted: no file may be longer than the firmware needs."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))

    ended = subprocess.run(
        scons_command(f"config={CONFIG}", "cflags=-fno-inline", "target=stm32l4"),
        cwd=project.folder,
        env=environment_of({}),
        capture_output=True,
        text=True,
        preexec_fn=limit,
        timeout=120,
    )
    assert ended.returncode != 0, ended.stdout + ended.stderr
    ended_well = project.run("cflags=-fno-inline", "target=stm32l4")
    assert ended_well.status == 0, ended_well.output + ended_well.error
    assert set(ended_well.statuses.values()) == {"PASS"}


@pytest.fixture
def read_only(project: Project) -> Iterator[Project]:
    """The built project, which nobody may write: by permission, for root by a read-only mount."""
    if os.geteuid() != 0:
        paths = [project.folder, *(p for p in project.folder.rglob("*") if not p.is_symlink())]
        modes = {path: path.stat().st_mode for path in paths}
        for path, mode in modes.items():
            path.chmod(mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
        yield project
        for path, mode in reversed(modes.items()):
            path.chmod(mode)
        return
    place = str(project.folder)
    steps = [["mount", "--bind", place, place], ["mount", "-o", "remount,bind,ro", place]]
    for words in steps:
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"cannot mount a tree read-only: {done.stderr.strip()}")
    try:
        yield project
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_read_only_tree(read_only: Project) -> None:
    """One line, status 2; what builds nothing works."""
    ended = subprocess.run(
        scons_command(f"config={CONFIG}"),
        cwd=read_only.folder,
        env=environment_of({"PYTHONDONTWRITEBYTECODE": "1"}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert ended.stderr.startswith("touchstone: build"), ended.stderr
    listed = subprocess.run(
        scons_command(f"config={CONFIG}", "list"),
        cwd=read_only.folder,
        env=environment_of({}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert listed.returncode == 0, listed.stderr
    assert all(cell in listed.stdout for cell in CELLS)


@pytest.mark.parametrize("years", [-30, pytest.param(30, marks=pytest.mark.nightly)])
def test_clock_that_jumps(project: Project, years: int) -> None:
    """Every file is of another decade, and an edit is older than what was made from it."""
    moment = time.time() + years * 365.25 * 86400
    for path in project.folder.rglob("*"):
        if path.is_file() and not path.is_relative_to(project.path("build/zig")):
            os.utime(path, (moment, moment))
    ended = project.run()
    assert all_pass(ended)
    assert ended.built == both(), "times decide nothing"
    source = project.path("kernels/gelu/portable.c")
    text = source.read_text()
    place = "    (void)scratch;\n"
    source.write_text(text.replace(place, f"{place}    return;\n"))
    os.utime(source, (moment - 86400, moment - 86400))
    ended = project.run()
    assert ended.status != 0
    assert ended.statuses[GELU_M4] == "FAIL"
    source.write_text(text)
    os.utime(source, (moment - 2 * 86400, moment - 2 * 86400))
    ended = project.run()
    assert all_pass(ended)
    assert others_pass(ended)


def other_python() -> str | None:
    """An interpreter of another minor version that has, or may use, all that a build needs."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    places = [*Path.home().glob(".pyenv/versions/*/bin"), Path("/usr/bin"), Path("/usr/local/bin")]
    for version in PYTHONS:
        for place in places:
            program = place / f"python{version}"
            if version == here or not program.exists():
                continue
            found = subprocess.run(
                [program, "-c", "import venv, ensurepip"], capture_output=True, text=True
            )
            if found.returncode == 0:
                return str(program)
    return None


@pytest.mark.nightly
def test_another_python_on_the_same_cache(project: Project, tmp_path: Path) -> None:
    """It gives the same bytes, and takes what does not depend on Python from the cache."""
    program = other_python()
    if program is None:
        pytest.skip("not installed: a Python of another minor version with venv")
    environment = tmp_path / "env"
    subprocess.run([program, "-m", "venv", environment], check=True, capture_output=True)
    install = [environment / "bin" / "python", "-m", "pip", "install", "-q", "--require-hashes"]
    done = subprocess.run(
        [*install, "-r", project.path("requirements.lock")], capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"no packages for {program}: {done.stderr.strip().splitlines()[-1]}")
    whole = {cell: project.cell(cell, "cell.run").read_bytes() for cell in CELLS}
    words = scons_command(f"config={CONFIG}")[1:]
    for path in ("build/cells", "build/vectors"):
        shutil.rmtree(project.path(path))
    ended = subprocess.run(
        [environment / "bin" / "python", *words],
        cwd=project.folder,
        env=environment_of({}),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {cell: project.cell(cell, "cell.run").read_bytes() for cell in CELLS} == whole
    # Back again: both have their entries, and neither took the other's for its own.
    shutil.rmtree(project.path("build/cells"))
    ended_here = project.run()
    assert all_pass(ended_here), ended_here.output + ended_here.error
    assert ended_here.built["check"] == checks(*CELLS)["check"]
    assert {cell: project.cell(cell, "cell.run").read_bytes() for cell in CELLS} == whole
