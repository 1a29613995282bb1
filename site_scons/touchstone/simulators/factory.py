# SPDX-License-Identifier: Apache-2.0
"""Makes the simulator that a run names, from what the graph built for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.simulators.base import Simulator
from touchstone.simulators.embedded import EmbeddedSimulator


@dataclass(frozen=True)
class SimulatorFiles:
    """Files of this machine that a simulator is made of; contents count, paths do not."""

    program: Path
    costs: Path | None = None
    library: Path | None = None


def make_simulator(name: str, settings: Mapping[str, Any], files: SimulatorFiles) -> Simulator:
    """The simulator `name`, ready to run."""
    return EmbeddedSimulator(name, files.program, tuple(_options(settings, files)))


def _options(settings: Mapping[str, Any], files: SimulatorFiles) -> Sequence[str]:
    options: list[str] = []
    if "core" in settings:
        options += ["--core", settings["core"]]
    for origin, size in settings.get("memory", ()):
        options += ["--memory", f"{origin:#x}:{size:#x}"]
    if files.costs is not None:
        options += ["--costs", str(files.costs)]
    if files.library is not None:
        options += ["--unicorn", str(files.library)]
    return options
