# SPDX-License-Identifier: Apache-2.0
"""Where in a layer a network deviates: made only for a network that fails.

The network is generated once more, up to the layer that deviates, whose whole tensor is then the
job's output (build/deviations, as project.py has it for build/networks), and run on the same
simulator. A block is first taken apart into its layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from touchstone.files import read_json
from touchstone.manifest import Catalogue
from touchstone.network.blocks import BLOCK
from touchstone.network.model import Described
from touchstone.network.report import Cell, first_wrong

FOLDER = "build/deviations"
KEPT = ("sim", "toolchain", "settings", "cflags", "seed")
MOST_CELLS = 4

Runner = Callable[[Path, Mapping[str, str]], int]
"""Builds in a generated project, quietly; the exit status."""


@dataclass(frozen=True)
class Investigator:
    """What it takes to run a part of a network."""

    root: Path
    catalogue: Catalogue
    run: Runner
    words: Mapping[str, str]

    def explain(self, model: Described, cell: Cell) -> list[str]:
        """Lines that say where the first deviating layer of a failed cell is wrong."""
        # Imported here: golden models need numpy.
        from touchstone.network.source import network_of

        network, wrong, lines = network_of(model), str(cell.wrong), []
        number = _index(network, wrong)
        if network.layers[number].kernel == BLOCK:
            apart = network_of(model, whole=False)
            last = max(i for i, one in enumerate(apart.layers) if one.name.startswith(f"{wrong}."))
            inner = self._first_wrong(model, _until(apart, last), cell)
            if inner is None:
                lines.append(f"  taken apart into layers {wrong} is right")
            else:
                lines.append(f"  taken apart into layers, the first that deviates is {inner}")
                network, number = apart, _index(apart, inner)
        return lines + self._dump(model, _until(network, number), cell)

    def _cell(self, model: Described, part: Any, cell: Cell) -> Path:
        """Generate and run a part of the network; the folder of its cell."""
        from touchstone.network.project import write_project

        write_project(self.root, [(model, part)], self.catalogue, FOLDER)
        kept = {name: value for name, value in self.words.items() if name in KEPT}
        one = {"target": cell.row["target"], "cores": str(cell.row["cores"]), "dump": "1"}
        self.run(self.root / FOLDER, {**kept, **one, "kernel": model.name})
        return self.root / FOLDER / "build" / "cells" / str(cell.row["id"])

    def _first_wrong(self, model: Described, part: Any, cell: Cell) -> str | None:
        folder = self._cell(model, part, cell)
        return first_wrong(read_json(folder / "verdict.json"), [one.name for one in part.layers])

    def _dump(self, model: Described, part: Any, cell: Cell) -> list[str]:
        import numpy as np

        folder = self._cell(model, part, cell)
        layer = part.layers[-1]
        kept = self.root / Path(str(cell.folder)) / "deviation"
        lines = []
        for golden in sorted(folder.glob("dump/*.output.golden.npy")):
            case = golden.name.partition(".")[0]
            found = folder / "dump" / f"{case}.output.npy"
            if not found.is_file():
                continue
            tensors = []
            for name, path in ((f"{case}.golden.npy", golden), (f"{case}.npy", found)):
                data = np.load(path, allow_pickle=False)[4 * len(part.layers) :]
                tensor = data.view(np.int8).reshape(layer.output)
                np.save(write_place(kept / name), tensor)
                tensors.append(tensor)
            lines += mismatch(case, *tensors)
        if not lines:
            return [f"  run up to {layer.name}, whose memory then lies elsewhere, it is right"]
        where = kept.relative_to(self.root)
        size = "x".join(str(length) for length in layer.output)
        return [
            *lines,
            f"  {layer.name}, int8 {size}, expected and found: {where}/CASE[.golden].npy",
        ]


def write_place(path: Path) -> Path:
    """The path, in a folder that exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def mismatch(case: str, expected: Any, found: Any) -> list[str]:
    """First and worst difference of two int8 tensors; nothing where they are equal."""
    import numpy as np

    wrong = np.argwhere(expected != found)
    if not len(wrong):
        return []
    sizes = np.abs(expected.astype(int) - found.astype(int))
    worst = np.unravel_index(int(sizes.argmax()), sizes.shape)
    parts = [f"  {case}: {len(wrong)} of {expected.size} wrong"]
    for name, place in (("first", tuple(wrong[0])), ("worst", worst)):
        row, column = place[0], place[-1]
        parts.append(
            f"    {name} at (row {row}, column {column}): "
            f"expected {expected[place]}, found {found[place]}"
        )
    return parts


def _index(network: Any, name: str) -> int:
    return [layer.name for layer in network.layers].index(name)


def _until(network: Any, number: int) -> Any:
    """The network up to a layer; its inputs stay what they are."""
    return replace(network, layers=network.layers[: number + 1])


def explained(
    cells: Sequence[Cell], models: Sequence[Described], investigator: Investigator
) -> list[Cell]:
    """The cells, those that failed with what is wrong in their first deviating layer."""
    named = {model.name: model for model in models}
    made, left = [], MOST_CELLS
    for cell in cells:
        if cell.wrong and left:
            left -= 1
            lines = investigator.explain(named[cell.row["kernel"]], cell)
            cell = replace(cell, details=tuple(lines))
        made.append(cell)
    return made
