# SPDX-License-Identifier: Apache-2.0
"""From a matrix and a command line to cells: what is asked for, and whether it fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import product

from touchstone.cellid import parse_cell_id
from touchstone.cells import Cell, Shape, id_dimensions, relevant_numerics
from touchstone.config import ALL, GLOB_SIGNS, ConfigEntry, Matrix, select_names
from touchstone.errors import UserError, unknown
from touchstone.manifest import ANY_ISA, Catalogue, Kernel, Target, Variant
from touchstone.request import Request
from touchstone.schedule import Schedule
from touchstone.simulators.registry import check_platform, check_settings
from touchstone.sizes import Needs, needs_of, skip_reason

DEFAULT = "default"
# What a dimension is when only others are said and no configured shape has those: EEGFormer's.
REFERENCE_SHAPE = Shape(S=81, E=32, P=32, H=8, F=128)


@dataclass(frozen=True)
class PlannedCell:
    """A cell with what it needs; `skip` says why it cannot run, None where it can."""

    cell: Cell
    needs: Needs
    skip: str | None


def plan_cells(catalogue: Catalogue, matrix: Matrix, request: Request) -> list[PlannedCell]:
    """The selected cells in the matrix's order, each once. No cell at all is an error."""
    if request.cell is not None and GLOB_SIGNS.isdisjoint(request.cell):
        cells: Iterable[Cell] = [
            parse_cell_id(catalogue, request.cell, request.cflags, request.command)
        ]
    else:
        cells = _Selection(catalogue, matrix, request).cells()
    unique = {cell.id: cell for cell in cells}
    if request.cell is not None:
        unique = {name: cell for name, cell in unique.items() if fnmatchcase(name, request.cell)}
    if not unique:
        raise UserError(f"nothing selected: no cell of {matrix.path} matches the command line")
    return [planned_cell(cell) for cell in unique.values()]


def chosen_settings(
    target: Target, simulator: str, said: Iterable[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The settings said that differ from target.yaml's; a name that it lacks is an error."""
    known = target.simulator_settings.get(simulator, {})
    for name, _ in said:
        if name not in known:
            raise UserError(unknown(f"settings ({simulator} on {target.name})", name, known))
    check_settings(simulator, dict(said))
    check_platform(simulator, dict(said))
    return tuple(sorted((name, value) for name, value in said if str(known[name]) != value))


def planned_cell(cell: Cell) -> PlannedCell:
    """The cell with what it needs, and whether that fits."""
    needs = needs_of(cell)
    return PlannedCell(cell, needs, skip_reason(cell, needs))


class _Selection:
    """One command line applied to one matrix."""

    def __init__(self, catalogue: Catalogue, matrix: Matrix, request: Request) -> None:
        self._catalogue = catalogue
        self._matrix = matrix
        self._request = request
        targets, kernels = catalogue.targets, catalogue.kernels
        self._targets = select_names(request.target or ALL, list(targets), "target")
        self._kernels = select_names(request.kernel or ALL, list(kernels), "kernel")
        self._check_cores()
        self._check_variants()

    def cells(self) -> Iterator[Cell]:
        """Every cell of every entry that the command line lets through."""
        wanted = self._wanted_shapes()
        for entry in self._matrix.entries:
            known = self._catalogue
            targets = select_names(entry.targets, list(known.targets), f"{entry.where}.targets")
            kernels = select_names(entry.kernels, list(known.kernels), f"{entry.where}.kernels")
            for target_name, kernel_name in product(targets, kernels):
                if target_name in self._targets and kernel_name in self._kernels:
                    target = self._catalogue.targets[target_name]
                    kernel = self._catalogue.kernels[kernel_name]
                    yield from self._entry_cells(entry, target, kernel, wanted)

    def _entry_cells(
        self, entry: ConfigEntry, target: Target, kernel: Kernel, wanted: list[Shape] | None
    ) -> Iterator[Cell]:
        shapes: Iterable[Shape] = entry.shapes
        if wanted is not None:
            shapes = [shape for shape in wanted if self._takes(entry, shape)]
        variants = list(self._variants(entry, target, kernel))
        points = product(shapes, variants, self._cores(entry, target), self._schedules(entry))
        for shape, variant, cores, schedule in points:
            if not schedule.obeyed(variant.schedule):
                continue
            simulator = self._request.sim or target.simulators[0]
            yield Cell(
                target=target,
                kernel=kernel,
                variant=variant,
                shape=_only(shape, kernel),
                cores=cores,
                seed=self._request.seed if self._request.seed is not None else entry.seed,
                numerics=relevant_numerics(kernel, entry.numerics),
                data=entry.data,
                toolchain=self._toolchain(target),
                simulator=simulator,
                cflags=self._request.cflags,
                settings=chosen_settings(target, simulator, self._request.settings),
                command=self._request.command,
                schedule=schedule,
            )

    def _schedules(self, entry: ConfigEntry) -> tuple[Schedule, ...]:
        """What is said on the command line holds for every variant that obeys it."""
        said = self._request.schedules
        return entry.schedules if said is None else said

    def _takes(self, entry: ConfigEntry, shape: Shape) -> bool:
        """A shape of the command line belongs to the entries that have it; a new one to the
        first entry, whose other settings are the plain ones."""
        if self._known(shape):
            return shape in entry.shapes
        return entry is self._matrix.entries[0]

    def _known(self, shape: Shape) -> bool:
        return any(shape in entry.shapes for entry in self._matrix.entries)

    def _wanted_shapes(self) -> list[Shape] | None:
        """The shapes that S=, E=, P=, H=, F= mean; None where none of them is said.

        Each combination of the values said stands for the configured shapes that have it; where
        there is none, for one new shape whose other dimensions are the reference shape's.
        """
        said = self._request.dimensions
        if said is None:
            return None
        configured = [shape for entry in self._matrix.entries for shape in entry.shapes]
        shapes: dict[Shape, None] = {}
        for values in product(*said.values()):
            chosen = dict(zip(said, values, strict=True))
            matching = [
                shape
                for shape in configured
                if all(getattr(shape, name) == value for name, value in chosen.items())
            ]
            shapes.update(dict.fromkeys(matching or [replace(REFERENCE_SHAPE, **chosen)]))
        return list(shapes)

    def _variants(self, entry: ConfigEntry, target: Target, kernel: Kernel) -> Iterator[Variant]:
        words = self._request.variant or entry.variants or (DEFAULT,)
        isas = (*target.isas, ANY_ISA)
        runnable = [variant for variant in kernel.variants if variant.isa in isas]
        for variant in runnable:
            is_default = variant is runnable[0] and DEFAULT in words
            if is_default or any(fnmatchcase(variant.name, _glob(word)) for word in words):
                yield variant

    def _cores(self, entry: ConfigEntry, target: Target) -> Iterator[int]:
        counts = self._request.cores or entry.cores or (target.default_cores,)
        yield from (count for count in counts if count <= target.max_cores)

    def _toolchain(self, target: Target) -> str:
        if self._request.toolchain is None:
            return target.toolchains[0].name
        return target.toolchain(self._request.toolchain).name

    def _check_cores(self) -> None:
        """A number of cores that a target named on the command line lacks is an error."""
        for count in self._request.cores or ():
            limits = {name: self._catalogue.targets[name].max_cores for name in self._targets}
            short = [name for name, most in limits.items() if most < count]
            if short and (self._request.target is not None or len(short) == len(limits)):
                allowed = ", ".join(f"1 to {limits[name]} on {name}" for name in short)
                raise UserError(f"cores={count}: found {count}, allowed {allowed}")

    def _check_variants(self) -> None:
        """A variant that no selected kernel has is an error, not an empty selection."""
        names = dict.fromkeys(
            variant.name
            for kernel in self._kernels
            for variant in self._catalogue.kernels[kernel].variants
        )
        key = "variant" if self._request.compare is None else "compare"
        for word in self._request.variant or ():
            if word != DEFAULT:
                select_names((word,), list(names), key)


def _glob(word: str) -> str:
    return "*" if word == "all" else word


def _only(shape: Shape, kernel: Kernel) -> Shape:
    """The shape without the dimensions that the cells of a kernel do not show."""
    names = id_dimensions(kernel)
    return Shape(**{name: getattr(shape, name) for name in names})
