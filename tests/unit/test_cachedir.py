# SPDX-License-Identifier: Apache-2.0
"""The cache as a folder: modes, users, pruning."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from touchstone.cachedir import CachePolicy, Pruned, prepare, prune, use
from touchstone.errors import UserError

PACKAGE = Path(__file__).resolve().parents[2] / "site_scons"
MEGABYTE = 1 << 20
HOLD = """
import sys, time
from pathlib import Path
from touchstone.cachedir import CachePolicy, use
users = use(CachePolicy(Path(sys.argv[1])))
print("held", flush=True)
sys.stdin.read()
"""


def entry(folder: Path, name: str, age: int, megabytes: float = 1.0) -> Path:
    """An entry that was used `age` seconds ago."""
    path = folder / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(int(megabytes * MEGABYTE)))
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


def policy(folder: Path, megabytes: int = 2, mode: str = "read-write") -> CachePolicy:
    made = CachePolicy(folder, mode, megabytes)
    prepare(made)
    return made


def test_what_was_unused_longest_goes_first(tmp_path: Path) -> None:
    old, new = entry(tmp_path, "AA01", 30), entry(tmp_path, "AB02", 10)
    older, middle = entry(tmp_path, "AA03", 40), entry(tmp_path, "CC04", 20, 0.5)
    kept = policy(tmp_path)
    assert prune(kept, use(kept)) == Pruned(2, 2 * MEGABYTE)
    assert [path.exists() for path in (older, old, middle, new)] == [False, False, True, True]
    assert prune(kept, use(kept)) == Pruned(0, 0)


def test_within_its_size_nothing_goes(tmp_path: Path) -> None:
    entry(tmp_path, "AA01", 30, 2.0)
    kept = policy(tmp_path)
    assert prune(kept, use(kept)) == Pruned(0, 0)


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("{}")
    entry(tmp_path, "AA01", 30, 3.0)
    kept = policy(tmp_path)
    assert prune(kept, use(kept)).entries == 1
    assert (tmp_path / "config").read_text() == "{}"


def test_nothing_is_pruned_while_another_process_uses_the_cache(tmp_path: Path) -> None:
    path = entry(tmp_path, "AA01", 30, 3.0)
    kept = policy(tmp_path)
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    other = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
    )
    assert other.stdin is not None and other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    users = use(kept)
    assert prune(kept, users) == Pruned(0, 0)
    assert path.exists()
    other.stdin.close()
    assert other.wait(30) == 0
    other.stdout.close()
    assert prune(kept, users).entries == 1
    assert not path.exists()


def test_leftovers_of_killed_builds_go(tmp_path: Path) -> None:
    leftover = tmp_path / "AA" / "tmpk3x9"
    leftover.mkdir(parents=True)
    (leftover / "half").write_bytes(b"half")
    kept = policy(tmp_path)
    assert prune(kept, use(kept)) == Pruned(0, 0)
    assert not leftover.exists()


def test_a_read_only_cache_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("{}")
    path = entry(tmp_path, "AA01", 30, 3.0)
    kept = policy(tmp_path, mode="read-only")
    assert prune(kept, use(kept)) == Pruned(0, 0)
    assert path.exists()


def test_no_cache_has_no_users(tmp_path: Path) -> None:
    kept = policy(tmp_path / "none", mode="off")
    assert use(kept) is None
    assert not (tmp_path / "none").exists()


def test_a_read_only_cache_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found no cache there"):
        policy(tmp_path / "none", mode="read-only")


def test_a_cache_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cache=.*file.*: "):
        policy(tmp_path / "file" / "cache")
