# SPDX-License-Identifier: Apache-2.0
"""A comparison of the Cortex-M simulators for people: terminal and Markdown; for machines: JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from touchstone.fidelity.cortexm_compare import EMBEDDED, SIMULATORS, Comparison, Row, summary
from touchstone.files import write_atomically, write_json

SCHEMA = 1
NAME = "fidelity-stm32"
# So many rows are shown on a terminal; beyond, those that differ.
MOST_ROWS = 60


def write_reports(folder: Path, comparison: Comparison) -> None:
    """fidelity-stm32.md and fidelity-stm32.json."""
    write_json(
        folder / f"{NAME}.json",
        {
            "schema": SCHEMA,
            "kind": comparison.kind,
            "versions": dict(comparison.versions),
            "notes": list(comparison.notes),
            "cells": [row.document() for row in comparison.rows],
            "faults": list(comparison.faults),
        },
    )
    parts = [
        "# The Cortex-M simulators against each other",
        _introduction(comparison),
        "\n".join(f"- {line}" for line in summary(comparison)),
        _table(comparison.rows, "github"),
    ]
    write_atomically(folder / f"{NAME}.md", ("\n\n".join(parts) + "\n").encode("utf-8"))


def terminal(comparison: Comparison) -> str:
    """All rows of a few cells; of many, those that differ."""
    few = len(comparison.rows) <= MOST_ROWS
    rows = [row for row in comparison.rows if few or row.fault is not None]
    parts = [_table(rows, "simple")] if rows else []
    return "\n\n".join([*parts, _introduction(comparison), "\n".join(summary(comparison))])


def _introduction(comparison: Comparison) -> str:
    versions = [f"{name} {text}".rstrip() for name, text in comparison.versions.items()]
    what = "as recorded" if comparison.kind == "recorded" else "run here"
    return f"Instructions of the timed run, {what}: {', '.join(versions)}."


def _table(rows: Sequence[Row], style: str) -> str:
    names = [name for name in SIMULATORS if any(name in row.seen for row in rows)]
    cells = [
        (
            row.id,
            row.toolchain,
            "equal" if len(row.outputs) == 1 else "DIFFERENT",
            *(_number(row.seen[name].instructions if name in row.seen else None) for name in names),
            _number(row.seen[EMBEDDED].cycles if EMBEDDED in row.seen else None),
            row.fault or "",
        )
        for row in rows
    ]
    headers = ("cell", "toolchain", "outputs", *names, "cycles (model)", "")
    places = ("left", "left", "left", *("right" for _ in names), "right", "left")
    return tabulate(cells, headers, tablefmt=style, colalign=places, disable_numparse=True)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}".replace(",", " ")
