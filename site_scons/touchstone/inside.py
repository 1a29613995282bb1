# SPDX-License-Identifier: Apache-2.0
"""What a manifest names lies in its project, also when symbolic links are followed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from touchstone.errors import UserError


def check_inside(root: Path, folder: str, names: Iterable[str], where: str) -> None:
    """UserError for a name, of a file in `folder` of the tree at `root`, that a symbolic link leads
    out of the tree. Whether the file exists is for others to say. (Where `root` itself lies, or
    leads, is for whoever checked it out.)"""
    project = root.resolve()
    for name in names:
        if not (root / folder / name).resolve().is_relative_to(project):
            raise UserError(
                f"{where}: found {name}, which a symbolic link leads out of the project, "
                f"allowed files of the project"
            )
