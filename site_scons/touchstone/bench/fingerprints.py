# SPDX-License-Identifier: Apache-2.0
"""What figures were made with, in words that are the same on every host.

The build's own stamps hold binaries, which differ from host to host though they make the same
firmware; a baseline is compared everywhere.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable, Mapping
from pathlib import Path

from touchstone.fingerprint import file_digest
from touchstone.graph import SIMULATOR_SOURCES, CellPlan
from touchstone.rooms import PACKAGE
from touchstone.simulators.registry import EMBEDDED

DIGITS = 12


def made_with(
    root: Path, plans: Iterable[CellPlan], stamps: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Per target: each toolchain and simulator, and what it is."""
    found: dict[str, dict[str, str]] = {}
    for plan in plans:
        if plan.planned.skip is None:
            cell = plan.cell
            words = found.setdefault(cell.target.name, {})
            toolchain, simulator = f"toolchain {cell.toolchain}", f"simulator {cell.simulator}"
            if toolchain not in words:
                words[toolchain] = _toolchain(cell.toolchain, stamps)
            if simulator not in words:
                words[simulator] = _simulator(root, cell.simulator)
    return found


def _toolchain(name: str, stamps: Mapping[str, str]) -> str:
    if name == "llvm":
        return f"ziglang {importlib.metadata.version('ziglang')}"
    known = [stamp for program, stamp in sorted(stamps.items()) if program != "zig"]
    return " ".join(stamp[:DIGITS] for stamp in known) or "unknown"


def _simulator(root: Path, name: str) -> str:
    if name not in EMBEDDED:
        return name
    folder = root / SIMULATOR_SOURCES / EMBEDDED[name].sources
    if not folder.is_dir():  # a project of somebody's own, or of generated networks
        folder = PACKAGE / "simulators" / EMBEDDED[name].sources
    digests = [file_digest(path) for path in sorted(folder.glob("*.[ch]"))]
    version = ""
    if EMBEDDED[name].needs_costs:
        version = f"unicorn {importlib.metadata.version('unicorn')}, "
    return f"{version}sources {hashlib.sha256(' '.join(digests).encode()).hexdigest()[:DIGITS]}"
