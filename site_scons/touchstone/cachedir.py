# SPDX-License-Identifier: Apache-2.0
"""The cache of built files as a folder: where it is, who uses it, how big it may become.

What an entry is, and that a damaged one counts as missing, is in site_tools_cache.py. SCons touches
an entry that it takes, so that modification times say which were used last.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from touchstone.errors import UserError
from touchstone.textfile import shown

MODES = ("read-write", "read-only", "off")
DEFAULT_MEGABYTES = 2048
# What pruning leaves of the allowed size, so that not every build has to prune.
KEPT_SHARE = 0.9
USERS = "users.lock"


@dataclass(frozen=True)
class CachePolicy:
    """Where the cache lies, whether entries are added, and the size that it is pruned to."""

    folder: Path
    mode: str = MODES[0]
    megabytes: int = DEFAULT_MEGABYTES

    @property
    def enabled(self) -> bool:
        """Whether there is a cache at all."""
        return self.mode != "off"

    @property
    def readonly(self) -> bool:
        """Whether nothing may be added, touched or pruned."""
        return self.mode == "read-only"


def prepare(policy: CachePolicy) -> None:
    """Make the folder; UserError where it cannot be, or where a read-only one is no cache."""
    if policy.readonly and not (policy.folder / "config").is_file():
        raise UserError(
            f"cache={shown(policy.folder)}: found no cache there, allowed a folder that "
            "a command with cache_mode=read-write has filled"
        )
    if policy.enabled and not policy.readonly:
        try:
            policy.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cache={shown(policy.folder)}: {error.strerror}") from None


def use(policy: CachePolicy) -> IO[str] | None:
    """Say that this process uses the cache, for as long as the file returned lives.

    Nobody prunes meanwhile. None where the folder cannot be written: nor can it be pruned then.
    """
    if not policy.enabled:
        return None
    try:
        file = (policy.folder / USERS).open("a", encoding="ascii")
    except OSError:
        return None
    # Blocks only while somebody prunes, which takes a moment. No locks on that file system: an
    # entry that is pruned while it is read counts as missing.
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_SH)
    return file


@dataclass(frozen=True)
class Pruned:
    """What pruning took away."""

    entries: int
    bytes: int


def prune(policy: CachePolicy, users: IO[str] | None) -> Pruned:
    """Delete the entries that were not used for longest until the cache has the allowed size.

    `users` is what `use` returned. Nothing is deleted while another process uses the cache.
    """
    nothing = Pruned(0, 0)
    if users is None or policy.readonly:
        return nothing
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return nothing
    try:
        _remove_leftovers(policy.folder)
        return _remove_oldest(policy.folder, policy.megabytes << 20)
    finally:
        fcntl.flock(users, fcntl.LOCK_SH)


def _remove_leftovers(folder: Path) -> None:
    """Temporary folders of builds that were killed while they added an entry."""
    for path in folder.glob("??/tmp*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def _remove_oldest(folder: Path, allowed: int) -> Pruned:
    entries = sorted(_entries(folder))
    total = sum(size for _, _, size in entries)
    if total <= allowed:
        return Pruned(0, 0)
    removed = freed = 0
    for _, path, size in entries:
        if total - freed <= allowed * KEPT_SHARE:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            removed += 1
            freed += size
    return Pruned(removed, freed)


def _entries(folder: Path) -> Iterator[tuple[int, Path, int]]:
    """When an entry was last used, its file, its bytes."""
    for path in folder.glob("??/*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if path.is_file():
                yield status.st_mtime_ns, path, status.st_size
