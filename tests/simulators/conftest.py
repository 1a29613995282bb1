# SPDX-License-Identifier: Apache-2.0
"""One copy of this checkout for the tests of installed toolchains and simulators: they say in it
what a user would say, and share what it has built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from installed import CONFIG, MATRIX

from tests.e2e.project import Project


@pytest.fixture(scope="session")
def checkout(
    tmp_path_factory: pytest.TempPathFactory, copy_of_template: Callable[[Path], Project]
) -> Project:
    """The copy, with a small matrix over every target."""
    project = copy_of_template(tmp_path_factory.mktemp("checkout") / "project")
    project.path(CONFIG).write_text(MATRIX, encoding="utf-8")
    return project
