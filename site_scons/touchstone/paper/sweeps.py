# SPDX-License-Identifier: Apache-2.0
"""MAC/cycle over one dimension at a time: lines for plots, rows for tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from touchstone.paper.measured import Measured, Shape

KERNEL = "mhsa"
# What the other dimensions are held at while one is turned; configs/paper.yaml has the same.
HELD: Mapping[str, Mapping[str, int]] = {
    "S": {"E": 32, "P": 16, "H": 8},
    "E": {"S": 32, "P": 16, "H": 8},
    "P": {"S": 32, "E": 32, "H": 8},
    "H": {"S": 32, "E": 32, "P": 16},
}


@dataclass(frozen=True)
class Sweep:
    """MAC/cycle of each target over the values of a dimension."""

    dimension: str
    held: str
    lines: Mapping[str, tuple[tuple[int, float], ...]]


def sweeps(measured: Measured) -> list[Sweep]:
    """Those of the four dimensions that anything was measured for."""
    found = [_sweep(measured, dimension) for dimension in HELD]
    return [sweep for sweep in found if any(sweep.lines.values())]


def _sweep(measured: Measured, dimension: str) -> Sweep:
    held = HELD[dimension]
    most = {target: _most_cores(measured, target) for target in measured.targets}
    lines = {}
    for target in measured.targets:
        points = {
            int(cell["shape"][dimension]): float(cell["mac_per_cycle"])
            for cell in measured.passed()
            if (cell["target"], cell["kernel"], cell["cores"]) == (target, KERNEL, most[target])
            and all(cell["shape"][name] == value for name, value in held.items())
            and cell["mac_per_cycle"] is not None
        }
        lines[target] = tuple(sorted(points.items()))
    return Sweep(dimension, " ".join(f"{name}={value}" for name, value in held.items()), lines)


def _most_cores(measured: Measured, target: str) -> int:
    return max(int(cell["cores"]) for cell in measured.cells if cell["target"] == target)


def cores(measured: Measured, target: str, shape: Shape) -> tuple[tuple[int, float], ...]:
    """Speed-up over one core."""
    one = measured.find(target, KERNEL, shape, cores=1)
    if one is None or not one["cycles"]:
        return ()
    found = {
        int(cell["cores"]): int(one["cycles"]) / int(cell["cycles"])
        for cell in measured.passed()
        if (cell["target"], cell["kernel"]) == (target, KERNEL)
        and shape.of(cell)
        and cell["cycles"]
    }
    return tuple(sorted(found.items()))
