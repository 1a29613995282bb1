# SPDX-License-Identifier: Apache-2.0
"""Making the environment `build/env`: venv, then pip with the hashes of the locks.

The package index is whatever pip is configured for (PIP_INDEX_URL, pip.conf);
TOUCHSTONE_WHEELHOUSE names a folder of wheels to install from without any index.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from touchstone.environment import LOCKS, Layout, SetupError, clean_environ, is_whole, recipe

WHEELHOUSE = "TOUCHSTONE_WHEELHOUSE"


def install(
    layout: Layout, locks: Sequence[str], wanted: bytes, environ: Mapping[str, str]
) -> None:
    """Make the environment, or add to one that holds the first lock; the stamp comes last."""
    source = wheelhouse_options(environ)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(layout.log)
    if not is_whole(layout, LOCKS, recipe(layout, LOCKS)):
        sys.stderr.write("scons: making the environment in build/env (once; some 600 MB)\n")
        _make_venv(layout, environ)
        _pip(layout, LOCKS[0], source, environ)
        _stamp(layout, LOCKS, recipe(layout, LOCKS))
    for lock in locks[1:]:
        sys.stderr.write(f"scons: adding {lock} to build/env (once)\n")
        _pip(layout, lock, source, environ)
        _stamp(layout, locks, wanted)


def wheelhouse_options(environ: Mapping[str, str]) -> list[str]:
    """pip's options for the wheelhouse, none where there is no wheelhouse."""
    folder = environ.get(WHEELHOUSE)
    if not folder:
        return []
    if not os.path.isdir(folder):
        raise SetupError(f"{WHEELHOUSE}: found {folder!r}, allowed a folder of wheels")
    return ["--no-index", "--find-links", os.path.abspath(folder)]


def _make_venv(layout: Layout, environ: Mapping[str, str]) -> None:
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise SetupError(_missing_venv())
    shutil.rmtree(layout.environment, ignore_errors=True)
    command = [sys.executable, "-m", "venv", layout.environment]
    if _logged(layout, command, environ) != 0:
        if "ensurepip is not available" in _log_text(layout):
            raise SetupError(_missing_venv())
        raise SetupError(_failure(layout, "python -m venv failed"))


def _missing_venv() -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return (
        f"Python {version} at {sys.executable} cannot make environments: install the package "
        f"python3-venv (Debian, Ubuntu: python{version}-venv), or run ./scons with another Python"
    )


def _pip(layout: Layout, lock: str, source: Sequence[str], environ: Mapping[str, str]) -> None:
    # Wheels only: a source package would run its own build, with unpinned tools.
    command = [layout.python, "-m", "pip", "install", "--require-hashes", "--only-binary=:all:"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar=off", *source]
    command += ["-r", os.path.join(layout.root, lock)]
    status = _logged(layout, command, environ)
    if status != 0:
        raise SetupError(_failure(layout, f"pip could not install {lock} (status {status})"))


def _logged(layout: Layout, command: Sequence[str], environ: Mapping[str, str]) -> int:
    with open(layout.log, "ab") as log:
        log.write(f"$ {' '.join(command)}\n".encode())
        log.flush()
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=layout.root,
                env=clean_environ(environ),
                close_fds=False,  # they hold the lock too
            ).returncode
        except OSError as error:
            log.write(f"{error}\n".encode())
            return 127


def _failure(layout: Layout, what: str) -> str:
    errors = [line for line in _log_text(layout).splitlines() if line.startswith("ERROR:")]
    reason = f": {errors[0].removeprefix('ERROR:').strip()[:200]}" if errors else ""
    return f"{what}{reason}; log: {os.path.relpath(layout.log, layout.root)}"


def _log_text(layout: Layout) -> str:
    with open(layout.log, encoding="utf-8", errors="replace") as file:
        return file.read()


def _stamp(layout: Layout, locks: Sequence[str], wanted: bytes) -> None:
    path = layout.stamp(locks)
    with open(path + ".new", "wb") as file:
        file.write(wanted)
    os.replace(path + ".new", path)
