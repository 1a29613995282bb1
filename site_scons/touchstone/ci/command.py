# SPDX-License-Identifier: Apache-2.0
"""The words `list`, `merge` and `report`: they read plans and results, and build nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone import app, table
from touchstone.ci import listing, merge
from touchstone.ci.costs import costs_of, load_costs
from touchstone.ci.shards import parse_shard, take
from touchstone.config import load_expected_skips
from touchstone.errors import UserError
from touchstone.plan import PlannedCell
from touchstone.reports import publish
from touchstone.reports.provenance import SCHEMA, documents
from touchstone.results import Report, unexpected_skips
from touchstone.textfile import shown


def _planned(
    root: Path, arguments: Mapping[str, str]
) -> tuple[list[PlannedCell], dict[str, int], str | None]:
    """The whole plan, its costs, and what shard= says."""
    request, _, cells = app.plan_request(root, arguments)
    return cells, costs_of(cells, load_costs(root, request.costs)), request.shard


def list_cells(root: Path, arguments: Mapping[str, str]) -> int:
    """The plan: one line a cell, or format=json|github-matrix."""
    words = dict(arguments)
    form, count = words.pop("format", "text"), words.pop("shards", None)
    cells, costs, shard = _planned(root, words)
    if shard is not None:
        cells, _ = take(cells, costs, parse_shard(shard))
    print(listing.render(cells, costs, form, count))
    return 0


def merge_shards(root: Path, arguments: Mapping[str, str]) -> int:
    """All shards' results as one, in build/report; fails unless they are the whole plan."""
    words = dict(arguments)
    places = words.pop("from", "")
    if not places:
        raise UserError("merge: found no from=, allowed from=FOLDER[,FOLDER...] with the shards")
    cells, costs, shard = _planned(root, words)
    if shard is not None:
        raise UserError(f"merge: found shard={shard}, allowed the variables of the whole plan")
    items = merge.read_shards(places.split(","))
    merge.check_complete(items, cells, costs)
    publications = [publish.recall(item.folder) for item in items]
    merged = _merged(root, cells, publications)
    folder = root / app.REPORT
    publish.publish(folder, merged)
    _print(merged.report, merged.details)
    print(f"merged {len(items)} shards into {app.REPORT}/report.html")
    return max(merged.report.exit_status, *(int(i.document["exit_status"]) for i in items))


def _merged(
    root: Path, cells: Sequence[PlannedCell], publications: Sequence[publish.Publication]
) -> publish.Publication:
    known = load_expected_skips(root / app.EXPECTED_SKIPS, root / app.YAML_CACHE)
    skips = unexpected_skips(cells, known)
    details: dict[str, Any] = {"schema": 1, "unexpected_skips": list(skips), "cells": {}}
    rows = {}
    provenances: list[Mapping[str, Any]] = []
    for publication in publications:
        rows.update({row.id: row for row in publication.report.results})
        details["cells"].update(publication.details["cells"])
        provenances += documents(publication.provenance)
    ordered = tuple(rows[planned.cell.id] for planned in cells)
    verdicts = {row.id: details["cells"].get(row.id, {}) for row in ordered}
    provenance = {"schema": SCHEMA, "shards": provenances}
    return publish.Publication(Report(ordered, verdicts, skips), details, provenance)


def report(root: Path, arguments: Mapping[str, str]) -> int:
    """Makes the reports of the last command again; the exit status that it had."""
    words = dict(arguments)
    folder = Path(words.pop("from", str(root / app.REPORT)))
    for name in words:
        raise UserError(f"report: found {name}=, allowed from=FOLDER")
    publication = publish.recall(folder)
    publish.render(folder, publication)
    _print(publication.report, publication.details)
    for name in publish.RENDERED:
        print(shown(folder / name))
    return publication.report.exit_status


def _print(found: Report, details: Mapping[str, Any]) -> None:
    rerun = {name: known["rerun"] for name, known in details["cells"].items()}
    parts = [table.render_table(found), table.render_clocks(found), table.render_skips(found)]
    parts += [table.render_failures(found, found.verdicts, rerun), table.render_summary(found)]
    print("\n\n".join(part for part in parts if part))
