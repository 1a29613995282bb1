# SPDX-License-Identifier: Apache-2.0
"""`merge from=DIR`: the results of all shards as the results of one command.

Fails, with one line, where a shard is missing, damaged, twice there or cut from another plan, and
where a planned cell has no result or a result no planned cell. The plan is made anew here, from
the same variables that the shards were given: what the shards say of it is checked, not believed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.ci import shards
from touchstone.errors import UserError
from touchstone.plan import PlannedCell
from touchstone.schema import validate
from touchstone.textfile import shown

RESULTS = "results.json"


@dataclass(frozen=True)
class ShardResults:
    """One shard's results.json, valid by its schema; `folder` has what lies beside it."""

    path: Path
    document: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where the shard's other files are."""
        return self.path.parent

    @property
    def cells(self) -> dict[str, Mapping[str, Any]]:
        """The rows by cell id."""
        return {row["id"]: row for row in self.document["cells"]}


def read_shards(places: Sequence[str]) -> list[ShardResults]:
    """Every results.json in or below the places, in the order of the shards."""
    found: dict[int, ShardResults] = {}
    for path in _files(places):
        item = _read(path)
        share = item.document["shard"]
        if share is None:
            raise UserError(f"{shown(path)}: shard: found none, allowed results of a shard=i/n")
        if share["index"] in found:
            other = shown(found[share["index"]].path)
            raise UserError(f"{shown(path)}: shard {share['index']} is in {other} too")
        found[share["index"]] = item
    return [found[index] for index in sorted(found)]


def _files(places: Sequence[str]) -> list[Path]:
    files: list[Path] = []
    for place in places:
        path = Path(place)
        if path.is_dir():
            here = sorted(path.rglob(RESULTS))
            if not here:
                raise UserError(f"merge: from={place}: found no {RESULTS} in it or below")
            files += here
        elif path.is_file():
            files.append(path)
        else:
            raise UserError(f"merge: from={place}: found no such folder or file")
    return list(dict.fromkeys(path.resolve() for path in files))


def _read(path: Path) -> ShardResults:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{shown(path)}: found no readable JSON: {error}") from None
    if not isinstance(document, dict):
        raise UserError(f"{shown(path)}: found no mapping, allowed the results.json of a shard")
    validate(document, "results", path)
    return ShardResults(path, document)


def check_complete(
    items: Sequence[ShardResults], cells: Sequence[PlannedCell], costs: Mapping[str, int]
) -> None:
    """UserError unless the shards are exactly the planned cells, each where it belongs."""
    counts = {item.document["shard"]["count"] for item in items}
    if len(counts) != 1:
        raise UserError(f"merge: found shards of {_listed(counts)}, allowed shards of one run")
    count = counts.pop()
    there = {item.document["shard"]["index"] for item in items}
    missing = [number for number in range(1, count + 1) if number not in there]
    if missing:
        named = ", ".join(f"{number}/{count}" for number in missing)
        raise UserError(f"merge: found {len(items)} of {count} shards; missing: {named}")
    parts = shards.parts(cells, costs, count)
    digest = shards.plan_digest(parts)
    for item, part in zip(items, parts, strict=True):
        _check_cells(item, {planned.cell.id for planned in part})
        if item.document["shard"]["plan"] != digest:
            raise UserError(
                f"{shown(item.path)}: shard.plan: found another plan than these variables and "
                "costs make, allowed the same for shards and merge"
            )


def _check_cells(item: ShardResults, planned: set[str]) -> None:
    found = [row["id"] for row in item.document["cells"]]
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise UserError(f"{shown(item.path)}: cells: found {twice[0]} twice")
    missing, extra = sorted(planned - set(found)), sorted(set(found) - planned)
    if missing:
        raise UserError(
            f"{shown(item.path)}: cells: {len(missing)} of {len(planned)} planned cells have no "
            f"result: {_listed(missing[:3])}{', ...' if len(missing) > 3 else ''}"
        )
    if extra:
        raise UserError(
            f"{shown(item.path)}: cells: found {extra[0]}, which is not planned for this shard"
        )


def _listed(values: Any) -> str:
    return ", ".join(str(value) for value in sorted(values))
