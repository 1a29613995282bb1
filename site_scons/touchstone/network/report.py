# SPDX-License-Identifier: Apache-2.0
"""What came of networks: latency, energy, memory, the share of each layer, the first wrong one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from tabulate import tabulate

from touchstone.files import read_json
from touchstone.reports.svg import Mark, Row, stacks

TITLE = "Networks end to end"
HEADERS = ("network", "status", "cycles", "ms", "uJ", "code B", "weights B", "arena B", "stack B")
LAYER = re.compile(r"layer_(\d+)_")
NOTE = (
    "Warm, on the simulators' models: no silicon. Energy: target.yaml's mean power times the time "
    "at its clock. Shares: core 0's cycles in the timed run, waiting at the layer's end included."
)


@dataclass(frozen=True)
class Cell:
    """One network on one target: its row of results.json and what belongs to it."""

    row: Mapping[str, Any]
    clock_hz: int
    layers: tuple[str, ...]
    functions: tuple[str, ...]
    arena_bytes: int
    weight_bytes: int
    cycles: tuple[int, ...]
    """Of each layer, empty where nobody counted."""
    wrong: str | None
    """The first layer whose output is not the golden model's."""
    folder: Path = Path()
    details: tuple[str, ...] = ()
    """Where in that layer it deviates (deviation.py)."""

    @property
    def milliseconds(self) -> float | None:
        """At the target's clock."""
        cycles = self.row["cycles"]
        return None if cycles is None else 1e3 * int(cycles) / self.clock_hz


def read_cells(
    project: Path,
    rows: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
    clocks: Mapping[str, int],
) -> list[Cell]:
    """The cells of a command with their layers."""
    return [_cell(project, row, facts[row["kernel"]], clocks[row["target"]]) for row in rows]


def _cell(project: Path, row: Mapping[str, Any], known: Mapping[str, Any], clock: int) -> Cell:
    folder = project / "build" / "cells" / row["id"]
    layers = tuple(known["layers"])
    counted = row["status"] == "PASS"
    return Cell(
        row=row,
        clock_hz=clock,
        layers=layers,
        functions=tuple(known["functions"][row["target"]]),
        arena_bytes=known["arena_bytes"][row["target"]],
        weight_bytes=known["weight_bytes"][row["target"]],
        cycles=layer_cycles(folder / "profile" / "folded.txt", len(layers)) if counted else (),
        wrong=first_wrong(read_json(folder / "verdict.json"), layers)
        if row["status"] == "FAIL"
        else None,
        folder=folder,
    )


def layer_cycles(path: Path, count: int) -> tuple[int, ...]:
    """Core 0's cycles in each layer's function and what it calls, from a folded profile."""
    totals = [0] * count
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    for line in lines:
        stack, _, cycles = line.rpartition(" ")
        frames = stack.split(";")
        if frames[0] == "core 0":
            found = next((m for m in map(LAYER.match, frames) if m is not None), None)
            if found is not None and int(found[1]) < count:
                totals[int(found[1])] += int(cycles)
    return tuple(totals) if any(totals) else ()


def first_wrong(verdict: Any, layers: Sequence[str]) -> str | None:
    """The first layer whose CRC-32 is wrong, in any case: the output starts with one for each."""
    if not isinstance(verdict, dict):
        return None
    found: list[int] = [
        int(difference["first"]["position"][0][1]) // 4
        for difference in verdict.get("differences", ())
    ]
    # Behind the CRCs lies the output itself; the timed case has no others.
    traced = [number for number in found if number < len(layers)]
    if traced:
        return layers[min(traced)]
    return layers[-1] if found else None


def terminal(cells: Sequence[Cell]) -> str:
    """Tables."""
    parts = [_table(cells, "simple")]
    parts += [_wrong(cell) for cell in cells if cell.wrong]
    parts += [f"{cell.row['id']}\n{_shares(cell, 'simple')}" for cell in cells if cell.cycles]
    return "\n\n".join([*parts, NOTE])


def markdown(cells: Sequence[Cell]) -> str:
    """The same in Markdown."""
    parts = [f"# {TITLE}", NOTE, _table(cells, "github")]
    parts += [f"```\n{_wrong(cell)}\n```" for cell in cells if cell.wrong]
    parts += [f"## {cell.row['id']}\n\n{_shares(cell, 'github')}" for cell in cells if cell.cycles]
    return "\n\n".join(parts) + "\n"


def html(cells: Sequence[Cell]) -> str:
    """The same with a plot of the shares, in one page that needs nothing else."""
    css = resources.files("touchstone.reports").joinpath("page.css").read_text(encoding="utf-8")
    wrong = "".join(f"<pre>{escape(_wrong(cell))}</pre>" for cell in cells if cell.wrong)
    counted = [cell for cell in cells if cell.cycles]
    plot = stacks([_bar(cell) for cell in counted], "% of the cycles", TITLE) if counted else ""
    tables = "".join(
        f"<section><h2>{escape(cell.row['id'])}</h2>{_shares(cell, 'html')}</section>"
        for cell in counted
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        f"<style>{css}</style></head><body><header><h1>{TITLE}</h1><p>{NOTE}</p>{wrong}</header>"
        f"<main><section>{_table(cells, 'html')}{plot}</section>{tables}</main></body></html>\n"
    )


def _table(cells: Sequence[Cell], form: str) -> str:
    rows = [_row(cell) for cell in cells]
    return str(tabulate(rows, HEADERS, tablefmt=form, disable_numparse=True))


def _row(cell: Cell) -> list[str]:
    row, milliseconds = cell.row, cell.milliseconds
    return [
        f"{row['target']}/{row['kernel']}/c{row['cores']}",
        row["status"] if row["status"] != "SKIP" else f"SKIP: {row['reason']}",
        _number(row["cycles"]),
        "-" if milliseconds is None else f"{milliseconds:.3f}",
        "-" if row["energy_uj"] is None else f"{row['energy_uj']:.2f}",
        _number(row["code_bytes"]),
        _number(cell.weight_bytes),
        _number(cell.arena_bytes),
        _number(row["stack_bytes"]),
    ]


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _wrong(cell: Cell) -> str:
    first = f"{cell.row['id']}: the first layer that deviates is {cell.wrong}"
    return "\n".join([first, *cell.details])


def _shares(cell: Cell, form: str) -> str:
    total = int(cell.row["cycles"])
    rows = [
        [name, function.removeprefix("ts_"), _number(cycles), f"{100 * cycles / total:.1f} %"]
        for name, function, cycles in zip(cell.layers, cell.functions, cell.cycles, strict=True)
    ]
    headers = ("layer", "kernel", "cycles", "share")
    return str(tabulate(rows, headers, form, disable_numparse=True))


def _bar(cell: Cell) -> Row:
    total = int(cell.row["cycles"])
    marks = [
        Mark(100 * cycles / total, f"{name}: {cycles:,} cycles", str(index % 8))
        for index, (name, cycles) in enumerate(zip(cell.layers, cell.cycles, strict=True))
    ]
    return Row(f"{cell.row['target']}/{cell.row['kernel']}", tuple(marks))
