# SPDX-License-Identifier: Apache-2.0
"""Finds the shared library in PyPI's unicorn package, without importing the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

NAMES = ("libunicorn.so.2", "libunicorn.2.dylib", "libunicorn.dylib")


def unicorn_library() -> Path | None:
    """The library's path, None where the package is not installed."""
    spec = importlib.util.find_spec("unicorn")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "lib"
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)
