# SPDX-License-Identifier: Apache-2.0
"""One project is built once; each test gets a copy of it, elsewhere, that is up to date."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project import CELLS, Ended, Project, copy_checkout, kill_below


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Ended]:
    """The tiny project and the command that built it, also where several workers run the tests."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    known = folder / "template.pickle"
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            project = copy_checkout(folder / "template")
            known.write_bytes(pickle.dumps(project.run()))
    return Project(folder / "template"), pickle.loads(known.read_bytes())


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


@pytest.fixture
def copy_of_template(template: Project, cold: Ended) -> Callable[[Path], Project]:
    """Copies the built project to a folder, times kept; the compiler's cache is shared."""

    def copy(folder: Path) -> Project:
        shutil.copytree(
            template.folder,
            folder,
            ignore=lambda path, _: ["zig"] if Path(path).name == "build" else [],
        )
        (folder / "build" / "zig").symlink_to(template.path("build/zig"))
        return Project(folder)

    return copy


@pytest.fixture
def project(tmp_path: Path, copy_of_template: Callable[[Path], Project]) -> Iterator[Project]:
    """The built project in a folder of this test's own: nothing is left to do in it.

    Whatever a test does there, no process may outlive it.
    """
    made = copy_of_template(tmp_path / "project")
    yield made
    assert kill_below(tmp_path) == []
