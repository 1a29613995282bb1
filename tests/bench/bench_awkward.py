# SPDX-License-Identifier: Apache-2.0
"""Whether an awkward shape's attention is slower than half of what its nearest ordinary shape does.

    ./scons; build/env/bin/python tests/bench/bench_awkward.py [all] [TARGET...]

Runs `mhsa` at every shape and number of cores of configs/awkward.yaml that names the target, and at
the four shapes of the table in the README, each target's best variant, with the table's numerics,
so that nothing but the shape differs.

- MAC/cycle of an awkward shape counts padded MACs: S, E and P rounded up to a multiple of four, the
  side of the smallest tile of every target's products: 4 S E P H + 2 H S S P of the rounded ones.
  Of the table's shapes it is the table's own figure, nothing rounded.
- The nearest shape of the table is the one with the least distance between the logarithms of
  (S, E, P, H), all rounded as above: a factor of two in any dimension counts the same. Its figure
  is that of the same number of cores. A shape that the variant has no room for (128, 64, 64, 8 on
  stm32l4) is no one's nearest.

Prints the shapes below half, the lowest first, and the count of each target; `all` prints every
shape. Status 1 where one is below half. 320 cells a target (gap9 more), some five a second.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "site_scons"), str(ROOT)]

from touchstone import app  # noqa: E402
from touchstone.errors import UserError  # noqa: E402

KERNEL = "mhsa"
AWKWARD = "configs/awkward.yaml"
MATRIX = "build/awkward/{target}.yaml"
TARGETS = ("gap9", "stm32h7", "stm32l4")
TILE = 4
HALF = 0.5

Letters = tuple[int, int, int, int]
TABLE: tuple[Letters, ...] = ((81, 32, 32, 8), (4, 32, 32, 8), (66, 16, 2, 8), (128, 64, 64, 8))


@dataclass(frozen=True)
class Rate:
    """An awkward shape beside its nearest one: S, E, P, H, cores, cycles, MAC/cycle of both."""

    shape: Letters
    cores: int
    cycles: int
    rate: float
    nearest: Letters
    nearest_rate: float

    @property
    def part(self) -> float:
        """Its MAC/cycle in parts of the nearest shape's."""
        return self.rate / self.nearest_rate

    def __str__(self) -> str:
        return (
            f"{name(self.shape)}/c{self.cores:<2} {self.cycles:>10,} cycles "
            f"{self.rate:7.3f} MAC/cycle, {100 * self.part:3.0f} % of {self.nearest_rate:.3f} "
            f"at {name(self.nearest)}"
        )


def name(shape: Letters) -> str:
    """As in a cell's id."""
    return "-".join(f"{letter}{value}" for letter, value in zip("SEPH", shape, strict=True))


def padded(shape: Letters) -> Letters:
    """S, E and P as whole tiles."""
    s, e, p = (-(-value // TILE) * TILE for value in shape[:3])
    return s, e, p, shape[3]


def macs(shape: Letters) -> int:
    """Of `mhsa`."""
    s, e, p, h = shape
    return 4 * s * e * p * h + 2 * h * s * s * p


def nearest(shape: Letters, among: Iterable[Letters] = TABLE) -> Letters:
    """The shape of the table that is nearest."""
    place = [math.log2(value) for value in padded(shape)]
    return min(among, key=lambda other: math.dist(place, [math.log2(v) for v in padded(other)]))


def rates(cells: Iterable[Mapping[str, Any]]) -> list[Rate]:
    """Of the rows of results.json those of no shape of the table, the lowest part first."""
    cycles = {(letters(cell), cell["cores"]): cell["cycles"] for cell in cells if cell["cycles"]}
    found = []
    for (shape, cores), count in cycles.items():
        if shape in TABLE:
            continue
        near = nearest(shape, [other for other in TABLE if (other, cores) in cycles])
        beside = macs(near) / cycles[near, cores]
        found.append(Rate(shape, cores, count, macs(padded(shape)) / count, near, beside))
    return sorted(found, key=lambda rate: (rate.part, rate.shape, rate.cores))


def letters(cell: Mapping[str, Any]) -> Letters:
    """A row's shape."""
    shape = cell["shape"]
    return shape["S"], shape["E"], shape["P"], shape["H"]


def matrix(points: Iterable[tuple[Letters, int]]) -> str:
    """A matrix file with these shapes and cores, and the table's shapes on the same cores."""
    shapes: dict[int, dict[Letters, None]] = {}
    for shape, cores in points:
        shapes.setdefault(cores, dict.fromkeys(TABLE))[shape] = None
    lines = ["# SPDX-License-Identifier: Apache-2.0", "schema: 1", "cells:"]
    for cores, chosen in sorted(shapes.items()):
        lines += [f"  - name: {cores} cores", f"    kernels: {KERNEL}", f"    cores: {cores}"]
        lines += ["    shapes:"]
        lines += [f"      - {{S: {s}, E: {e}, P: {p}, H: {h}}}" for s, e, p, h in chosen]
    return "\n".join(lines) + "\n"


def measure(target: str) -> list[Rate]:
    """Run a target's cells."""
    words = {"config": AWKWARD, "kernel": KERNEL, "target": target}
    cells = [plan.cell for plan in app.prepare(ROOT, words).plans]
    path = ROOT / MATRIX.format(target=target)
    path.parent.mkdir(parents=True, exist_ok=True)
    points = (((c.shape.S, c.shape.E, c.shape.P, c.shape.H), c.cores) for c in cells)
    path.write_text(matrix(points), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "SCons",
            "-Q",
            f"config={path.relative_to(ROOT)}",
            f"target={target}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    # 1: perhaps only a shape of the table that does not fit.
    if done.returncode not in (0, 1):
        raise UserError(f"bench: {target}: {done.stdout[-500:]}{done.stderr[-500:]}")
    rows = json.loads((ROOT / "build" / "report" / "results.json").read_text("utf-8"))["cells"]
    failed = [row["id"] for row in rows if row["status"] not in ("PASS", "SKIP")]
    skipped = [row["id"] for row in rows if row["status"] == "SKIP" and letters(row) not in TABLE]
    if failed or skipped:
        raise UserError(f"bench: {', '.join(failed + skipped)}: did not pass")
    return rates(rows)


def main() -> int:
    """Print what is below half; 1 where anything is."""
    words = sys.argv[1:]
    everything = "all" in words
    low = 0
    for target in [word for word in words if word != "all"] or TARGETS:
        found = measure(target)
        below = [rate for rate in found if rate.part < HALF]
        for rate in found if everything else below:
            print(f"{target} {rate}")
        print(
            f"{target}: {len(below)} of {len(found)} below half of their nearest shape's MAC/cycle"
        )
        low += len(below)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
