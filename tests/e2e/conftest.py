# SPDX-License-Identifier: Apache-2.0
"""Each test gets a copy of the one small project, elsewhere, that is up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, kill_below


@pytest.fixture
def project(tmp_path: Path, copy_of_template: Callable[[Path], Project]) -> Iterator[Project]:
    """The built project in a folder of this test's own: nothing is left to do in it.

    Whatever a test does there, no process may outlive it.
    """
    made = copy_of_template(tmp_path / "project")
    yield made
    assert kill_below(tmp_path) == []
