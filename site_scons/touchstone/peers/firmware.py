# SPDX-License-Identifier: Apache-2.0
"""Builds and runs the firmware of a composition, outside the graph: a user's checkout is no source
of the matrix, and its figures are taken anew each time they are asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone import stages
from touchstone.errors import UserError
from touchstone.expression import evaluate
from touchstone.files import canonical_json
from touchstone.graph import BUILD, CellPlan, run_spec, simulator_settings, vectors_spec
from touchstone.job import data_bytes_needed
from touchstone.layout import layout_text
from touchstone.nodes import INCLUDES, commands, link_words, simulator_program
from touchstone.peers.compositions import ADAPTERS, Composition
from touchstone.process import ProcessRegistry
from touchstone.run_cell import run_cell
from touchstone.runfile import CellRun
from touchstone.simulators.factory import make_simulator
from touchstone.simulators.registry import EMBEDDED
from touchstone.simulators.unicorn import unicorn_library
from touchstone.toolchains.registry import Programs, target_commands
from touchstone.vectors import read_container

WITHOUT_SOFTMAX = "-DPEER_WITHOUT_SOFTMAX"
# Peers are compared where they run, not where they fit: an arena that no part has, where the
# simulator takes any memory.
ARENA_BYTES = 0x00800000
# How many times the instructions of our kernels' limits a composition may take.
SLOWER = 20


@dataclass(frozen=True)
class Workshop:
    """What building needs: the project's root, the user's checkouts, compilers, live processes."""

    root: Path
    checkouts: Mapping[str, Path]
    programs: Programs
    registry: ProcessRegistry


@dataclass(frozen=True)
class Job:
    """A composition at the shape of one of our cells, with or without its softmax."""

    composition: Composition
    plan: CellPlan
    softmax: bool

    @property
    def directory(self) -> str:
        """Where its objects and firmware lie, one folder for all shapes."""
        compiler = self.plan.firmware.compiler
        place = f"{BUILD}/peers/{self.composition.name}/{compiler.target.name}"
        return f"{place}/{compiler.toolchain}{'' if self.softmax else '.without_softmax'}"


def arena_bytes(plan: CellPlan) -> int:
    """The arena that compositions get: the target's where its simulator's memory is fixed."""
    settings = simulator_settings(plan.cell.target, plan.cell.simulator)
    return ARENA_BYTES if "memory" in settings else plan.cell.target.memory["arena"].bytes


def _roomy(plan: CellPlan) -> dict[str, Any]:
    document = plan.cell.target.raw
    memory = dict(document["memory"])
    memory["arena"] = {**memory["arena"], "bytes": arena_bytes(plan)}
    return {**document, "memory": memory}


def needed_bytes(job: Job, inputs: Path) -> int:
    """The arena that the job takes, guards included."""
    spec = run_spec(job.plan.planned)
    case = read_container(inputs.read_bytes()).cases[0]
    sizes = [len(operand.data) for operand in case.operands]
    return data_bytes_needed([*sizes, spec["output_bytes"]], _scratch_bytes(job))


def _scratch_bytes(job: Job) -> int:
    cell = job.plan.cell
    variables = {**cell.shape.values(), "cores": cell.cores}
    return evaluate(job.composition.scratch, variables, job.composition.name)


def build(shop: Workshop, job: Job) -> Path:
    """Compile and link; the path of the firmware's loadable part. StageError says what failed."""
    folder = shop.root / job.directory
    folder.mkdir(parents=True, exist_ok=True)
    compiler = job.plan.firmware.compiler
    objects = [shop.root / plan.object for plan in job.plan.firmware.objects]
    harness = [path for path in objects if "/obj/targets/" in path.as_posix()]
    own = _compile(shop, job, folder)
    text = layout_text(_roomy(job.plan), job.plan.cell.kernel.name, {})
    (folder / "layout.ld").write_text(text, encoding="ascii")
    said, tail = link_words(job.plan.firmware)
    script = os.path.relpath(shop.root / job.plan.firmware.linker_script, folder)
    words = [script if word.endswith("link.ld") else word for word in said]
    elf = folder / "firmware.elf"
    names = [os.path.relpath(path, folder) for path in (*harness, *own)]
    _tool(shop, commands(compiler).program, [*words, *names, *tail, "-o", elf.name], folder)
    loadable = folder / "firmware.load"
    stages.make_loadable(elf, loadable, folder / "firmware.json")
    return loadable


def _compile(shop: Workshop, job: Job, folder: Path) -> list[Path]:
    """The adapter's and the library's objects. They are called kernels, as link.ld groups these."""
    compiler, composition = job.plan.firmware.compiler, job.composition
    options = compiler.target.toolchain(compiler.toolchain).options
    checkout = shop.checkouts[composition.peer]
    flags = composition.flags if job.softmax else (*composition.flags, WITHOUT_SOFTMAX)
    said = target_commands(compiler.toolchain, options, flags)
    includes = [f"-I{shop.root / ADAPTERS / 'include'}", f"-I{shop.root / ADAPTERS}"]
    includes += [f"-I{shop.root / path}" for path in INCLUDES]
    includes += [f"-I{checkout / path}" for path in composition.includes]
    sources = [shop.root / composition.adapter_source]
    sources += [checkout / name for name in composition.sources]
    objects = []
    for source in sources:
        made = folder / "obj/kernels" / composition.peer / f"{source.stem}.o"
        made.parent.mkdir(parents=True, exist_ok=True)
        words = [*said.compile, *includes, "-c", str(source), "-o", str(made)]
        _tool(shop, said.program, words, shop.root)
        objects.append(made)
    return objects


def _tool(shop: Workshop, program: str, words: Sequence[str], folder: Path) -> None:
    command = [str(shop.programs.path(program)), *words]
    stages.run_tool(command, folder, shop.registry, shop.programs.environment(program))


def vectors(shop: Workshop, plan: CellPlan) -> Path:
    """The timed case of our cell's inputs, in the kernel's own layout; made where not there."""
    spec = {**vectors_spec(plan.cell), "classes": ["random"]}
    place = f"{BUILD}/peers/{plan.packed.vectors.directory.removeprefix(f'{BUILD}/')}"
    (shop.root / place).mkdir(parents=True, exist_ok=True)
    inputs, golden = f"{place}/inputs.bin", f"{place}/golden.bin"
    stages.make_vectors(canonical_json(spec), inputs, golden, shop.root, shop.registry)
    return shop.root / inputs


def run(shop: Workshop, job: Job, loadable: Path, inputs: Path) -> CellRun:
    """Run the composition on the simulator of our cell."""
    spec = _spec(job)
    files = _simulator_files(shop, job, loadable)
    simulator = make_simulator(spec["adapter"], spec["simulator"], spec["settings"], files)
    return run_cell(loadable, inputs, spec, simulator, shop.registry, shop.root / BUILD / "tmp")


def _spec(job: Job) -> dict[str, Any]:
    """The cell's own, with the composition's scratch, roomy memory and the limits it may need."""
    cell = job.plan.cell
    spec = run_spec(job.plan.planned)
    settings = simulator_settings(cell.target, cell.simulator, cell.settings)
    arena = cell.target.memory["arena"]
    if "memory" in settings:
        settings["memory"] = [
            [origin, arena_bytes(job.plan) if origin == arena.origin else size]
            for origin, size in settings["memory"]
        ]
    return {
        **spec,
        "settings": settings,
        "scratch_bytes": _scratch_bytes(job),
        "max_instructions": SLOWER * int(spec["max_instructions"]),
    }


def _simulator_files(shop: Workshop, job: Job, loadable: Path) -> list[Path]:
    """The embedded simulator's program, with the firmware's costs and the library where wanted."""
    cell = job.plan.cell
    embedded = EMBEDDED[cell.simulator]
    program = shop.root / simulator_program(shop.root, cell.simulator).program
    if not embedded.needs_costs:
        return [program]
    costs = loadable.with_suffix(".costs")
    core = cell.target.isas[0]
    stages.make_costs(str(loadable), str(costs), core, shop.root, shop.registry)
    library = unicorn_library()
    if library is None:
        raise UserError("peers: the Python package unicorn is not installed")
    return [program, costs, Path(library)]
