# SPDX-License-Identifier: Apache-2.0
"""watch=1: the same command again whenever a file of the checkout is saved.

SCons and this package stay in memory: each round is a fork that finds them there and leaves nothing
behind. When the build's own Python changes, the process starts anew.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from touchstone.errors import UserError

FOLDERS = ("configs", "golden", "kernels", "site_scons", "targets")
FILES = ("SConstruct",)
POLL_SECONDS = 0.1
MAX_NAMED = 3
# What rounds find in memory. Not numpy and friends: rounds run those in processes of their own.
WARM = (
    "SCons.Script",
    "site_tools_cache",
    "site_tools_common",
    "touchstone.app",
    "touchstone.ci.costs",
    "touchstone.locate",
    "touchstone.reports.details",
    "touchstone.reports.provenance",
    "touchstone.reports.publish",
    "touchstone.table",
)

Snapshot = Mapping[str, tuple[int, int]]


def wanted(words: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether words hold watch=1, and the words without it; UserError for another value."""
    values = [word.partition("=")[2] for word in words if word.startswith("watch=")]
    for value in values:
        if value not in ("0", "1"):
            raise UserError(f"watch={value}: found {value!r}, allowed 0, 1")
    rest = [word for word in words if not word.startswith("watch=")]
    return bool(values) and values[-1] == "1", rest


def snapshot(root: Path, further: Sequence[Path] = ()) -> dict[str, tuple[int, int]]:
    """Size and time of every file that a command may depend on, by its path."""
    found: dict[str, tuple[int, int]] = {}
    for folder in FOLDERS:
        for entry in _walk(str(root / folder)):
            _note(found, entry.path, entry)
    for path in [*(root / name for name in FILES), *further]:
        _note(found, str(path), path)
    return found


def _note(found: dict[str, tuple[int, int]], name: str, file: os.DirEntry[str] | Path) -> None:
    # A file may go between being listed and being looked at.
    with contextlib.suppress(OSError):
        status = file.stat()
        found[name] = (status.st_size, status.st_mtime_ns)


def _walk(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        hidden = entry.name.startswith(".") or entry.name in ("__pycache__",)
        if entry.is_dir(follow_symlinks=False):
            if not hidden:
                yield from _walk(entry.path)
        elif not hidden and not entry.name.endswith(("~", ".pyc", ".tmp")):
            yield entry


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The paths that came, went or differ."""
    names = sorted({*before, *after})
    return [name for name in names if before.get(name) != after.get(name)]


def wait_for_change(look: Callable[[], Snapshot], before: Snapshot) -> list[str]:
    """Sleep until something differs and then stays as it is for a moment: the paths."""
    while not (names := changed(before, look())):
        time.sleep(POLL_SECONDS)
    return names


def warm() -> None:
    """Load what each round would load."""
    import importlib

    for name in WARM:
        importlib.import_module(name)


def watch(root: Path, words: Sequence[str], round_of: Callable[[], None]) -> int:
    """Rounds until an interrupt; `round_of` runs one in a fork and never returns.

    The exit status is the last round's.
    """
    exit_status = root / "build" / "report" / "exit_status"
    config = [Path(word.partition("=")[2]) for word in words if word.startswith("config=")]
    try:
        while True:
            before = snapshot(root, config)
            exit_status.unlink(missing_ok=True)
            start = time.monotonic()
            status = _fork(round_of)
            seconds = time.monotonic() - start
            _say(f"\nwatch: {seconds:.2f} s; {len(before)} files are watched, Ctrl-C ends it")
            names = wait_for_change(lambda: snapshot(root, config), before)
            _say(f"watch: {_named(names, root)}\n")
            if any(_is_ours(name, root) for name in names):
                os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    except KeyboardInterrupt:
        return status


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _named(names: Sequence[str], root: Path) -> str:
    shown = [os.path.relpath(name, root) for name in names[:MAX_NAMED]]
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"{', '.join(shown)}{more} changed"


def _is_ours(name: str, root: Path) -> bool:
    path = os.path.relpath(name, root)
    return path in FILES or (path.startswith("site_scons") and path.endswith(".py"))


def _fork(round_of: Callable[[], None]) -> int:
    """Run a round in a process of its own; its exit status."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        round_of()
        os._exit(2)

    def hand_on(number: int, frame: object) -> None:
        os.kill(child, number)
        os.waitpid(child, 0)
        os._exit(128 + number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGTERM, signal.SIGHUP)}
    interrupted = False
    while True:
        try:
            _, code = os.waitpid(child, 0)
            break
        except KeyboardInterrupt:
            # The terminal has told the round too: it ends, with its results.
            interrupted = True
    for number, handler in before.items():
        signal.signal(number, handler)
    if interrupted:
        raise KeyboardInterrupt
    return os.waitstatus_to_exitcode(code) & 0xFF
