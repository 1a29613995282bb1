# SPDX-License-Identifier: Apache-2.0
"""Text files that people write: read whole, with one clear line for what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

from touchstone.errors import UserError, nearest

MAX_BYTES = 1 << 20


def shown(path: Path) -> str:
    """How messages name a file: relative where it lies below the working directory."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def read_text(path: Path) -> str:
    """The UTF-8 text of a file of at most `MAX_BYTES` bytes."""
    name = shown(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"{name}: found no such file{_similar(path)}") from None
    except IsADirectoryError:
        raise UserError(f"{name}: found a folder, allowed a file") from None
    except OSError as error:
        raise UserError(f"{name}: found a file that cannot be read ({error.strerror})") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"{name}: found more than {MAX_BYTES} bytes, allowed at most {MAX_BYTES}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{name}:{line}: found bytes that are not UTF-8, allowed UTF-8") from None


def _similar(path: Path) -> str:
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    except OSError:
        return ""
    close = nearest(path.name, names)
    return f"; did you mean {shown(path.parent / close)}?" if close else ""
