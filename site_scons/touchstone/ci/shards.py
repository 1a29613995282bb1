# SPDX-License-Identifier: Apache-2.0
"""`shard=i/n`: the plan in n parts of like cost, each cell in exactly one of them.

Each shard computes all parts by itself, from the plan and the recorded costs alone. The digest of
all parts goes into its results, so that shards that were cut differently are never put together.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from touchstone.errors import UserError
from touchstone.plan import PlannedCell

FORM = "i/n with 1 <= i <= n, such as 2/4"
MAX_SHARDS = 256


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, counted from 1."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


@dataclass(frozen=True)
class Share:
    """A shard's place in its plan, as it goes into results.json."""

    shard: Shard
    cells: int
    plan: str

    def document(self) -> dict[str, Any]:
        """As JSON: `cells` is how many the whole plan has, `plan` the digest of all parts."""
        return {
            "index": self.shard.index,
            "count": self.shard.count,
            "cells": self.cells,
            "plan": self.plan,
        }


def parse_shard(text: str) -> Shard:
    """What `shard=` says."""
    match = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    if match:
        shard = Shard(int(match[1]), int(match[2]))
        if 1 <= shard.index <= shard.count <= MAX_SHARDS:
            return shard
    raise UserError(f"shard={text}: found {text!r}, allowed {FORM}, n at most {MAX_SHARDS}")


def parts(
    cells: Sequence[PlannedCell], costs: Mapping[str, int], count: int
) -> list[list[PlannedCell]]:
    """The cells in `count` parts of like cost, each in the plan's order.

    The costliest first, each to the part with the least so far. A part without a cell that runs
    could only pass by accident, so there may not be more parts than such cells.
    """
    running = sum(planned.skip is None for planned in cells)
    if count > running:
        raise UserError(f"shards: found {count}, allowed at most {running}, the cells that run")
    loads = [(0, number) for number in range(count)]
    home: dict[str, int] = {}
    for planned in sorted(cells, key=lambda item: (-costs[item.cell.id], item.cell.id)):
        load, number = heapq.heappop(loads)
        home[planned.cell.id] = number
        heapq.heappush(loads, (load + costs[planned.cell.id], number))
    found: list[list[PlannedCell]] = [[] for _ in range(count)]
    for planned in cells:
        found[home[planned.cell.id]].append(planned)
    return found


def plan_digest(found: Sequence[Sequence[PlannedCell]]) -> str:
    """One hash over which cell is in which part and why it is skipped."""
    digest = hashlib.sha256()
    for number, part in enumerate(found, start=1):
        for planned in part:
            digest.update(f"{number}\0{planned.cell.id}\0{planned.skip or ''}\n".encode())
    return digest.hexdigest()


def take(
    cells: Sequence[PlannedCell], costs: Mapping[str, int], shard: Shard
) -> tuple[list[PlannedCell], Share]:
    """The cells of one shard, and its place in the plan."""
    found = parts(cells, costs, shard.count)
    return found[shard.index - 1], Share(shard, len(cells), plan_digest(found))
