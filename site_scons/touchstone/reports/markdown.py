# SPDX-License-Identifier: Apache-2.0
"""The report as Markdown: for a pull request, a wiki, or the summary of a GitHub job."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone import table
from touchstone.results import CellResult, Report

# GitHub refuses a job's summary of more than 1 MiB, and shows none at all then.
SUMMARY_BYTES = 1_000_000
SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
MAX_FAILURES = 50


def render_markdown(report: Report, details: Mapping[str, Any], title: str) -> str:
    """Verdict, failing cells with what is wrong, skips, and the whole table folded away."""
    verdict = "passed" if report.exit_status == 0 else "FAILED"
    parts = [f"## {title}: {verdict}", table.render_summary(report)]
    failing = [result for result in report.results if result.id in details["cells"]]
    parts += [_failure(result, details["cells"][result.id]) for result in failing[:MAX_FAILURES]]
    if len(failing) > MAX_FAILURES:
        parts.append(f"... and {len(failing) - MAX_FAILURES} more failing cells.")
    notes = [*table.render_skips(report).splitlines(), *table.render_notes(report).splitlines()]
    if notes:
        parts.append("\n".join(f"- {_escape(line)}" for line in notes))
    whole = render_cells(report.results)
    count = len(report.results)
    parts.append(f"<details><summary>All {count} cells</summary>\n\n{whole}\n\n</details>")
    clocks = table.render_clocks(report)
    if clocks:
        parts.append("\n".join(f"- {_escape(line)}" for line in clocks.splitlines()))
    return "\n\n".join(parts) + "\n"


def _failure(result: CellResult, known: Mapping[str, Any]) -> str:
    lines = [f"**{result.status}** `{result.id}`: {_escape(result.reason or '')}"]
    if known.get("location"):
        lines.append(f"at `{known['location']}`")
    lines.append(f"rerun: `{known['rerun']}`")
    return "  \n".join(lines)


def render_cells(results: Sequence[CellResult]) -> str:
    """The table of cells."""
    rows, headers, alignment = table.columns(results)
    rule = ["---:" if side == "right" else ":---" for side in alignment]
    lines = [_row(headers), _row(rule), *(_row([f"`{row[0]}`", *row[1:]]) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _escape(text: str) -> str:
    """Plain text: nothing in it is markup."""
    for sign in "\\`*_<>[]|#":
        text = text.replace(sign, f"\\{sign}" if sign not in "<>" else f"&{_NAMES[sign]};")
    return text.replace("\n", " ")


_NAMES = {"<": "lt", ">": "gt"}


def append_step_summary(text: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Add the report to the summary of the GitHub job that this runs in, if it runs in one."""
    path = environment.get(SUMMARY_VARIABLE)
    if not path:
        return False
    data = text.encode("utf-8")
    there = Path(path).stat().st_size if Path(path).exists() else 0
    if there + len(data) > SUMMARY_BYTES:
        head = text.partition("<details>")[0]
        data = (head + "\nThe table is in report.md: it is too long for this page.\n").encode()
        data = data[: max(0, SUMMARY_BYTES - there)]
    with open(path, "ab") as file:
        file.write(data)
    return True
