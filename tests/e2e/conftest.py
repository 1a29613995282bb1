# SPDX-License-Identifier: Apache-2.0
"""One project is built once; each test gets a copy of it, elsewhere, that is up to date."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from project import CELLS, Ended, Project, copy_checkout


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny project; nobody changes it."""
    return copy_checkout(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def cold(template: Project) -> Ended:
    """The command that built it from nothing."""
    ended = template.run()
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
def project(tmp_path: Path, copy_of_template: Callable[[Path], Project]) -> Project:
    """The built project in a folder of this test's own: nothing is left to do in it."""
    return copy_of_template(tmp_path / "project")
