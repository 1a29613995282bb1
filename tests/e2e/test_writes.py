# SPDX-License-Identifier: Apache-2.0
"""A build writes below build/ and nowhere else (docs/isolation.md)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from project import Project
from states import SOFTMAX_M4, break_row_function


def state_of(folder: Path, left_out: str = "") -> dict[str, tuple[int, int, str]]:
    """Mode, time and content of everything below a folder but for one of its entries."""
    found = {}
    for place, folders, files in os.walk(folder):
        if Path(place) == folder and left_out in folders:
            folders.remove(left_out)
        for name in (*folders, *files):
            path = Path(place) / name
            status = path.lstat()
            content = b"" if path.is_symlink() or path.is_dir() else path.read_bytes()
            if path.is_symlink():
                content = os.readlink(path).encode()
            digest = hashlib.sha256(content).hexdigest()
            # A folder's time tells of files that came and went.
            found[path.relative_to(folder).as_posix()] = (
                status.st_mode,
                status.st_mtime_ns,
                digest,
            )
    return found


def test_nothing_is_written_but_below_build(project: Project, tmp_path: Path) -> None:
    elsewhere = {name: tmp_path / "elsewhere" / name for name in ("HOME", "TMPDIR")}
    for folder in elsewhere.values():
        folder.mkdir(parents=True)
    environment = {name: str(folder) for name, folder in elsewhere.items()}
    break_row_function(project)  # compiles, links, simulates, fails, reports
    before = state_of(project.folder, left_out="build")
    assert len(before) > 100
    ended = project.run(**environment)
    assert ended.status == 1
    assert ended.statuses[SOFTMAX_M4] == "FAIL"
    for words in (("list",), ("plan",), ("describe", "kernel=softmax"), ("report",), ("S=5",)):
        project.run(*words, **environment)
        assert state_of(project.folder, left_out="build") == before, words
    for folder in elsewhere.values():
        assert state_of(folder) == {}


def test_what_is_written_elsewhere_is_seen(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "a").write_text("a")
    before = state_of(tmp_path, left_out="build")
    (tmp_path / "build" / "b").write_text("b")
    assert state_of(tmp_path, left_out="build") == before
    (tmp_path / "a").write_text("b")
    assert state_of(tmp_path, left_out="build") != before
