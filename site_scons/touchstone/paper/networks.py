# SPDX-License-Identifier: Apache-2.0
"""The three networks end to end beside what is published of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tabulate import tabulate

from touchstone.network.command import measure
from touchstone.network.report import Cell

NETWORKS = ("ecgformer", "eegformer", "tr")
TITLE = "Three networks end to end"
HEADERS = ("network", "target", "ms", "uJ", "encoder block ms", "published")
# ECGFormer: arXiv 2402.10748 at two operating points. EEGFormer: TBCAS 2024. TR: the abstract of
# arXiv 2404.02945, its transformer block. Nothing was found for the STM32s.
PUBLISHED: Mapping[tuple[str, str], str] = {
    ("ecgformer", "gap9"): "4.28 ms, 90 uJ; 2.85 ms, 120 uJ",
    ("eegformer", "gap9"): "13.7 ms, 310 uJ",
    ("tr", "gap9"): "block 0.14 ms, 4.92 uJ",
}
BLOCK = "blocks."
NOTE = (
    "Random weights, the chips' clocks of target.yaml; of EEGFormer and TR all but the encoder's "
    "shape is ours (configs/models). The block: core 0's cycles in its layers."
)


def measure_networks(root: Path, words: Mapping[str, str]) -> tuple[int, list[Cell]]:
    """Status and cells of the three networks on the selected targets."""
    return measure(root, {**words, "model": ",".join(NETWORKS)})


def render(cells: Sequence[Cell], form: str) -> str:
    """The table."""
    table = tabulate([_row(cell) for cell in cells], HEADERS, tablefmt=form, disable_numparse=True)
    return f"{table}\n\n{NOTE}"


def section(cells: Sequence[Cell]) -> str:
    """The table as a part of a page."""
    rows = [_row(cell) for cell in cells]
    table = tabulate(rows, HEADERS, tablefmt="html", disable_numparse=True)
    return f"<section><h2>{TITLE}</h2>{table}<p>{NOTE}</p></section>"


def _row(cell: Cell) -> list[str]:
    row = cell.row
    network, target = str(row["kernel"]), str(row["target"])
    if cell.milliseconds is None:
        return [network, target, str(row["status"]), "-", "-", _published(network, target)]
    energy = "-" if row["energy_uj"] is None else f"{row['energy_uj']:.1f}"
    figures = [f"{cell.milliseconds:.3f}", energy, _block(cell)]
    return [network, target, *figures, _published(network, target)]


def _block(cell: Cell) -> str:
    """Time of the encoder block, where layers were counted."""
    if not cell.cycles:
        return "not measured"
    inside = sum(c for name, c in zip(cell.layers, cell.cycles, strict=True) if BLOCK in name)
    return f"{1e3 * inside / cell.clock_hz:.3f}"


def _published(network: str, target: str) -> str:
    return PUBLISHED.get((network, target), "not found")
