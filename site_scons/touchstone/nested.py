# SPDX-License-Identifier: Apache-2.0
"""Commands that need cells built: the normal build, run as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from touchstone import app
from touchstone.errors import UserError
from touchstone.files import read_json


def build_cells(root: Path, words: Mapping[str, str], who: str) -> dict[str, dict[str, Any]]:
    """Build the cells that `words` select; what results.json says of each, by id.

    Its progress is shown, its table is not. UserError, in the name of `who`, where it left no
    results.
    """
    results = root / app.REPORT / "results.json"
    results.unlink(missing_ok=True)
    said = _scons(root, [f"{name}={value}" for name, value in words.items()])
    # The wrapper takes this file for the status of the whole command, which is ours to say.
    (root / app.REPORT / "exit_status").unlink(missing_ok=True)
    document = read_json(results)
    if not isinstance(document, dict):
        raise UserError(f"{who}: the build of its cells failed: {said}")
    return {cell["id"]: cell for cell in document["cells"]}


def _scons(root: Path, words: Iterable[str]) -> str:
    """Run SCons and hand on its lines of progress; its last line."""
    command = [sys.executable, "-m", "SCons", "-Q", *words]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    last = ""
    with subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            last = line.strip() or last
            if line.startswith("["):
                print(line, end="", flush=True)
    return last
