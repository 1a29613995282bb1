# SPDX-License-Identifier: Apache-2.0
"""The Cortex-M simulators that this machine has, ready to run any image of a target."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import struct
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.fidelity.cortexm_compare import EMBEDDED, SIMULATORS, Seen
from touchstone.fidelity.observe import LIMITS, read_stream
from touchstone.graph import BUILD, simulator_settings
from touchstone.manifest import Catalogue, Target, load_catalogue
from touchstone.nodes import simulator_program
from touchstone.process import ProcessRegistry
from touchstone.runfile import CellRun
from touchstone.simulators.base import RunStatus, Simulator, SimulatorRun, Unit
from touchstone.simulators.cortexm_costs import build_costs
from touchstone.simulators.factory import make_simulator
from touchstone.simulators.registry import EXTERNAL, adapter_of, find_external
from touchstone.simulators.unicorn import unicorn_library
from touchstone.stages import run_tool
from touchstone.toolchains import gnu
from touchstone.toolchains.llvm import PROGRAM
from touchstone.toolchains.registry import TOOLCHAINS, Programs

COUNTER_READS = 4
VERSION = re.compile(r"\bv?\d+(?:\.\d+)+")


@dataclass(frozen=True)
class Machines:
    """The simulators of the checkout `root`; each is made when it is first asked for."""

    root: Path
    registry: ProcessRegistry = field(default_factory=ProcessRegistry)

    @functools.cached_property
    def catalogue(self) -> Catalogue:
        """Targets and kernels."""
        return load_catalogue(self.root, self.root / BUILD / "yaml")

    @functools.cached_property
    def present(self) -> tuple[str, ...]:
        """The simulators that are here, the embedded one first."""
        return tuple(
            name
            for name in SIMULATORS
            if name == EMBEDDED or find_external(EXTERNAL[name]) is not None
        )

    @functools.cached_property
    def missing(self) -> tuple[str, ...]:
        """One line for each that is not."""
        absent = [EXTERNAL[name] for name in SIMULATORS if name not in self.present]
        return tuple(f"{entry.name} is not installed: {entry.advice}" for entry in absent)

    def versions(self, names: Iterable[str]) -> dict[str, str]:
        """What runs, in words that are the same wherever it is the same version."""
        return {name: self._version(name) for name in names}

    def _version(self, name: str) -> str:
        if name == EMBEDDED:
            return ""
        program = str(find_external(EXTERNAL[name]))
        said = run_tool([program, "--version"], self.root, self.registry, dict(os.environ))
        found = VERSION.search(said)
        return "" if found is None else found[0].lstrip("v")

    def run(self, image: bytes, target: str, simulator: str) -> Seen:
        """Run `image`, linked for that simulator's memory map."""
        scratch = self.root / BUILD / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch, prefix="fidelity-") as folder:
            made = self.simulator(image, target, simulator, Path(folder))
            ran = made.run(image, LIMITS, Path(folder), self.registry)
        return seen_of(ran)

    def simulator(self, image: bytes, target: str, name: str, folder: Path) -> Simulator:
        """The simulator `name`, ready for `image`; it needs `folder` as long as it is used."""
        settings: Mapping[str, Any] = simulator_settings(self.catalogue.targets[target], name)
        if name != EMBEDDED:
            files = [Path(str(find_external(EXTERNAL[name]))), self.root / BUILD]
            return make_simulator(adapter_of(name), name, settings, files)
        library = unicorn_library()
        if library is None:
            raise UserError("fidelity: the package unicorn is missing")
        costs = folder / "firmware.costs"
        costs.write_bytes(build_costs(image, settings["core"]))
        return make_simulator(adapter_of(name), name, settings, [self._program, costs, library])

    @functools.cached_property
    def _program(self) -> Path:
        """The embedded simulator, compiled afresh: the compiler remembers what has not changed."""
        programs = Programs(self.root / BUILD)
        plan = simulator_program(self.root, EMBEDDED)
        program = self.root / BUILD / "fidelity" / "cortexm_sim"
        program.parent.mkdir(parents=True, exist_ok=True)
        fresh = program.with_name(f"{program.name}.{os.getpid()}")
        compiler = str(programs.path(PROGRAM))
        words = [compiler, *plan.words, *plan.sources, "-o", str(fresh), *plan.tail]
        run_tool(words, self.root, self.registry, programs.environment(PROGRAM))
        os.replace(fresh, program)
        return program


def toolchains(target: Target) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The toolchains that a target names and this machine has, and a line for each it has not."""
    here, notes = [], []
    names = {toolchain.name for toolchain in target.toolchains}
    for name in (name for name in TOOLCHAINS if name in names):
        try:
            if name != "llvm":
                gnu.find(gnu.program(target.toolchain(name).options))
            here.append(name)
        except UserError as error:
            notes.append(str(error))
    return tuple(here), tuple(notes)


def seen_of(ran: SimulatorRun) -> Seen:
    """A run of an image that nobody holds against golden outputs."""
    if ran.status is not RunStatus.COMPLETED:
        return Seen(None, None, trouble=ran.reason or ran.status.value)
    found = read_stream(ran.stream)
    if found.trouble is not None or found.cycles is None:
        return Seen(None, None, trouble=found.trouble or "nothing was counted")
    reads = ran.counter_reads
    if reads is not None and len(reads) == COUNTER_READS:
        count = reads[3].instructions - reads[2].instructions
        return Seen(found.output_sha256, count, found.cycles, found.cycles_cold)
    if ran.counter.unit is not Unit.INSTRUCTIONS:
        return Seen(None, None, trouble="its counter counts no instructions")
    return Seen(found.output_sha256, round(found.cycles * ran.counter.per_count))


def seen_in(run: CellRun, trouble: str | None) -> Seen:
    """A cell's run."""
    digest = hashlib.sha256()
    for case in run.cases:
        digest.update(struct.pack("<iI", case.offset, len(case.output or b"")))
        digest.update((case.output or b"") + case.status.encode("ascii"))
    outputs = digest.hexdigest() if run.cases else None
    return Seen(outputs, run.instructions, run.cycles, run.cycles_cold, trouble)
