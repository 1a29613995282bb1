# SPDX-License-Identifier: Apache-2.0
"""One copy of this checkout for the tests of installed toolchains and simulators: they say in it
what a user would say, and share what it has built."""

from __future__ import annotations

import os

import pytest
from installed import CONFIG, MATRIX

from tests.e2e.project import Project, copy_checkout


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The copy, with a small matrix over every target."""
    project = copy_checkout(tmp_path_factory.mktemp("checkout"))
    project.path(CONFIG).write_text(MATRIX, encoding="utf-8")
    cache = os.environ.get("ZIG_GLOBAL_CACHE_DIR")
    if cache is not None:
        project.path("build").mkdir()
        project.path("build/zig").symlink_to(cache)
    return project
