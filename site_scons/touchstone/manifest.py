# SPDX-License-Identifier: Apache-2.0
"""What kernel.yaml and target.yaml say, as frozen values."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from touchstone.errors import UserError, unknown
from touchstone.expression import FUNCTIONS, VARIABLES, evaluate, names_in
from touchstone.inside import check_inside
from touchstone.manifest_names import check_names
from touchstone.rooms import support_of
from touchstone.schema import load_validated

DIMENSIONS = ("S", "E", "P", "H", "F")
TYPE_BYTES = {"int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4}
ANY_ISA = "any"
Setting = int | str


@dataclass(frozen=True)
class Operand:
    """One operand; `shape` holds expressions over S, E, P, H, F and per_channel."""

    name: str
    role: str
    type: str
    shape: tuple[str, ...]
    axes: tuple[str, ...]

    def dimensions(self, variables: Mapping[str, int], where: str) -> tuple[int, ...]:
        """The shape in numbers."""
        return tuple(evaluate(text, variables, where) for text in self.shape)


@dataclass(frozen=True)
class Variant:
    """One way to compute a kernel: its sources, its weight layout, its scratch.

    `schedule`: the parts of a schedule that it obeys, tile, heads and order_<name>; `terms`: named
    expressions that `scratch` uses; `generated`: the modules of kernels/generators/ whose assembly
    belongs to it.
    """

    name: str
    isa: str
    sources: tuple[str, ...]
    uses: tuple[str, ...]
    layout: str | None
    scratch: str
    terms: Mapping[str, str] = field(default_factory=dict, hash=False)
    schedule: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Kernel:
    """One operation. `folder` is its folder's name below kernels/ of `support` (rooms.py); `check`
    is the source of its argument checks, `args` the C struct of its arguments."""

    name: str
    folder: str
    summary: str
    header: str
    glue: str
    golden: str
    macs: str
    elements: str
    peak: str
    params: tuple[str, ...]
    operands: tuple[Operand, ...]
    layouts: Mapping[str, Mapping[str, str]]
    variants: tuple[Variant, ...]
    support: str = ""
    check: str | None = None
    args: str = ""

    @cached_property
    def directory(self) -> str:
        """Its folder, relative to the project."""
        return posixpath.join(self.support, "kernels", self.folder)

    @cached_property
    def where(self) -> str:
        """How messages name this manifest."""
        return f"{self.directory}/kernel.yaml"

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions this kernel's operands depend on, in S, E, P, H, F order."""
        used: set[str] = set()
        for operand in self.operands:
            for text in operand.shape:
                used |= names_in(text)
        return tuple(name for name in DIMENSIONS if name in used)

    def variant(self, name: str) -> Variant:
        """The variant of that name."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise UserError(
            unknown(f"{self.where}: variant", name, (entry.name for entry in self.variants))
        )

    def default_variant(self, isas: Iterable[str]) -> Variant | None:
        """The first variant that a core with these ISAs runs: manifests list the best first."""
        runnable = {*isas, ANY_ISA}
        return next((entry for entry in self.variants if entry.isa in runnable), None)


@dataclass(frozen=True)
class Toolchain:
    """One toolchain's flags for one target."""

    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Region:
    """A memory region."""

    origin: int
    bytes: int


@dataclass(frozen=True, eq=False)
class Target:
    """One microcontroller. `raw` is the manifest as it stands, for whoever needs the rest."""

    name: str
    folder: str
    summary: str
    isas: tuple[str, ...]
    max_cores: int
    default_cores: int
    clock_hz: int
    active_milliwatts: float
    peak: Mapping[str, float]
    memory: Mapping[str, Region]
    toolchains: tuple[Toolchain, ...]
    simulators: tuple[str, ...]
    simulator_settings: Mapping[str, Mapping[str, Setting]]
    sources: tuple[str, ...]
    limits: Mapping[str, float]
    raw: Mapping[str, Any] = field(repr=False)
    support: str = ""

    @property
    def directory(self) -> str:
        """Its folder, relative to the project."""
        return posixpath.join(self.support, "targets", self.folder)

    @property
    def where(self) -> str:
        """How messages name this manifest."""
        return f"{self.directory}/target.yaml"

    def memory_map(self, simulator: str) -> str | None:
        """The map to link for where a simulator's memory is not the chip's, else None."""
        return simulator if simulator in self.raw.get("memory_maps", {}) else None

    def memory_of(self, simulator: str) -> Mapping[str, Region]:
        """The memory regions that a cell has on a simulator."""
        name = self.memory_map(simulator)
        return self.memory if name is None else regions(self.raw["memory_maps"][name])

    def toolchain(self, name: str) -> Toolchain:
        """The toolchain of that name."""
        for toolchain in self.toolchains:
            if toolchain.name == name:
                return toolchain
        names = (entry.name for entry in self.toolchains)
        raise UserError(unknown(f"toolchain (target {self.name})", name, names))


def load_kernel(root: Path, folder: str, cache: Path, support: str = "") -> Kernel:
    """Read kernels/<folder>/kernel.yaml of `support` in the project."""
    path = root / support / "kernels" / folder / "kernel.yaml"
    document = load_validated(path, "kernel", cache)
    kernel = Kernel(
        name=document["name"],
        folder=folder,
        summary=document["summary"],
        header=document["header"],
        glue=document["glue"],
        check=document.get("check"),
        args=document.get("args", f"ts_{document['name']}_args"),
        golden=document["golden"],
        macs=str(document["macs"]),
        elements=str(document["elements"]),
        peak=document["peak"],
        params=tuple(document["params"]),
        operands=tuple(_operand(entry) for entry in document["operands"]),
        layouts=document.get("layouts", {}),
        variants=tuple(_variant(entry) for entry in document["variants"]),
        support=support,
    )
    own = (kernel.header, kernel.glue, *([kernel.check] if kernel.check else []))
    sources = (name for variant in kernel.variants for name in variant.sources)
    check_inside(root / support, f"kernels/{folder}", ("kernel.yaml", *own, *sources), kernel.where)
    for variant in kernel.variants:
        if variant.layout is not None and variant.layout not in kernel.layouts:
            where = f"{kernel.where}: variants.{variant.name}.layout"
            raise UserError(unknown(where, variant.layout, kernel.layouts))
        _check_scratch(variant, f"{kernel.where}: variants.{variant.name}")
    return kernel


def _check_scratch(variant: Variant, where: str) -> None:
    known: list[str] = []
    for name, text in variant.terms.items():
        if name in VARIABLES or name in FUNCTIONS:
            raise UserError(f"{where}.terms: found {name!r}, which means something already")
        names_in(text, f"{where}.terms.{name}", known)
        known.append(name)
    names_in(variant.scratch, f"{where}.scratch", known)


def _operand(entry: Mapping[str, Any]) -> Operand:
    return Operand(
        name=entry["name"],
        role=entry["role"],
        type=entry["type"],
        shape=tuple(str(text) for text in entry["shape"]),
        axes=tuple(entry.get("axes", ())),
    )


def _variant(entry: Mapping[str, Any]) -> Variant:
    return Variant(
        name=entry["name"],
        isa=entry["isa"],
        sources=tuple(entry["sources"]),
        uses=tuple(entry.get("uses", ())),
        layout=entry.get("layout"),
        scratch=str(entry["scratch"]),
        terms={name: str(text) for name, text in entry.get("terms", {}).items()},
        schedule=tuple(entry.get("schedule", ())),
        generated=tuple(entry.get("generated", ())),
    )


def load_target(root: Path, folder: str, cache: Path, support: str = "") -> Target:
    """Read targets/<folder>/target.yaml of `support` in the project."""
    path = root / support / "targets" / folder / "target.yaml"
    document = load_validated(path, "target", cache)
    target = Target(
        name=document["name"],
        folder=folder,
        summary=document["summary"],
        isas=tuple(document["isas"]),
        max_cores=document["cores"]["max"],
        default_cores=document["cores"]["default"],
        clock_hz=document["clock_hz"],
        active_milliwatts=float(document["power"]["active_mw"]),
        peak=document["peak"],
        memory=regions(document["memory"]),
        toolchains=tuple(
            Toolchain(name, options) for name, options in document["toolchains"].items()
        ),
        simulators=tuple(document["simulators"]),
        simulator_settings=document.get("simulator_settings", {}),
        sources=tuple(document["sources"]),
        limits=document["limits"],
        raw=document,
        support=support,
    )
    own = [name for name in target.sources if not name.startswith("../common/")]
    check_inside(
        root / support, f"targets/{folder}", ("target.yaml", "link.ld", *own), target.where
    )
    return target


def regions(document: Mapping[str, Any]) -> dict[str, Region]:
    """A memory map as target.yaml writes it."""
    return {name: Region(entry["origin"], entry["bytes"]) for name, entry in document.items()}


@dataclass(frozen=True)
class Catalogue:
    """Every kernel and target of a project, by name; `support` has Touchstone's (rooms.py)."""

    kernels: Mapping[str, Kernel]
    targets: Mapping[str, Target]
    support: str = ""


def load_catalogue(root: Path, cache: Path) -> Catalogue:
    """Find every manifest below kernels/ and targets/: a new folder needs no other edit."""
    support = support_of(root)
    kernels: dict[str, Kernel] = {}
    targets: dict[str, Target] = {}
    for place in dict.fromkeys((support, "")):
        for name in _folders(root / place, "kernels", "kernel.yaml"):
            kernel = load_kernel(root, name, cache, place)
            _refuse_twice(kernel, kernels)
            kernels[kernel.name] = kernel
        for name in _folders(root / place, "targets", "target.yaml"):
            target = load_target(root, name, cache, place)
            _refuse_twice(target, targets)
            targets[target.name] = target
    check_names(root, kernels)
    return Catalogue(kernels, targets, support)


def _refuse_twice(entry: Kernel | Target, known: Mapping[str, Kernel | Target]) -> None:
    """A project's kernels and targets have names, and folders, that Touchstone's do not have."""
    for other in known.values():
        if entry.name == other.name:
            raise UserError(f"{entry.where}: name: found {entry.name!r}, which {other.where} has")
        if entry.folder == other.folder:
            raise UserError(
                f"{entry.directory}: found a name that {other.directory} has, allowed another"
            )


def _folders(root: Path, room: str, manifest: str) -> list[str]:
    return sorted(path.parent.name for path in (root / room).glob(f"*/{manifest}"))
