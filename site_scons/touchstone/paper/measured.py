# SPDX-License-Identifier: Apache-2.0
"""What was measured, found by what it is: rows of results.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """A shape by its letters, and the name that the paper has for it."""

    name: str
    S: int
    E: int
    P: int
    H: int

    @property
    def words(self) -> str:
        """As in a cell's id."""
        return f"S{self.S}-E{self.E}-P{self.P}-H{self.H}"

    def of(self, cell: Cell) -> bool:
        """Whether a cell has this shape."""
        shape = cell["shape"]
        return (shape["S"], shape["E"], shape["P"], shape["H"]) == (self.S, self.E, self.P, self.H)


EEG = Shape("EEGFormer", 81, 32, 32, 8)
TR = Shape("TR", 4, 32, 32, 8)
ECG = Shape("ECGFormer", 66, 16, 2, 8)
LARGE = Shape("large", 128, 64, 64, 8)
SHAPES = (EEG, TR, ECG, LARGE)


@dataclass(frozen=True)
class Measured:
    """All cells of the command, and where their clocks and peers stand.

    `clocks`: cycles per second of each target. `peers`: rows of peers.json, empty where nobody
    made it.
    """

    cells: tuple[Cell, ...]
    clocks: Mapping[str, int]
    peers: tuple[Mapping[str, Any], ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that anything was run on, in the order of their cells."""
        return tuple(dict.fromkeys(cell["target"] for cell in self.cells))

    def passed(self) -> tuple[Cell, ...]:
        """The cells that may be quoted."""
        return tuple(cell for cell in self.cells if cell["status"] == "PASS")

    def find(
        self,
        target: str,
        kernel: str,
        shape: Shape,
        *,
        cores: int | None = None,
        variant: str | None = None,
        order: str | None = None,
    ) -> Cell | None:
        """The passed cell that is all this; without `cores` that with the most.

        Without `variant` and `order` it is the target's best variant with its own schedule.
        """
        found = [
            cell
            for cell in self.passed()
            if (cell["target"], cell["kernel"]) == (target, kernel)
            and shape.of(cell)
            and cores in (None, cell["cores"])
            and variant in (None, cell["variant"])
            and (variant or order or cell["id"].split("/")[1] == kernel)
            and (order or None) == (cell["schedule"].get("order") or None)
        ]
        return max(found, key=lambda cell: int(cell["cores"]), default=None)

    def milliseconds(self, cell: Cell) -> float | None:
        """The time of a cell at its target's clock."""
        cycles = cell["cycles"]
        return None if cycles is None else 1e3 * int(cycles) / self.clocks[cell["target"]]


def ratio(above: Cell | None, below: Cell | None, key: str = "cycles") -> float | None:
    """How many times as much of `key` one cell takes as another; None where one is missing."""
    if above is None or below is None or not above[key] or not below[key]:
        return None
    return float(above[key]) / float(below[key])


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that are there."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
