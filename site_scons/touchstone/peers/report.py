# SPDX-License-Identifier: Apache-2.0
"""Peers beside ours, for people (terminal, Markdown) and machines (JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from touchstone.files import write_atomically, write_json
from touchstone.peers.compositions import Composition
from touchstone.peers.measure import Figure

SCHEMA = 1
HEADERS = (
    "cell",
    "compiler",
    "composition",
    "cycles",
    "MAC/cycle",
    "ours",
    "ratio",
    "without softmax",
    "ours",
    "ratio",
    "noise",
    "",
)
ALIGNMENT = ("left", "left", "left", *("right",) * 8, "left")
NOTES = (
    "Cycles of the second of two runs, on the same simulator and compiler as ours, with operands "
    "in zero-wait memory as large as it takes (Cortex-M) or in L1 (gap9). Numerics are each "
    "library's own: 'noise' is the root mean square of the output's distance from attention in "
    "real numbers, in units of what its roundings are expected to make (ours stay below 1.5).",
    "Without softmax: the composition compiled without its call; ours less the cycles of our "
    "softmax kernel on a map of the same shape, which our layer fuses.",
    "On gap9 our compilers know neither hardware loops nor post-increment loads: the vendor's, "
    "which is not public, would make faster code of a peer's C.",
)


@dataclass(frozen=True)
class Row:
    """A composition at a shape; `ours` and `our_softmax` are cells of results.json, or empty."""

    cell: str
    toolchain: str
    composition: Composition
    whole: Figure
    rest: Figure
    ours: Mapping[str, Any]
    our_softmax: Mapping[str, Any]

    @property
    def trouble(self) -> str | None:
        """Why this row is not to be believed."""
        status = self.ours.get("status", "not built")
        if status not in ("PASS", "SKIP"):
            return f"our cell: {status} {self.ours.get('reason') or ''}".rstrip()
        return self.whole.trouble or self.rest.trouble

    @property
    def our_cycles(self) -> int | None:
        """Ours, where our cell passed."""
        return self.ours.get("cycles") if self.ours.get("status") == "PASS" else None

    @property
    def our_rest(self) -> int | None:
        """Ours less our softmax kernel."""
        softmax = self.our_softmax.get("cycles")
        if self.our_cycles is None or softmax is None:
            return None
        return self.our_cycles - int(softmax)

    def document(self) -> dict[str, Any]:
        """The row in JSON."""
        return {
            "cell": self.cell,
            "toolchain": self.toolchain,
            "composition": self.composition.name,
            "with_softmax": asdict(self.whole),
            "without_softmax": asdict(self.rest),
            "our_cycles": self.our_cycles,
            "our_cycles_without_softmax": self.our_rest,
            "macs": self.ours.get("macs"),
            "trouble": self.trouble,
            "skip": self.whole.skip,
        }


@dataclass(frozen=True)
class Comparison:
    """All rows."""

    rows: tuple[Row, ...]

    @property
    def exit_status(self) -> int:
        """0 where every row is to be believed."""
        return int(not self.rows or any(row.trouble for row in self.rows))


def ratio(theirs: int | None, ours: int | None) -> float | None:
    """How many times faster ours is."""
    return None if theirs is None or not ours else theirs / ours


def write_reports(folder: Path, comparison: Comparison) -> None:
    """peers.json and peers.md."""
    rows = [row.document() for row in comparison.rows]
    write_json(folder / "peers.json", {"schema": SCHEMA, "rows": rows})
    write_atomically(folder / "peers.md", markdown(comparison).encode("utf-8"))


def markdown(comparison: Comparison) -> str:
    """The whole comparison."""
    parts = ["# Attention layers of other libraries beside ours", *NOTES]
    compositions = {row.composition.name: row.composition.what for row in comparison.rows}
    parts.append("\n".join(f"- `{name}`: {what}" for name, what in compositions.items()))
    return "\n\n".join([*parts, _table(comparison, "github")]) + "\n"


def terminal(comparison: Comparison) -> str:
    """The table and what its columns mean."""
    return "\n\n".join((_table(comparison, "simple"), *NOTES))


def _table(comparison: Comparison, form: str) -> str:
    cells = [_cells(row) for row in comparison.rows]
    return tabulate(cells, HEADERS, tablefmt=form, colalign=ALIGNMENT, disable_numparse=True)


def _cells(row: Row) -> list[str]:
    macs, cycles = row.ours.get("macs"), row.whole.cycles
    rate = f"{macs / cycles:.3f}" if macs and cycles else "-"
    return [
        row.cell,
        row.toolchain,
        row.composition.name,
        _count(cycles),
        rate,
        _count(row.our_cycles),
        _ratio(ratio(cycles, row.our_cycles)),
        _count(row.rest.cycles),
        _count(row.our_rest),
        _ratio(ratio(row.rest.cycles, row.our_rest)),
        "-" if row.whole.noise is None else f"{row.whole.noise:.2f}",
        row.trouble or row.whole.skip or "",
    ]


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}".replace(",", " ")


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}x"
