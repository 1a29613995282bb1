# SPDX-License-Identifier: Apache-2.0
"""Where Touchstone's own kernels, targets, golden models and simulators are, seen from a project.

A project is the folder of the SConstruct. In Touchstone's checkout it is the checkout itself. In
somebody else's repository it has kernels/ (and targets/, golden/, configs/) of its own besides, and
`support` is the folder, relative to the project, that has Touchstone's: the checkout, where it lies
in the project (a submodule), else a copy in build/touchstone. Nothing outside a project is ever
named in a command of the build, so that two projects with the same files build the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from touchstone.errors import UserError
from touchstone.files import write_atomically

PACKAGE = Path(__file__).resolve().parent
# Where a wheel has what a checkout has in its rooms.
INSTALLED = "touchstone_rooms"
INSTALLED_TOOLS = "touchstone_scons"
COPY = "build/touchstone"
ROOMS = ("kernels", "targets", "golden")
OWN_CODE = "site_scons/touchstone"
STAMP = ".stamp"
_LEFT_OUT = ("__pycache__",)


def rooms_folder() -> Path:
    """The folder that has kernels/, targets/ and golden/: a checkout's, or an installed one."""
    checkout = PACKAGE.parents[1]
    for folder in (checkout, PACKAGE.parent / INSTALLED):
        if (folder / "targets" / "common").is_dir():
            return folder
    raise UserError(f"{PACKAGE}: found no targets/common, allowed a checkout or an installed wheel")


def support_of(root: Path) -> str:
    """The folder `support` of the project at `root`, "" where it is the project itself.

    A copy is made, or brought up to date, where Touchstone does not lie in the project.
    """
    folder = rooms_folder()
    # A checkout, this one or a copy, has everything itself.
    if folder == root.resolve() or (root / "targets" / "common").is_dir():
        return ""
    if folder.is_relative_to(root.resolve()) and folder == PACKAGE.parents[1]:
        return folder.relative_to(root.resolve()).as_posix()
    _copy(folder, root / COPY)
    return COPY


def tools_folder() -> Path:
    """The folder of the SCons tools."""
    places = (PACKAGE.parent / "site_tools", PACKAGE.parent / INSTALLED_TOOLS)
    return next(place for place in places if (place / "ts_matrix.py").is_file())


def python_path(root: Path) -> list[str]:
    """Where stages in a fresh interpreter find `touchstone` and `golden`, then the project's."""
    places = (str(PACKAGE.parent), str(rooms_folder()), str(root))
    return list(dict.fromkeys(places))


def _sources(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file to copy: its name in a checkout, and where it is."""
    for room, place in (*((room, folder / room) for room in ROOMS), (OWN_CODE, PACKAGE)):
        for directory, names, files in os.walk(place):
            names[:] = sorted(name for name in names if name not in _LEFT_OUT)
            for name in sorted(files):
                if not name.endswith(".pyc"):
                    path = Path(directory, name)
                    yield f"{room}/{path.relative_to(place).as_posix()}", path


def _copy(folder: Path, target: Path) -> None:
    """Make `target` hold what `folder` does; files that are the same keep their times."""
    sources = dict(_sources(folder))
    status = {name: path.stat() for name, path in sources.items()}
    seen = "\n".join(f"{n} {s.st_size} {s.st_mtime_ns}" for n, s in status.items())
    stamp = hashlib.sha256(f"{folder}\n{seen}".encode()).hexdigest().encode("ascii")
    try:
        if (target / STAMP).read_bytes() == stamp:
            return
    except OSError:
        (target / STAMP).unlink(missing_ok=True)
    for name, path in sources.items():
        data = path.read_bytes()
        there = target / name
        if not there.is_file() or there.read_bytes() != data:
            write_atomically(there, data)
    _remove_others(target, set(sources))
    write_atomically(target / STAMP, stamp)


def _remove_others(target: Path, names: set[str]) -> None:
    for path in sorted(target.rglob("*"), reverse=True):
        name = path.relative_to(target).as_posix()
        if path.is_file() and name not in names and "__pycache__" not in path.parts:
            path.unlink()
        elif path.is_dir() and path.name != "__pycache__" and not any(path.iterdir()):
            shutil.rmtree(path)
