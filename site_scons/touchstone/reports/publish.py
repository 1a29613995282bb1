# SPDX-License-Identifier: Apache-2.0
"""Writes everything that lies in build/report/ of a finished command, and reads it back.

results.json and details.json are deterministic; provenance.json has what is not; junit.xml,
report.md and report.html are made from the three and can be made again (`./scons report`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.errors import UserError
from touchstone.files import write_atomically, write_json
from touchstone.reports.html import render_html
from touchstone.reports.junit import render_junit
from touchstone.reports.markdown import append_step_summary, render_markdown
from touchstone.reports.provenance import CELL_STAGES, seconds_by_cell
from touchstone.results import CellResult, Report, write_results
from touchstone.textfile import shown

RESULTS, DETAILS, PROVENANCE = "results.json", "details.json", "provenance.json"
RENDERED = ("junit.xml", "report.md", "report.html")


@dataclass(frozen=True)
class Publication:
    """One command's results with all that reports say besides."""

    report: Report
    details: Mapping[str, Any]
    provenance: Mapping[str, Any]
    shard: Mapping[str, Any] | None = None

    @property
    def title(self) -> str:
        """What the reports call it."""
        part = "" if self.shard is None else f" shard {self.shard['index']}/{self.shard['count']}"
        return f"Touchstone{part}"


def publish(folder: Path, publication: Publication) -> None:
    """Write all files of a report, and GitHub's step summary where there is one."""
    write_results(folder / RESULTS, publication.report, publication.shard)
    write_json(folder / DETAILS, publication.details)
    write_json(folder / PROVENANCE, publication.provenance)
    append_step_summary(render(folder, publication))


def render(folder: Path, publication: Publication) -> str:
    """Write what is made from the other files; the Markdown text."""
    report, details = publication.report, publication.details
    seconds = seconds_by_cell(publication.provenance, CELL_STAGES)
    write_atomically(folder / "junit.xml", render_junit(report, details, seconds))
    text = render_markdown(report, details, publication.title)
    write_atomically(folder / "report.md", text.encode("utf-8"))
    page = render_html(report, details, publication.provenance, publication.title)
    write_atomically(folder / "report.html", page.encode("utf-8"))
    return text


def recall(folder: Path) -> Publication:
    """What `publish` wrote; UserError where it is not there or damaged."""
    # Imported here: only commands that read results back need it.
    from touchstone.schema import validate

    document = _document(folder / RESULTS)
    validate(document, "results", folder / RESULTS)
    details, provenance = _document(folder / DETAILS), _document(folder / PROVENANCE)
    for name, known in ((DETAILS, details), (PROVENANCE, provenance)):
        if known.get("schema") != 1:
            raise UserError(f"{shown(folder / name)}: schema: found another, allowed 1")
    report = report_of([document], details)
    if report.exit_status != document["exit_status"]:
        where = shown(folder / RESULTS)
        raise UserError(
            f"{where}: exit_status: found {document['exit_status']}, but its cells and "
            f"{DETAILS} make {report.exit_status}"
        )
    return Publication(report, details, provenance, document["shard"])


def report_of(documents: list[Mapping[str, Any]], details: Mapping[str, Any]) -> Report:
    """The rows of results.json documents as one report."""
    rows = tuple(CellResult(**row) for document in documents for row in document["cells"])
    verdicts = {row.id: details["cells"].get(row.id, {}) for row in rows}
    problems = tuple(line for document in documents for line in document["problems"])
    return Report(rows, verdicts, tuple(details["unexpected_skips"]), problems)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{shown(path)}: found no such file; run a build first") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{shown(path)}: found no readable JSON: {error}") from None
    if not isinstance(document, dict):
        raise UserError(f"{shown(path)}: found no mapping")
    return document
