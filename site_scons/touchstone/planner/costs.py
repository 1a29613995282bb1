# SPDX-License-Identifier: Apache-2.0
"""Cycles of a cell: measured, else recorded in the checkout, else by a model fitted to both.

The model of a kernel variant on a target is a sum of the cell's features (planner.features) with
coefficients >= 0, fitted by least squares of the relative error to the plain cells of that variant
that have been measured: those within a factor of NEAR of the cell's work, where there are enough.
Nothing fitted is kept: a new measurement makes a new model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from touchstone.cellid import parse_cell_id
from touchstone.cells import DEFAULT_DATA, Cell, Numerics
from touchstone.errors import UserError
from touchstone.manifest import Catalogue
from touchstone.planner.features import features

MEASURED, RECORDED, MODEL = "measured", "recorded", "model"
NEAR = 4
_LEAST_POINTS = 3
_ENOUGH_POINTS = 6


@dataclass(frozen=True)
class Cost:
    """Cycles and how they are known; `error` is the model's worst relative error so far."""

    cycles: int
    source: str
    error: float = 0.0

    @property
    def at_most(self) -> int:
        """What it may turn out to be, by that error."""
        return round(self.cycles * (1 + self.error))


@dataclass(frozen=True)
class Model:
    """Coefficients of one variant's features."""

    coefficients: tuple[float, ...]
    points: int
    error: float

    def cycles(self, cell: Cell) -> int:
        """The estimate."""
        pairs = zip(self.coefficients, features(cell), strict=True)
        return round(sum(coefficient * feature for coefficient, feature in pairs))


class Costs:
    """Everything that is known of the cycles of a checkout's cells."""

    def __init__(
        self, catalogue: Catalogue, measured: Mapping[str, int], recorded: Mapping[str, int]
    ) -> None:
        self._measured = measured
        self._recorded = recorded
        known = {**recorded, **measured}
        self._points: dict[tuple[str, str, str], list[tuple[Cell, int]]] = {}
        for cell in _plain_cells(catalogue, known):
            self._points.setdefault(_key(cell), []).append((cell, known[cell.id]))
        self._models: dict[tuple[str, ...], Model | None] = {}

    def of(self, cell: Cell) -> Cost | None:
        """The cycles of a cell; None where nothing of its variant was ever measured."""
        if cell.id in self._measured:
            return Cost(self._measured[cell.id], MEASURED)
        if cell.id in self._recorded:
            return Cost(self._recorded[cell.id], RECORDED)
        model = self.model(cell)
        return None if model is None else Cost(model.cycles(cell), MODEL, model.error)

    def model(self, cell: Cell) -> Model | None:
        """The model of a cell's variant on its target, for work of its size."""
        points = self._points.get(_key(cell), [])
        work = features(cell)[0]
        near = [p for p in points if work / NEAR <= features(p[0])[0] <= work * NEAR]
        used = near if len(near) >= _ENOUGH_POINTS else points
        key = (*_key(cell), *(point.id for point, _ in used))
        if key not in self._models:
            self._models[key] = fit(used)
        return self._models[key]


def _key(cell: Cell) -> tuple[str, str, str]:
    return cell.target.name, cell.kernel.name, cell.variant.name


def _plain_cells(catalogue: Catalogue, ids: Iterable[str]) -> list[Cell]:
    """The cells among `ids` that differ in shape, cores and schedule only; what no longer exists
    is passed over."""
    cells = []
    for name in sorted(ids):
        try:
            cell = parse_cell_id(catalogue, name, ())
        except UserError:
            continue
        plain = (cell.target.toolchains[0].name, cell.target.simulators[0])
        here = (cell.toolchain, cell.simulator)
        if here == plain and not cell.settings and cell.numerics == Numerics():
            cells += [cell] if cell.data == DEFAULT_DATA else []
    return cells


def fit(points: list[tuple[Cell, int]]) -> Model | None:
    """The model of measured cells of one variant, None for too few."""
    if len(points) < _LEAST_POINTS:
        return None
    # Imported here: what is measured needs no model.
    import numpy as np

    rows = np.array([features(cell) for cell, _ in points])
    rows /= np.array([[cycles] for _, cycles in points], dtype=float)
    # With few points the least important features are left out: the first is the work.
    names = [0, rows.shape[1] - 1, *range(1, rows.shape[1] - 1)][: max(1, len(points) - 1)]
    used = sorted(names)
    ones = np.ones(len(points))
    while True:
        found = np.linalg.lstsq(rows[:, used], ones, rcond=None)[0]
        negative = [index for index, value in zip(used, found, strict=True) if value < 0]
        if not negative:
            break
        # No work takes less than no time: the most negative feature goes, the others are refitted.
        worst = used[int(np.argmin(found))]
        used = [index for index in used if index != worst]
    coefficients = [0.0] * rows.shape[1]
    for index, value in zip(used, found, strict=True):
        coefficients[index] = float(value)
    error = float(np.abs(rows @ np.array(coefficients) - ones).max())
    return Model(tuple(coefficients), len(points), error)
