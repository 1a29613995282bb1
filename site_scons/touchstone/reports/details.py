# SPDX-License-Identifier: Apache-2.0
"""What a report says of failing cells beyond their row: differences, heat maps, log, rerun.

build/report/details.json: {"schema": 1, "unexpected_skips": [id, ...], "cells": {id: {"reason",
"rerun", "location", "log", "differences": [...], "heatmaps": [...]}}}. Deterministic, as results.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.check import ARRAY_CODES
from touchstone.graph import CellPlan
from touchstone.results import FINE, Report
from touchstone.runfile import CellRun, RunFileError, read_run
from touchstone.vectors import Operand, read_container

SCHEMA = 1
# A heat map has at most this many bins in each direction, and a report this many maps a cell.
MAX_BINS = 64
MAX_MAPS = 5


def details_of(
    root: Path,
    plans: Sequence[CellPlan],
    report: Report,
    located: Mapping[str, Mapping[str, Any]],
    rerun: Mapping[str, str],
) -> dict[str, Any]:
    """The document for details.json."""
    statuses = {result.id: result for result in report.results}
    cells = {}
    for plan in plans:
        result = statuses[plan.cell.id]
        if result.status not in FINE:
            verdict = located[plan.cell.id]
            cells[plan.cell.id] = {
                "reason": result.reason,
                "rerun": rerun[plan.cell.id],
                "location": verdict.get("location"),
                "log": verdict.get("log") or "",
                "differences": list(verdict.get("differences", ())),
                "heatmaps": heatmaps(root, plan) if verdict.get("differences") else [],
            }
    return {"schema": SCHEMA, "unexpected_skips": list(report.unexpected_skips), "cells": cells}


def heatmaps(root: Path, plan: CellPlan) -> list[dict[str, Any]]:
    """Where the outputs of a cell's cases are wrong; nothing where its files are gone."""
    try:
        run = read_run(root / plan.run)
        golden = read_container((root / plan.packed.vectors.path("golden.bin")).read_bytes())
    except (OSError, RunFileError, ValueError):
        return []
    maps = _maps(run, [(case.value_class, case.operands[-1]) for case in golden.cases])
    axes = list(plan.cell.kernel.operands[-1].axes)
    return [{**entry, "axes": axes} for entry in maps[:MAX_MAPS]]


def _maps(run: CellRun, golden: Sequence[tuple[str, Operand]]) -> list[dict[str, Any]]:
    return [
        {"case": name, "operand": operand.name, **heatmap(operand, case.output)}
        for case, (name, operand) in zip(run.cases, golden, strict=False)
        if case.output is not None and case.output != operand.data
    ]


def heatmap(operand: Operand, found: bytes) -> dict[str, Any]:
    """How many elements are wrong in each bin of the output, seen as rows x columns.

    Columns are the last axis, rows all others (the last of them fastest). `bins` lists the bins
    that are not all right as [row of bins, column of bins, wrong elements, largest error].
    """
    columns = operand.shape[-1] if operand.shape else 1
    rows = math.prod(operand.shape[:-1])
    wanted, got = array(ARRAY_CODES[operand.type]), array(ARRAY_CODES[operand.type])
    wanted.frombytes(operand.data)
    got.frombytes(found[: len(operand.data)].ljust(len(operand.data), b"\0"))
    tall, wide = -(-rows // MAX_BINS), -(-columns // MAX_BINS)
    bins: dict[tuple[int, int], tuple[int, int]] = {}
    for index, (expected, value) in enumerate(zip(wanted, got, strict=True)):
        if expected != value:
            key = (index // columns // tall, index % columns // wide)
            count, worst = bins.get(key, (0, 0))
            bins[key] = (count + 1, max(worst, abs(expected - value)))
    return {
        "shape": list(operand.shape),
        "rows": rows,
        "columns": columns,
        "bin": [tall, wide],
        "bins": [[*key, *value] for key, value in sorted(bins.items())],
    }
