# SPDX-License-Identifier: Apache-2.0
"""Committed baselines: what every cell cost when somebody last said that it may.

`configs/baselines/TARGET.json`: per cell the metrics below, and what they were made with. Simulated
figures have no noise, so that any difference is a change of something; the gate is exact unless a
threshold is said. A baseline moves by `bench=accept reason=...` only, and keeps the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError, unknown
from touchstone.files import read_json, write_rows
from touchstone.results import CellResult
from touchstone.textfile import shown

FOLDER = "configs/baselines"
SCHEMA = 1
# Of each, less is better. Cycles, instructions and stack are of the timed run.
METRICS = (
    "cycles",
    "cycles_cold",
    "instructions",
    "code_bytes",
    "weight_bytes",
    "activation_bytes",
    "stack_bytes",
)

Figures = Mapping[str, int]


@dataclass(frozen=True)
class Change:
    """One metric of one cell that is not what its baseline says; `allowed` is in percent."""

    cell: str
    metric: str
    before: int
    now: int | None
    allowed: float

    @property
    def worse(self) -> bool:
        """More than allowed, or no longer measured."""
        if self.now is None:
            return True
        return 100 * (self.now - self.before) > self.allowed * self.before

    def __str__(self) -> str:
        if self.now is None:
            return f"{self.cell}: {self.metric} {self.before}, now not measured"
        share = f" ({100 * (self.now - self.before) / self.before:+.2f} %)" if self.before else ""
        return f"{self.cell}: {self.metric} {self.before} -> {self.now}{share}"


def path_of(root: Path, target: str) -> Path:
    """The baseline file of a target."""
    return root / FOLDER / f"{target}.json"


def load(root: Path, targets: Iterable[str]) -> dict[str, Figures]:
    """The figures of all cells of the targets; a file that is damaged is a UserError."""
    found: dict[str, Figures] = {}
    for target in dict.fromkeys(targets):
        path = path_of(root, target)
        if path.exists():
            found.update(_document(path)["cells"])
    return found


def _document(path: Path) -> dict[str, Any]:
    document = read_json(path)
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, dict) or document.get("schema") != SCHEMA:
        raise UserError(
            f"{shown(path)}: found no baselines of schema {SCHEMA}; make them anew with "
            "bench=accept"
        )
    for cell, figures in cells.items():
        for metric, value in figures.items():
            if metric not in METRICS or not isinstance(value, int):
                raise UserError(
                    f"{shown(path)}: cells.{cell}: found {metric} {value!r}, allowed whole "
                    f"numbers of {', '.join(METRICS)}"
                )
    return dict(document)


def figures_of(result: CellResult) -> dict[str, int]:
    """What was measured of a cell."""
    values = {metric: getattr(result, metric) for metric in METRICS}
    return {metric: value for metric, value in values.items() if value is not None}


def parse_thresholds(said: Sequence[tuple[str, str]]) -> dict[str, float]:
    """`cycles:0.5,code_bytes:2` in percent; UserError for another metric or text."""
    found = {}
    for metric, text in said:
        if metric not in METRICS:
            raise UserError(unknown("thresholds: metric", metric, METRICS))
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1000:
            raise UserError(
                f"thresholds={metric}:{text}: found {text!r}, allowed 0 to 1000 percent"
            )
        found[metric] = value
    return found


def changes(
    results: Iterable[CellResult],
    baselines: Mapping[str, Figures],
    thresholds: Mapping[str, float],
) -> list[Change]:
    """Every metric that differs, of the cells that passed and have a baseline."""
    found = []
    for result in results:
        if result.status != "PASS":
            continue
        for metric, before in sorted(baselines.get(result.id, {}).items()):
            now = getattr(result, metric)
            if now != before:
                allowed = thresholds.get(metric, 0.0)
                found.append(Change(result.id, metric, before, now, allowed))
    return found


def accept(
    root: Path,
    results: Sequence[CellResult],
    made_with: Mapping[str, Mapping[str, str]],
    reason: str,
) -> list[Path]:
    """Write the figures of the cells that passed into their targets' baselines; the files written.

    Cells that are not among `results` keep what they have; `made_with` says per target which
    tools the figures are of.
    """
    written = []
    for target in dict.fromkeys(result.target for result in results):
        passed = [r for r in results if r.target == target and r.status == "PASS"]
        path = path_of(root, target)
        before = _document(path)["cells"] if path.exists() else {}
        cells = {**before, **{result.id: figures_of(result) for result in passed}}
        if cells != before:
            document = {
                "schema": SCHEMA,
                "reason": reason,
                "made_with": dict(made_with.get(target, {})),
                "cells": cells,
            }
            write_rows(path, document, "cells")
            written.append(path)
    return written
