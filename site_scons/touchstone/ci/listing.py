# SPDX-License-Identifier: Apache-2.0
"""`list format=...`: the plan as text, as JSON, or as the matrix of a GitHub workflow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from touchstone.ci import shards
from touchstone.errors import UserError, unknown
from touchstone.plan import PlannedCell

FORMATS = ("text", "json", "github-matrix")
SCHEMA = 1


def render(
    cells: Sequence[PlannedCell], costs: Mapping[str, int], form: str, count: str | None
) -> str:
    """The plan in one of the FORMATS; `count` is the number of jobs that a matrix shall have."""
    if form not in FORMATS:
        raise UserError(unknown("list: format", form, FORMATS))
    if count is not None and form != "github-matrix":
        raise UserError(f"list: found shards={count}, allowed only with format=github-matrix")
    if form == "json":
        document = {"schema": SCHEMA, "cells": [_entry(planned, costs) for planned in cells]}
        return json.dumps(document, indent=1)
    if form == "github-matrix":
        return json.dumps(_matrix(cells, costs, _count(count or "4")))
    return "\n".join(_line(planned) for planned in cells)


def _line(planned: PlannedCell) -> str:
    reason = f"  SKIP: {planned.skip}" if planned.skip else ""
    return f"{planned.cell.id}{reason}"


def _entry(planned: PlannedCell, costs: Mapping[str, int]) -> dict[str, Any]:
    cell, needs = planned.cell, planned.needs
    return {
        "id": cell.id,
        "target": cell.target.name,
        "kernel": cell.kernel.name,
        "variant": cell.variant.name,
        "shape": cell.shape.values(),
        "cores": cell.cores,
        "seed": cell.seed,
        "data": cell.data,
        "toolchain": cell.toolchain,
        "simulator": cell.simulator,
        "macs": needs.macs,
        "activation_bytes": needs.activation_bytes,
        "weight_bytes": needs.weight_bytes,
        "cost": costs[cell.id],
        "skip": planned.skip,
    }


def _count(text: str) -> int:
    most = shards.MAX_SHARDS
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= most):
        raise UserError(f"list: shards={text}: found {text!r}, allowed 1 to {most}")
    return int(text)


def _matrix(
    cells: Sequence[PlannedCell], costs: Mapping[str, int], count: int
) -> dict[str, list[dict[str, Any]]]:
    """What `strategy.matrix: ${{ fromJSON(...) }}` takes: one job a shard."""
    running = sum(planned.skip is None for planned in cells)
    found = shards.parts(cells, costs, min(count, running))
    entries = [
        {
            "shard": str(shards.Shard(number, len(found))),
            "name": f"{number}-of-{len(found)}",
            "cells": len(part),
        }
        for number, part in enumerate(found, start=1)
    ]
    return {"include": entries}
