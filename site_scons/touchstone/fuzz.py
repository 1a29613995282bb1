# SPDX-License-Identifier: Apache-2.0
"""`./scons fuzz seed=N cells=N [target= kernel= variant=]`: cells that nobody thought of.

Shapes, cores, numerics, schedules and seeds of the vectors are drawn from the seed; every cell has
all value classes, guards around its operands, and a simulator that faults on any access beyond
them. The cells are written as a matrix, build/fuzz/seed-N.yaml, and run as any other; the line that
reruns a failing cell needs no seed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from touchstone.app import YAML_CACHE
from touchstone.cells import Cell, Numerics, Shape, id_dimensions, relevant_numerics
from touchstone.config import select_names
from touchstone.environment import Layout, translated_status
from touchstone.errors import UserError, unknown
from touchstone.files import write_atomically
from touchstone.graph import BUILD
from touchstone.manifest import ANY_ISA, Catalogue, Kernel, Target, Variant, load_catalogue
from touchstone.request import Request, parse_request
from touchstone.schedule import OWN, Schedule
from touchstone.sizes import needs_of, skip_reason

ALLOWED = ("seed", "cells", "target", "kernel", "variant")
SETTINGS = (("over_reads", "trap"),)
DEFAULT_CELLS = 100
MAX_CELLS = 100_000
MAX_MACS = 1_500_000
MAX_ELEMENTS = 100_000
_ATTEMPTS = 1000
_LARGEST_SEED = 2**31 - 1
# Dimensions are small most of the time: that is where tails, remainders and idle cores are.
_RANGES = {
    "S": ((6, 1, 17), (3, 18, 40), (1, 41, 130)),
    "E": ((6, 1, 24), (3, 25, 48), (1, 49, 100)),
    "P": ((6, 1, 9), (3, 10, 36), (1, 37, 70)),
    "H": ((6, 1, 4), (3, 5, 9), (1, 10, 17)),
    "F": ((6, 1, 24), (3, 25, 70), (1, 71, 140)),
}


class Draw:
    """Whole numbers that depend on a text only: the same on every machine and every Python."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._count = 0

    def below(self, limit: int) -> int:
        """From 0 to limit - 1."""
        self._count += 1
        digest = hashlib.sha256(f"{self._text}/{self._count}".encode()).digest()
        return int.from_bytes(digest[:8], "little") * limit >> 64

    def dimension(self, name: str) -> int:
        """A size for one of S, E, P, H, F."""
        ranges = _RANGES[name]
        ticket = self.below(sum(weight for weight, _, _ in ranges))
        for weight, low, high in ranges:
            if ticket < weight:
                return low + self.below(high - low + 1)
            ticket -= weight
        raise AssertionError("the weights add up")


@dataclass(frozen=True)
class Choice:
    """A target, and a variant that it runs."""

    target: Target
    kernel: Kernel
    variant: Variant


def choices(catalogue: Catalogue, request: Request) -> list[Choice]:
    """What can be drawn under the command line's target=, kernel= and variant=."""
    targets = select_names(request.target or ("*",), list(catalogue.targets), "target")
    kernels = select_names(request.kernel or ("*",), list(catalogue.kernels), "kernel")
    names = dict.fromkeys(
        variant.name for name in kernels for variant in catalogue.kernels[name].variants
    )
    variants = select_names(request.variant or ("*",), list(names), "variant")
    found = [
        Choice(target, kernel, variant)
        for target in (catalogue.targets[name] for name in targets)
        for kernel in (catalogue.kernels[name] for name in kernels)
        for variant in kernel.variants
        if variant.name in variants and variant.isa in (*target.isas, ANY_ISA)
    ]
    if not found:
        raise UserError("fuzz: nothing selected: no target runs any of these variants")
    return found


def draw_cells(found: Sequence[Choice], seed: int, count: int) -> list[Cell]:
    """`count` different cells that fit their targets; the choices take turns, so that none is
    left out."""
    cells: dict[str, Cell] = {}
    turns = _shuffled(found, Draw(f"{seed}/turns"))
    for index in range(count * _ATTEMPTS):
        cell = draw_cell(turns[len(cells) % len(turns)], Draw(f"{seed}/{index}"))
        if cell.id not in cells and fits(cell):
            cells[cell.id] = cell
        if len(cells) == count:
            return list(cells.values())
    raise UserError(f"fuzz: found {len(cells)} different cells, asked for {count}")


def _shuffled(found: Sequence[Choice], draw: Draw) -> list[Choice]:
    left, turns = list(found), []
    while left:
        turns.append(left.pop(draw.below(len(left))))
    return turns


def draw_cell(choice: Choice, draw: Draw) -> Cell:
    """Any cell of a target and variant; it may be too large."""
    sizes = {name: draw.dimension(name) for name in "SEPHF"}
    names = id_dimensions(choice.kernel)
    numerics = Numerics(
        rounding=("floor", "half_up")[draw.below(2)],
        per_channel=draw.below(2) == 1,
        softmax=("authors", "accurate", "wide")[draw.below(3)],
        gelu=("i_gelu", "accurate")[draw.below(2)],
    )
    return Cell(
        target=choice.target,
        kernel=choice.kernel,
        variant=choice.variant,
        shape=Shape(**{name: size for name, size in sizes.items() if name in names}),
        cores=1 + draw.below(choice.target.max_cores),
        seed=draw.below(_LARGEST_SEED),
        numerics=relevant_numerics(choice.kernel, numerics),
        data="random",
        toolchain=choice.target.toolchains[0].name,
        simulator=choice.target.simulators[0],
        cflags=(),
        settings=SETTINGS,
        schedule=draw_schedule(choice.variant, sizes, draw),
    )


def draw_schedule(variant: Variant, sizes: Mapping[str, int], draw: Draw) -> Schedule:
    """What the variant obeys, each part as often left to it as said."""
    schedule = OWN
    orders = [part.removeprefix("order_") for part in variant.schedule if part.startswith("order_")]
    if "tile" in variant.schedule and draw.below(2):
        schedule = replace(schedule, tile=1 + draw.below(sizes["S"] + 2))
    if "heads" in variant.schedule and draw.below(2):
        schedule = replace(schedule, heads=1 + draw.below(sizes["H"] + 1))
    if orders and draw.below(4):
        schedule = replace(schedule, order=orders[draw.below(len(orders))])
    return schedule


def fits(cell: Cell) -> bool:
    """Whether it runs within its target's memory and within a moment."""
    needs = needs_of(cell)
    work = needs.macs * cell.schedule.passes(cell.shape.S, cell.cores)
    small = work <= MAX_MACS and needs.elements <= MAX_ELEMENTS
    return small and skip_reason(cell, needs) is None


def matrix_text(cells: Sequence[Cell], title: str) -> str:
    """The matrix file that has these cells and no others."""
    lines = ["# SPDX-License-Identifier: Apache-2.0", f"# {title}", "schema: 1", "cells:"]
    for index, cell in enumerate(cells):
        numerics, schedule = cell.numerics, cell.schedule
        shape = ", ".join(f"{name}: {getattr(cell.shape, name)}" for name in "SEPHF")
        parts = [f"tile: {schedule.tile}"] if schedule.tile else []
        parts += [f"heads: {schedule.heads}"] if schedule.heads else []
        parts += [f"order: {schedule.order}"] if schedule.order else []
        lines += [
            f"  - name: '{index}'",
            f"    targets: {cell.target.name}",
            f"    kernels: {cell.kernel.name}",
            f"    variants: {cell.variant.name}",
            f"    shapes: [{{{shape}}}]",
            f"    cores: {cell.cores}",
            f"    seed: {cell.seed}",
            f"    numerics: {{rounding: {numerics.rounding}, "
            f"per_channel: {str(numerics.per_channel).lower()}, "
            f"softmax: {numerics.softmax}, gelu: {numerics.gelu}}}",
        ]
        lines += [f"    schedules: [{{{', '.join(parts)}}}]"] if parts else []
    return "\n".join(lines) + "\n"


def command(root: Path, arguments: Mapping[str, str]) -> int:
    """Draw, write the matrix, run it; the exit status of the run."""
    for name in arguments:
        if name not in ALLOWED:
            raise UserError(unknown("fuzz: variable", name, ALLOWED))
    if "seed" not in arguments:
        raise UserError("fuzz: found no seed=, allowed a whole number, so that it can be repeated")
    words = {name: value for name, value in arguments.items() if name != "cells"}
    request = parse_request(words)
    count = _count(arguments.get("cells", str(DEFAULT_CELLS)))
    catalogue = load_catalogue(root, root / YAML_CACHE)
    seed = request.seed or 0
    cells = draw_cells(choices(catalogue, request), seed, count)
    said = " ".join(f"{name}={value}" for name, value in sorted(arguments.items()))
    path = f"{BUILD}/fuzz/seed-{seed}.yaml"
    text = matrix_text(cells, f"./scons fuzz {said}")
    write_atomically(root / path, text.encode("ascii"))
    print(f"{path}: {len(cells)} cells", flush=True)
    return run_build(
        root, [f"config={path}", *(f"settings={name}:{value}" for name, value in SETTINGS)]
    )


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= count <= MAX_CELLS:
        raise UserError(f"cells={text}: found {text!r}, allowed whole numbers 1 to {MAX_CELLS}")
    return count


def run_build(root: Path, words: Sequence[str]) -> int:
    """Run a build command of its own; its exit status."""
    status = Path(Layout(str(root)).exit_status)
    status.unlink(missing_ok=True)
    environ = {**os.environ, "PYTHONPATH": str(root / "site_scons")}
    program = [sys.executable, "-m", "touchstone.start", "-Q", *words]
    code = subprocess.run(program, cwd=root, env=environ, check=False).returncode
    return translated_status(code, str(status))
