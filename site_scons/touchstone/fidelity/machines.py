# SPDX-License-Identifier: Apache-2.0
"""Both simulators, ready to run any image: ours built from its sources, GVSOC where installed."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from touchstone.fidelity.observe import Observation, observe
from touchstone.graph import BUILD
from touchstone.nodes import simulator_program
from touchstone.process import ProcessRegistry
from touchstone.simulators import embedded, gvsoc
from touchstone.simulators.base import Simulator
from touchstone.simulators.registry import EXTERNAL, find_external, require
from touchstone.stages import run_tool
from touchstone.toolchains.llvm import PROGRAM
from touchstone.toolchains.registry import Programs

# What holds for every program and image besides bank conflicts, which are part of their ids.
SETTINGS: Mapping[str, Mapping[str, str | int]] = {
    "gvsoc": {"target": "pulp-open", "l1_bytes": 0x20000},
    "xpulp": {"timing": "gvsoc", "icache": "on"},
}


@dataclass(frozen=True)
class Machines:
    """The simulators of the checkout `root`; each is made when it is first asked for."""

    root: Path

    @property
    def build(self) -> Path:
        """The build folder."""
        return self.root / BUILD

    @functools.cached_property
    def _programs(self) -> Programs:
        return Programs(self.build)

    @property
    def compiler(self) -> Path:
        """The embedded compiler."""
        return self._programs.path(PROGRAM)

    @property
    def cache(self) -> Path:
        """The compiler's cache."""
        return self.build / "zig"

    @functools.cached_property
    def registry(self) -> ProcessRegistry:
        """Holds the processes that are running."""
        return ProcessRegistry()

    @functools.cached_property
    def xpulp_program(self) -> Path:
        """The embedded simulator, compiled afresh: the compiler remembers what has not changed."""
        plan = simulator_program(self.root, "xpulp")
        program = self.build / "fidelity" / "xpulp_sim"
        program.parent.mkdir(parents=True, exist_ok=True)
        fresh = program.with_name(f"{program.name}.{os.getpid()}")
        words = [str(self.compiler), *plan.words, *plan.sources, "-o", str(fresh), *plan.tail]
        run_tool(words, self.root, self.registry, self._programs.environment(PROGRAM))
        os.replace(fresh, program)
        return program

    @functools.cached_property
    def gvsoc_program(self) -> Path:
        """The installed GVSOC; UserError with what to do where there is none."""
        require("gvsoc", "fidelity")
        return Path(str(find_external(EXTERNAL["gvsoc"])))

    @functools.cached_property
    def gvsoc_version(self) -> str:
        """Which GVSOC it is."""
        gvsoc.fingerprint(str(self.gvsoc_program), self.build / "digests.json")
        return gvsoc.version(self.build)

    def xpulp_simulator(self, conflicts: str) -> Simulator:
        """The embedded simulator with bank conflicts "on" or "off"."""
        options = {**SETTINGS["xpulp"], "bank_conflicts": conflicts}
        return embedded.make("xpulp", {"options": options}, [self.xpulp_program])

    def gvsoc_simulator(self, conflicts: str) -> Simulator:
        """GVSOC with bank conflicts "on" or "off"."""
        l1_bytes = SETTINGS["gvsoc"]["l1_bytes"]
        options = {"bank_conflicts": conflicts, "l1_bytes": l1_bytes}
        settings = {"options": options, "l1_used": l1_bytes}
        return gvsoc.make("gvsoc", settings, [self.gvsoc_program, self.build])

    def xpulp(self, image: bytes, conflicts: str) -> Observation:
        """Run `image` on the embedded simulator."""
        return self._observe(image, self.xpulp_simulator(conflicts))

    def gvsoc(self, image: bytes, conflicts: str) -> Observation:
        """Run `image` on GVSOC."""
        return self._observe(image, self.gvsoc_simulator(conflicts))

    def _observe(self, image: bytes, simulator: Simulator) -> Observation:
        return observe(image, simulator, self.registry, self.build / "tmp")
