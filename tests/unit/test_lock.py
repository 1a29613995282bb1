# SPDX-License-Identifier: Apache-2.0
"""The lock of a build folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from touchstone.errors import UserError
from touchstone.lock import hold


def test_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "build" / "lock"
    held = hold(path)
    assert path.read_text() == f"{os.getpid()}\n"
    with pytest.raises(UserError, match=f"found in use by process {os.getpid()}, allowed one"):
        hold(path)
    held.close()
    hold(path).close()
    assert path.read_text() == f"{os.getpid()}\n"
