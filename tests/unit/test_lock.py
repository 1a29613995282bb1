# SPDX-License-Identifier: Apache-2.0
"""The lock of a build folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from touchstone.errors import UserError
from touchstone.leftovers import run_prefix
from touchstone.lock import ended, hold


def test_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "build" / "lock"
    held = hold(path)
    assert path.read_text() == f"{os.getpid()}\n"
    with pytest.raises(UserError, match=f"found in use by process {os.getpid()}, allowed one"):
        hold(path)
    held.close()
    hold(path).close()
    assert path.read_text() == f"{os.getpid()}\n"


def test_what_a_killed_holder_left_goes(tmp_path: Path) -> None:
    """Only of builds, and only where the last one did not come to its end."""
    build = tmp_path / "build"
    temporary = build / "cells" / "a" / ".cell.run.abcd_123"
    kept = [build / "cells" / "a" / "cell.run", build / "yaml" / ".x.json.abcd_123"]
    living = build / "tmp" / f"{run_prefix()}x"
    dead = build / "tmp" / "run-999999999-x"
    for path in (temporary, *kept, living / "log.txt", dead / "log.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    ended(hold(build / "lock"))
    hold(build / "lock").close()
    assert temporary.exists() and dead.exists(), "the holder before came to its end"
    ended(hold(build / "lock"))
    assert not temporary.exists()
    assert not dead.exists()
    assert living.exists(), "somebody simulates there"
    assert all(path.exists() for path in kept)
