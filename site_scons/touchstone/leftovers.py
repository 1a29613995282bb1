# SPDX-License-Identifier: Apache-2.0
"""What a build that was killed could not take away: temporary files and the folders of runs."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

RUN_PREFIX = "run-"
# What builds alone write, each file first under the temporary name that files.py gives it.
ROOMS = ("cells", "vectors", "firmware", "report", "inputs", "simulators", "known")
_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}\Z")


def run_prefix() -> str:
    """How the folders of this process' runs begin."""
    return f"{RUN_PREFIX}{os.getpid()}-"


def remove_leftovers(build: Path) -> None:
    """For whoever holds the lock of `build`, after a holder that did not come to its end.

    Other commands may simulate meanwhile: their folders stay.
    """
    for folder in (build / "tmp").glob(f"{RUN_PREFIX}*-*"):
        if not _alive(folder.name.split("-")[1]):
            shutil.rmtree(folder, ignore_errors=True)
    for room in ROOMS:
        for directory, _, names in os.walk(build / room):
            for name in names:
                if _TEMPORARY.match(name):
                    Path(directory, name).unlink(missing_ok=True)


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
