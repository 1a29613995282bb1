# SPDX-License-Identifier: Apache-2.0
"""A comparison for people: terminal and Markdown; for machines: JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tabulate import tabulate

from touchstone.fidelity.compare import MEAN_TOLERANCE, WORST_TOLERANCE, Comparison, Row
from touchstone.files import write_atomically, write_json

SCHEMA = 1
HEADERS = ("cell", "outputs", "GVSOC", "xpulp", "difference", "")
ALIGNMENT = ("left", "left", "right", "right", "right", "left")


def write_reports(folder: Path, comparison: Comparison) -> None:
    """fidelity.md and fidelity.json."""
    write_json(
        folder / "fidelity.json",
        {
            "schema": SCHEMA,
            "kind": comparison.kind,
            "gvsoc": comparison.gvsoc,
            "notes": list(comparison.notes),
            "cells": [row.document() for row in comparison.rows],
            "summary": [asdict(part) for part in comparison.statistics],
            "faults": list(comparison.faults),
        },
    )
    write_atomically(folder / "fidelity.md", markdown(comparison).encode("utf-8"))


def markdown(comparison: Comparison) -> str:
    """The whole comparison."""
    parts = [
        "# The embedded GAP9 simulator against GVSOC",
        _introduction(comparison),
        "\n".join(f"- {line}" for line in summary(comparison)),
        _table(comparison.rows, "github"),
    ]
    return "\n\n".join(parts) + "\n"


def terminal(comparison: Comparison) -> str:
    """All rows of live cells; of recorded programs, of which there are many, those that differ."""
    live = comparison.kind == "live"
    rows = [row for row in comparison.rows if live or row.fault is not None or row.difference]
    parts = [_table(rows, "simple")] if rows else []
    parts += [_introduction(comparison), "\n".join(summary(comparison))]
    return "\n\n".join(parts)


def summary(comparison: Comparison) -> list[str]:
    """Averages, then what fails."""
    lines = list(comparison.notes)
    for part in comparison.statistics:
        worst = f" ({part.worst_id})" if part.worst else ""
        lines.append(
            f"bank conflicts {part.conflicts}: {part.rows} cells, cycles of {part.identical} "
            f"identical, {part.mean:.3f} % on average, {part.worst:.2f} % at worst{worst}"
        )
    faults = comparison.faults
    lines += [f"FAIL {fault}" for fault in faults]
    if not faults:
        limits = ", ".join(
            f"{most:g} % with conflicts {name}" for name, most in WORST_TOLERANCE.items()
        )
        lines.append(
            f"PASS: outputs equal; within {MEAN_TOLERANCE:g} % on average, at worst {limits}"
        )
    return lines


def _introduction(comparison: Comparison) -> str:
    what = "as recorded" if comparison.kind == "recorded" else "run beside it"
    return f"Cycles of the warm run, on GVSOC pulp-open {comparison.gvsoc} ({what}) and on xpulp."


def _table(rows: Sequence[Row], style: str) -> str:
    cells = [
        (
            row.id,
            "equal" if row.equal else "DIFFERENT",
            _number(row.gvsoc_cycles),
            _number(row.cycles),
            "" if row.difference is None else f"{row.difference:+.2f} %",
            row.fault or "",
        )
        for row in rows
    ]
    return tabulate(cells, HEADERS, tablefmt=style, colalign=ALIGNMENT, disable_numparse=True)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}".replace(",", " ")
