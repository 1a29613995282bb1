# SPDX-License-Identifier: Apache-2.0
"""What all tests share: one compiler's cache, and one small project that is built once.

A compiler that finds its own libraries unbuilt takes seconds for them, for each target; so the
tests of all workers, and the projects that they make, use this checkout's own cache.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.project import CELLS, ROOT, Ended, Project, copy_checkout

Once = Callable[[str, Callable[[Path], object]], Path]
COMPILER_CACHE = ROOT / "build/zig"


def pytest_configure(config: pytest.Config) -> None:
    """For commands that tests run by themselves; workers inherit it."""
    os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(COMPILER_CACHE))
    cache = os.environ.setdefault("ZIG_LOCAL_CACHE_DIR", os.environ["ZIG_GLOBAL_CACHE_DIR"])
    Path(cache).mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """`once(name, make)` is a folder that `make(folder)` has filled, once for all workers; nobody
    changes it then."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = place / "once" / name, place / "once" / f"{name}.done"
        folder.parent.mkdir(exist_ok=True)
        with folder.with_name(f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def built_once(once: Once) -> tuple[Project, Ended]:
    """The tiny project and the command that built it."""

    def make(folder: Path) -> None:
        project = copy_checkout(folder / "project")
        (folder / "ended.pickle").write_bytes(pickle.dumps(project.run()))

    folder = once("template", make)
    return Project(folder / "project"), pickle.loads((folder / "ended.pickle").read_bytes())


@pytest.fixture(scope="session")
def template(built_once: tuple[Project, Ended]) -> Project:
    """The tiny project; nobody changes it."""
    return built_once[0]


@pytest.fixture(scope="session")
def cold(built_once: tuple[Project, Ended]) -> Ended:
    """The command that built it from nothing."""
    ended = built_once[1]
    assert ended.status == 0, ended.output + ended.error
    assert ended.statuses == dict.fromkeys(CELLS, "PASS")
    return ended


@pytest.fixture(scope="session")
def copy_of_template(template: Project, cold: Ended) -> Callable[[Path], Project]:
    """Copies the built project to a folder, times kept: nothing is left to do there."""

    def copy(folder: Path) -> Project:
        shutil.copytree(template.folder, folder, symlinks=True)
        return Project(folder)

    return copy
