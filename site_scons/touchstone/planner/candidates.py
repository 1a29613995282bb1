# SPDX-License-Identifier: Apache-2.0
"""The ways to compute an operation at a shape: kernels of one golden model, variants, schedules.

What they give is the same, bit for bit: a choice among them changes cycles and memory only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from touchstone.cells import DEFAULT_SEED, Cell, Numerics, Shape, id_dimensions
from touchstone.manifest import ANY_ISA, Catalogue, Kernel, Target, Variant
from touchstone.schedule import OWN, Schedule
from touchstone.sizes import Needs, needs_of, skip_reason

_TILES = (1, 2, 3, 4, 8, 16)
_HEADS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Question:
    """What is to be computed where."""

    target: Target
    shape: Shape
    cores: int


@dataclass(frozen=True)
class Candidate:
    """One way; `skip` says why it does not fit the target, None where it does."""

    cell: Cell
    needs: Needs
    skip: str | None

    @property
    def command(self) -> str:
        """The command line that measures it."""
        return self.cell.rerun


def candidates(
    catalogue: Catalogue, question: Question, golden: str, variants: Sequence[str] | None
) -> list[Candidate]:
    """Every way to compute the operation of a golden model; `variants` None for all."""
    found = []
    for kernel in catalogue.kernels.values():
        if kernel.golden != golden:
            continue
        for variant in kernel.variants:
            if variant.isa not in (*question.target.isas, ANY_ISA):
                continue
            if variants is not None and variant.name not in variants:
                continue
            for schedule in schedules(variant, question):
                cell = make_cell(question, kernel, variant, schedule)
                needs = needs_of(cell)
                found.append(Candidate(cell, needs, skip_reason(cell, needs)))
    return found


def schedules(variant: Variant, question: Question) -> Iterator[Schedule]:
    """The variant's own choice, then those worth a thought at a shape."""
    yield OWN
    if not variant.schedule:
        return
    rows, cores = question.shape.S, question.cores
    tiles = {*_TILES, -(-rows // cores), -(-rows // 2), -(-rows // 3), rows}
    heads = {*_HEADS, question.shape.H}
    orders = [part.removeprefix("order_") for part in variant.schedule if part.startswith("order_")]
    for order in orders or [""]:
        for tile in sorted(tiles) if "tile" in variant.schedule else [0]:
            for count in sorted(heads) if "heads" in variant.schedule else [0]:
                if tile <= rows and count <= question.shape.H:
                    yield Schedule(tile, count, order)


def make_cell(
    question: Question, kernel: Kernel, variant: Variant, schedule: Schedule = OWN
) -> Cell:
    """The plain cell of a way: default numerics, toolchain and simulator."""
    names = id_dimensions(kernel)
    return Cell(
        target=question.target,
        kernel=kernel,
        variant=variant,
        shape=Shape(**{name: getattr(question.shape, name) for name in names}),
        cores=question.cores,
        seed=DEFAULT_SEED,
        numerics=Numerics(),
        data="random",
        toolchain=question.target.toolchains[0].name,
        simulator=question.target.simulators[0],
        cflags=(),
        schedule=schedule,
    )
