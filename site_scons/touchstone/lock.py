# SPDX-License-Identifier: Apache-2.0
"""One building command at a time in a checkout: two would overwrite each other's notes."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from touchstone.errors import UserError
from touchstone.textfile import shown


def hold(path: Path) -> IO[str]:
    """Lock `path` for as long as the file returned lives; UserError names who has it.

    The system takes the lock back when the process ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another"
        file.close()
        text = f"{shown(path.parent)}: found in use by process {holder}, allowed one at a time"
        raise UserError(text) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
