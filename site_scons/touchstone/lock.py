# SPDX-License-Identifier: Apache-2.0
"""One building command at a time in a checkout: two would overwrite each other's notes."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from touchstone.errors import UserError
from touchstone.leftovers import remove_leftovers
from touchstone.textfile import shown


def hold(path: Path) -> IO[str]:
    """Lock `path` for as long as the file returned lives; UserError names who has it.

    The system takes the lock back when the process ends, however it ends; what a holder leaves that
    did not come to `ended` is taken away first.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        text = f"{shown(path.parent)}: found a folder that cannot be written ({error.strerror})"
        raise UserError(text) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another"
        file.close()
        text = f"{shown(path.parent)}: found in use by process {holder}, allowed one at a time"
        raise UserError(text) from None
    file.seek(0)
    if file.read(1):
        remove_leftovers(path.parent)
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def ended(file: IO[str] | None) -> None:
    """Its holder has come to its end and leaves nothing behind."""
    if file is not None:
        file.truncate(0)
