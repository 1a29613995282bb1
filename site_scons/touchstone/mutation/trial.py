# SPDX-License-Identifier: Apache-2.0
"""Runs a changed firmware on the cells of the matrix that use it, until one fails."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from touchstone.check import judge
from touchstone.disassembly import Disassembler
from touchstone.elf import read_elf, write_elf
from touchstone.errors import UserError
from touchstone.files import canonical_json
from touchstone.graph import BUILD, CellPlan, FirmwarePlan
from touchstone.mutation.code import Place, kernel_places
from touchstone.observe import Wanted, disassembler_of, run_observed, simulator_of
from touchstone.process import ProcessRegistry
from touchstone.run_cell import build_image, interpret
from touchstone.runfile import CellRun, RunFileError, read_run
from touchstone.simulators.base import Limits
from touchstone.simulators.cortexm_costs import build_costs
from touchstone.simulators.embedded import make
from touchstone.simulators.registry import EMBEDDED
from touchstone.simulators.unicorn import unicorn_library
from touchstone.symbols import Symbols, read_symbols
from touchstone.vectors import read_container

# A mutant has come to no end when it has run so many times the instructions of its cell.
PATIENCE = 4
SPARE_INSTRUCTIONS = 200_000
WALL_SECONDS = 60.0
PASS = "PASS"
CYCLES = "CYCLES"
SKEW = "2000"


@dataclass(frozen=True)
class Caught:
    """The first cell that did not pass, and what it said.

    Of a mutant that passes everywhere the first cell whose cycles are others, status CYCLES: the
    baselines tell (`bench=check`), though the outputs do not.
    """

    cell: str
    status: str
    reason: str

    @property
    def by_output(self) -> bool:
        """Whether a run alone shows it."""
        return self.status != CYCLES


@dataclass(frozen=True)
class Subject:
    """A firmware and the cells that use it with their runs, the shortest first."""

    root: Path
    firmware: FirmwarePlan
    plans: tuple[CellPlan, ...]
    runs: tuple[CellRun, ...]

    @property
    def name(self) -> str:
        """target/kernel.variant"""
        plan = self.firmware
        return f"{plan.compiler.target.name}/{plan.kernel.name}.{plan.variant.name}"

    @functools.cached_property
    def loadable(self) -> bytes:
        """The firmware as it is."""
        return (self.root / self.firmware.path("firmware.load")).read_bytes()

    @functools.cached_property
    def symbols(self) -> Symbols:
        """What its ELF says."""
        return read_symbols(self.root / self.firmware.path("firmware.elf"))

    @property
    def machine(self) -> str:
        """The machine of its ELF."""
        return self.symbols.machine

    @functools.cached_property
    def language(self) -> Disassembler:
        """Its machine's language."""
        return disassembler_of(self.symbols)

    @functools.cached_property
    def places(self) -> list[Place]:
        """The instructions of its kernel."""
        path = self.root / self.firmware.path("firmware.elf")
        return kernel_places(path, self.symbols, self.language)

    def executions(self, registry: ProcessRegistry) -> dict[int, int]:
        """How often each address is executed in the timed run of the smallest cell."""
        plan = self.plans[0]
        wanted = Wanted(profile=True, trace=False)
        counts = run_observed(
            self.root, plan, wanted, simulator_of(self.root, plan), registry
        ).counts
        found: dict[int, int] = {}
        for count in counts.counts if counts else ():
            found[count.pc] = found.get(count.pc, 0) + count.executions
        return found


def subjects(root: Path, plans: Iterable[CellPlan]) -> list[Subject]:
    """The firmwares of `plans` with their cells, which must have passed as they are."""
    groups: dict[str, list[tuple[CellPlan, CellRun]]] = {}
    for plan in plans:
        if plan.planned.skip is None and plan.cell.simulator in EMBEDDED:
            groups.setdefault(plan.firmware.directory, []).append((plan, _run(root, plan)))
    found = []
    for name in sorted(groups):
        ordered = sorted(groups[name], key=lambda item: (_length(item[1]), item[0].cell.id))
        cells, runs = zip(*ordered, strict=True)
        found.append(Subject(root, cells[0].firmware, tuple(cells), tuple(runs)))
    return found


def _length(run: CellRun) -> int:
    """All instructions of a run that has passed."""
    return run.instructions_total or 0


def _run(root: Path, plan: CellPlan) -> CellRun:
    """What the unchanged cell did; UserError where it has not passed."""
    try:
        run = read_run(root / plan.run)
        golden = root / plan.packed.vectors.path("golden.bin")
        status, reason, _ = judge(run, golden, json.loads(plan.check_spec))
    except (OSError, RunFileError) as error:
        raise UserError(
            f"mutation: {plan.cell.id}: no run of the kernel as it is: {error}"
        ) from None
    if status != PASS or run.instructions_total is None:
        raise UserError(f"mutation: {plan.cell.id}: {status} as it is: {reason}")
    return run


def patched(loadable: bytes, address: int, code: bytes) -> bytes:
    """The firmware with other bytes at an address; UserError where it has none there."""
    executable = read_elf(loadable)
    segments = list(executable.segments)
    for index, segment in enumerate(segments):
        offset = address - segment.address
        if offset >= 0 and offset + len(code) <= len(segment.data):
            data = segment.data[:offset] + code + segment.data[offset + len(code) :]
            segments[index] = replace(segment, data=data)
            return write_elf(replace(executable, segments=tuple(segments)))
    raise UserError(f"mutation: nothing is loaded at {address:#010x}")


def first_failure(subject: Subject, loadable: bytes, registry: ProcessRegistry) -> Caught | None:
    """Run the subject's cells with another firmware until one does not pass."""
    scratch = subject.root / BUILD / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    slower: Caught | None = None
    with tempfile.TemporaryDirectory(dir=scratch, prefix="mutant-") as folder:
        files = _costs(subject.plans[0], loadable, Path(folder))
        cells = list(zip(subject.plans, subject.runs, strict=True))
        skewed = [(with_skew(plan), run) for plan, run in cells if plan.cell.cores > 1]
        for plan, before in (*cells, *skewed):
            private = Path(tempfile.mkdtemp(dir=folder))
            ran, status, reason = _trial(
                subject.root, plan, loadable, files, _length(before), private, registry
            )
            if status != PASS:
                return Caught(plan.cell.id, status, reason)
            if slower is None and not plan.cell.settings and ran.cycles != before.cycles:
                slower = Caught(plan.cell.id, CYCLES, f"{before.cycles} -> {ran.cycles} cycles")
    return slower


def with_skew(plan: CellPlan) -> CellPlan:
    """The cell of a team whose cores leave barriers far from each other (docs/gap9.md)."""
    spec = json.loads(plan.run_spec)
    spec["settings"]["options"]["barrier_skew"] = SKEW
    cell = replace(plan.planned.cell, settings=(("barrier_skew", SKEW),))
    return replace(plan, planned=replace(plan.planned, cell=cell), run_spec=canonical_json(spec))


def _costs(plan: CellPlan, loadable: bytes, folder: Path) -> Sequence[Path]:
    """What the simulator wants besides its program: the Cortex-M's knows each instruction."""
    library = unicorn_library()
    if not EMBEDDED[plan.cell.simulator].needs_costs or library is None:
        return ()
    path = folder / "firmware.costs"
    path.write_bytes(build_costs(loadable, plan.cell.target.isas[0]))
    return (path, library)


def _trial(
    root: Path,
    plan: CellPlan,
    loadable: bytes,
    files: Sequence[Path],
    instructions: int,
    folder: Path,
    registry: ProcessRegistry,
) -> tuple[CellRun, str, str]:
    spec = json.loads(plan.run_spec)
    name = plan.cell.simulator
    program = root / BUILD / "simulators" / EMBEDDED[name].program
    simulator = make(name, spec["settings"], [program, *files])
    inputs = read_container((root / plan.packed.inputs).read_bytes())
    image = build_image(loadable, inputs, spec)
    most = min(int(spec["max_instructions"]), PATIENCE * instructions + SPARE_INSTRUCTIONS)
    ran = simulator.run(image.data, Limits(most, WALL_SECONDS), folder, registry)
    golden = root / plan.packed.vectors.path("golden.bin")
    result = interpret(ran, image)
    status, reason, _ = judge(result, golden, json.loads(plan.check_spec))
    return result, status, reason
