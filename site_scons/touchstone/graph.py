# SPDX-License-Identifier: Apache-2.0
"""The build graph of a plan as plain values: what is made from what, with which words.

SCons is not needed to read, test or print it; `site_scons/site_tools` turns it into nodes. All
paths are relative to the checkout.
"""

from __future__ import annotations

import importlib
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touchstone.cells import VALUE_CLASSES, Cell, flags_digest, numerics_words
from touchstone.files import canonical_json
from touchstone.manifest import Catalogue, Kernel, Target, Variant
from touchstone.manifest_names import GENERATORS
from touchstone.plan import PlannedCell
from touchstone.simulators.registry import (
    EMBEDDED,
    EXTERNAL,
    adapter_of,
    check_settings,
    settings_that_apply,
)
from touchstone.sizes import Needs

BUILD = "build"
CELLS = f"{BUILD}/cells"
COMMON_SOURCES = "targets/common"
INCLUDES = ("kernels/include", "targets/common")
SIMULATOR_SOURCES = "site_scons/touchstone/simulators"


@dataclass(frozen=True)
class CompilerPlan:
    """One set of flags: a target, its toolchain, extra flags."""

    target: Target
    toolchain: str
    cflags: tuple[str, ...]
    support: str = ""

    @property
    def includes(self) -> tuple[str, ...]:
        """Folders of shared headers."""
        return include_folders(self.support)

    @property
    def directory(self) -> str:
        """Where its objects and firmwares lie."""
        extra = f"-{flags_digest(self.cflags)}" if self.cflags else ""
        return f"{BUILD}/firmware/{self.target.name}/{self.toolchain}{extra}"


@dataclass(frozen=True)
class ObjectPlan:
    """One source compiled with one set of flags."""

    compiler: CompilerPlan
    source: str

    @property
    def generator(self) -> str | None:
        """The module whose output is compiled where the source is a Python file."""
        stem, extension = posixpath.splitext(self._below_support)
        return stem.replace("/", ".") if extension == ".py" else None

    @property
    def compiled(self) -> str:
        """What the compiler reads: the source, or the assembly that it generates."""
        if self.generator is None:
            return self.source
        return f"{BUILD}/generated/{posixpath.splitext(self._below_support)[0]}.S"

    @property
    def object(self) -> str:
        """The object's path: the source's path below obj/, the same in every project."""
        return f"{self.compiler.directory}/obj/{posixpath.splitext(self._below_support)[0]}.o"

    @property
    def _below_support(self) -> str:
        support = f"{self.compiler.support}/" if self.compiler.support else ""
        return self.source.removeprefix(support)


@dataclass(frozen=True)
class FirmwarePlan:
    """Startup, board, harness and one kernel variant, linked for one memory map."""

    compiler: CompilerPlan
    kernel: Kernel
    variant: Variant
    objects: tuple[ObjectPlan, ...]
    memory_map: str | None

    @property
    def directory(self) -> str:
        """Where the firmware lies."""
        place = f".{self.memory_map}" if self.memory_map else ""
        return f"{self.compiler.directory}/{self.kernel.name}.{self.variant.name}{place}"

    @property
    def linker_script(self) -> str:
        """The target's script; it includes the generated layout.ld."""
        return f"{self.compiler.target.directory}/link.ld"

    def path(self, name: str) -> str:
        """A file of this firmware."""
        return f"{self.directory}/{name}"


@dataclass(frozen=True)
class VectorsPlan:
    """Inputs and golden outputs of a kernel at a shape; shared by all targets."""

    kernel: Kernel
    directory: str
    spec: str = field(repr=False)

    def path(self, name: str) -> str:
        """A file of these vectors."""
        return f"{self.directory}/{name}"


@dataclass(frozen=True)
class PackedPlan:
    """The inputs in the weight layout that a variant wants."""

    vectors: VectorsPlan
    layout: str
    packers: tuple[tuple[str, str], ...]

    @property
    def inputs(self) -> str:
        """The file that goes into images; the identity layout needs no node of its own."""
        name = f"inputs.{self.layout}.bin" if self.packers else "inputs.bin"
        return self.vectors.path(name)


@dataclass(frozen=True)
class CellPlan:
    """One cell: its firmware, its vectors, and what its run and its check depend on."""

    planned: PlannedCell
    firmware: FirmwarePlan
    packed: PackedPlan
    run_spec: str = field(repr=False)
    check_spec: str = field(repr=False)

    @property
    def cell(self) -> Cell:
        """The cell itself."""
        return self.planned.cell

    @property
    def directory(self) -> str:
        """Where the cell's files lie."""
        return f"{CELLS}/{self.cell.id}"

    @property
    def run(self) -> str:
        """What the simulator made of the image."""
        return f"{self.directory}/cell.run"

    @property
    def verdict(self) -> str:
        """The run held against the golden model."""
        return f"{self.directory}/verdict.json"


def plan_graph(
    catalogue: Catalogue, cells: Iterable[PlannedCell], common: tuple[str, ...]
) -> list[CellPlan]:
    """The graph of `cells`; `common` are the harness sources every firmware is linked from."""
    planner = _Planner(catalogue, common)
    return [planner.cell(cell) for cell in cells]


class _Planner:
    """Makes each shared part once, however many cells need it."""

    def __init__(self, catalogue: Catalogue, common: tuple[str, ...]) -> None:
        self._catalogue = catalogue
        self._common = common
        self._firmwares: dict[tuple[object, ...], FirmwarePlan] = {}
        self._vectors: dict[str, VectorsPlan] = {}

    def cell(self, planned: PlannedCell) -> CellPlan:
        """All of one cell."""
        return CellPlan(
            planned=planned,
            firmware=self._firmware(planned.cell),
            packed=self._packed(planned.cell),
            run_spec=canonical_json(run_spec(planned)),
            check_spec=canonical_json(check_spec(planned.cell)),
        )

    def _firmware(self, cell: Cell) -> FirmwarePlan:
        place = cell.target.memory_map(cell.simulator)
        words = (cell.target.name, cell.toolchain, cell.kernel.name, cell.variant.name)
        key = (*words, cell.cflags, place)
        if key not in self._firmwares:
            compiler = CompilerPlan(
                cell.target, cell.toolchain, cell.cflags, self._catalogue.support
            )
            sources = target_sources(cell.target, self._catalogue.support)
            sources += self._common
            sources.append(f"{cell.kernel.directory}/{cell.kernel.glue}")
            sources += variant_sources(self._catalogue, cell.kernel, cell.variant)
            objects = tuple(ObjectPlan(compiler, source) for source in sources)
            self._firmwares[key] = FirmwarePlan(compiler, cell.kernel, cell.variant, objects, place)
        return self._firmwares[key]

    def _packed(self, cell: Cell) -> PackedPlan:
        directory = vectors_directory(cell)
        if directory not in self._vectors:
            spec = canonical_json(vectors_spec(cell))
            self._vectors[directory] = VectorsPlan(cell.kernel, directory, spec)
        layout = cell.variant.layout
        packers = cell.kernel.layouts[layout] if layout else {}
        return PackedPlan(self._vectors[directory], layout or "", tuple(sorted(packers.items())))


def include_folders(support: str) -> tuple[str, ...]:
    """Folders of shared headers; a project of its own finds those of Touchstone's kernels too."""
    kernels = (f"{support}/kernels",) if support else ()
    return (*(posixpath.join(support, name) for name in INCLUDES), *kernels)


def common_sources(root: Path, support: str) -> tuple[str, ...]:
    """The harness sources that every firmware is linked from."""
    folder = posixpath.join(support, COMMON_SOURCES)
    return tuple(f"{folder}/{path.name}" for path in sorted((root / folder).glob("*.c")))


def target_sources(target: Target, support: str) -> list[str]:
    """A target's own sources; ../common is Touchstone's, also for a project's own target."""
    sources = [posixpath.normpath(f"{target.directory}/{name}") for name in target.sources]
    return [
        posixpath.join(support, source) if source.startswith(f"{COMMON_SOURCES}/") else source
        for source in sources
    ]


def variant_sources(catalogue: Catalogue, kernel: Kernel, variant: Variant) -> list[str]:
    """A variant's own sources and those of the variants it uses, each once."""
    sources: dict[str, None] = {}
    todo = [(kernel, variant)]
    seen = set()
    while todo:
        owner, current = todo.pop(0)
        if (owner.name, current.name) in seen:
            continue
        seen.add((owner.name, current.name))
        for name in current.sources:
            sources[posixpath.normpath(f"{owner.directory}/{name}")] = None
        generators = posixpath.join(owner.support, GENERATORS)
        sources.update({f"{generators}/{name}.py": None for name in current.generated})
        for use in current.uses:
            used_kernel, _, used_variant = use.partition(".")
            used = catalogue.kernels[used_kernel]
            todo.append((used, used.variant(used_variant)))
    return list(sources)


def vectors_directory(cell: Cell) -> str:
    """Readable and stable; nothing of the target is in it, and kernels of one golden model share
    it."""
    shape = "-".join(f"{name}{getattr(cell.shape, name)}" for name in cell.kernel.dimensions)
    parts = [cell.data, *numerics_words(cell.numerics), f"seed{cell.seed}"]
    return f"{BUILD}/vectors/{cell.kernel.golden}/{shape}/{'-'.join(parts)}"


def vectors_spec(cell: Cell) -> dict[str, Any]:
    """What `python -m golden.generate` is asked for."""
    return {
        "kernel": cell.kernel.golden,
        # A dimension that the kernel does not know must not make other vectors.
        "shape": {
            name: value if name in cell.kernel.dimensions else 1
            for name, value in cell.shape.values().items()
        },
        "seed": cell.seed,
        "numerics": {
            "rounding": cell.numerics.rounding,
            "per_channel": cell.numerics.per_channel,
            "softmax": cell.numerics.softmax,
            "gelu": cell.numerics.gelu,
        },
        "data": cell.data,
        **({"inputs": cell.inputs_file} if cell.inputs_file else {}),
        "classes": list(VALUE_CLASSES),
    }


def run_spec(planned: PlannedCell) -> dict[str, Any]:
    """What a run depends on besides firmware, inputs and simulator."""
    cell, needs = planned.cell, planned.needs
    settings = simulator_settings(cell.target, cell.simulator, cell.settings, cell.command)
    return {
        "kernel": cell.kernel.name,
        "operands": [[operand.name, operand.role] for operand in cell.kernel.operands],
        "params": list(cell.kernel.params),
        "cores": cell.cores,
        "schedule": list(cell.schedule.values().values()),
        "scratch_bytes": needs.scratch_bytes,
        "output_bytes": needs.output_bytes,
        "max_instructions": instruction_limit(cell.target, needs)
        * cell.schedule.passes(cell.shape.S, cell.cores),
        "wall_seconds": cell.target.limits["wall_seconds"],
        "simulator": cell.simulator,
        "adapter": adapter_of(cell.simulator, settings["options"]),
        "settings": settings,
    }


def simulator_settings(
    target: Target,
    simulator: str,
    changed: Iterable[tuple[str, str]] = (),
    command: str | None = None,
) -> dict[str, Any]:
    """What a simulator is told besides the image; part of what a run depends on."""
    options = {**target.simulator_settings.get(simulator, {}), **dict(changed)}
    check_settings(simulator, options)
    if simulator in EXTERNAL:
        options = settings_that_apply(simulator, options)
        module = importlib.import_module(adapter_of(simulator, options))
        document = target.raw if command is None else {**target.raw, "command": command}
        return {"options": options, **module.settings(document)}
    if not EMBEDDED[simulator].needs_costs:
        # The link script puts the stacks first into the data memory, core 0's lowest.
        stacks = [target.memory["data"].origin, target.raw["stack_bytes"]]
        return {"options": options, "stacks": stacks}
    return {
        "options": options,
        "core": target.isas[0],
        "memory": [[region.origin, region.bytes] for _, region in sorted(target.memory.items())],
    }


def instruction_limit(target: Target, needs: Needs) -> int:
    """The primary limit of a run: far above what any correct kernel needs, yet seconds."""
    limits = target.limits
    runs = len(VALUE_CLASSES) + 1
    work = limits["instructions_per_mac"] * needs.macs
    work += limits["instructions_per_element"] * needs.elements
    return int(limits["base_instructions"] + runs * work)


def check_spec(cell: Cell) -> dict[str, Any]:
    """The check policy, and the names that a message about a mismatch uses."""
    return {
        "policy": "bit-exact",
        "classes": list(VALUE_CLASSES),
        "operands": [operand.name for operand in cell.kernel.operands],
        "axes": list(cell.kernel.operands[-1].axes),
    }
