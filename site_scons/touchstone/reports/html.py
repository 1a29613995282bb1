# SPDX-License-Identifier: Apache-2.0
"""report.html: one self-contained page. Nothing is loaded from anywhere; logs are linked beside it.

Without scripts it is complete; page.js only sorts and filters the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from touchstone import table
from touchstone.reports import charts
from touchstone.reports.provenance import documents
from touchstone.results import FINE, CellResult, Report

HERE = Path(__file__).resolve().parent
# From build/report/ to the cells.
CELLS = "../cells"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render_html(
    report: Report, details: Mapping[str, Any], provenance: Mapping[str, Any], title: str
) -> str:
    """The page."""
    results = report.results
    sections = [
        ("failures", "What is wrong", _failures(results, details)),
        ("matrix", "Cells", _matrix(report, details)),
        ("efficiency", "MAC per cycle", charts.efficiency(results)),
        ("memory", "Memory: the largest cell of each variant", charts.memory(results)),
        ("scaling", "Speed-up over cores", charts.scaling(results)),
        ("timeline", "Build timeline", charts.timeline(provenance)),
        ("provenance", "Where this comes from", _provenance(report, provenance)),
    ]
    there = [entry for entry in sections if entry[2]]
    links = "".join(f'<a href="#{name}">{escape(words)}</a>' for name, words, _ in there)
    body = "".join(
        f'<section id="{name}"><h2>{escape(words)}</h2>{inside}</section>'
        for name, words, inside in there
    )
    passed = report.exit_status == 0
    verdict = (
        f'<p class="verdict {"good" if passed else "bad"}">{"passed" if passed else "FAILED"}</p>'
    )
    lines = [table.render_summary(report), *table.render_notes(report).splitlines()]
    summary = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{_asset('page.css')}</style></head><body>"
        f"<header><h1>{escape(title)}</h1>{verdict}{summary}<nav>{links}</nav></header>"
        f"<main>{body}</main><script>{_asset('page.js')}</script></body></html>\n"
    )


def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _failures(results: Sequence[CellResult], details: Mapping[str, Any]) -> str:
    return "".join(
        _failure(result, details["cells"][result.id])
        for result in results
        if result.id in details["cells"]
    )


def _failure(result: CellResult, known: Mapping[str, Any]) -> str:
    reason = escape(result.reason or "")
    parts = [f"<h3>{_badge(result.status)} {escape(result.id)}</h3><p>{reason}</p>"]
    if known["location"]:
        parts.append(f"<p>at <code>{escape(known['location'])}</code></p>")
    for entry in known["differences"]:
        sizes = ", ".join(f"{label} LSB: {count}" for label, count in entry["histogram"])
        words = f"{entry['case']}: {entry['count']} of {entry['total']} wrong; errors of {sizes}"
        parts.append(f"<p>{escape(words)}</p>")
    maps = "".join(charts.heatmap(entry) for entry in known["heatmaps"])
    parts.append(f'<div class="multiples">{maps}</div>' if maps else "")
    parts.append(f"<p>again: <code>{escape(known['rerun'])}</code></p>")
    if known["log"]:
        parts.append(f"<details><summary>log</summary><pre>{escape(known['log'])}</pre></details>")
    return f'<article class="failure">{"".join(parts)}</article>'


def _badge(status: str) -> str:
    kind = "good" if status == "PASS" else "skip" if status in FINE else "bad"
    return f'<span class="badge {kind}">{escape(status)}</span>'


def _matrix(report: Report, details: Mapping[str, Any]) -> str:
    rows, headers, alignment = table.columns(report.results)
    head = "".join(
        f'<th scope="col" class="{side}"><button type="button">{escape(name)}</button></th>'
        for name, side in zip(headers, alignment, strict=True)
    )
    body = "".join(
        _row(result, row, headers, alignment, report)
        for result, row in zip(report.results, rows, strict=True)
    )
    clocks = "".join(
        f"<li>{escape(line)}</li>" for line in table.render_clocks(report).splitlines()
    )
    return (
        '<p class="filter"><label>Filter <input id="filter" type="search" '
        'placeholder="gap9 fwsa FAIL"></label> <output id="shown"></output></p>'
        f'<div class="scroll"><table id="cells"><thead><tr>{head}'
        '<th scope="col">log</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div><ul>{clocks}</ul>"
    )


def _row(
    result: CellResult,
    row: Sequence[str],
    headers: Sequence[str],
    alignment: Sequence[str],
    report: Report,
) -> str:
    keys = _sort_keys(result)
    cells = []
    for name, words, side in zip(headers, row, alignment, strict=True):
        key = f' data-key="{keys[name]}"' if keys.get(name) is not None else ""
        inside = _badge(result.status) if name == "status" else escape(words)
        if name == "status" and result.cached:
            inside += " cached"
        if name == "status" and result.reason:
            inside = f'<span title="{escape(result.reason)}">{inside}</span>'
        cells.append(f'<td class="{side}"{key}>{inside}</td>')
    ran = result.status not in ("SKIP", "BUILD_ERROR", "NOT_RUN")
    log = f'<a href="{CELLS}/{escape(result.id)}/log.txt">log</a>' if ran else ""
    bad = result.status not in FINE or result.id in report.unexpected_skips
    return f"<tr{' class=bad' if bad else ''}>{''.join(cells)}<td>{log}</td></tr>"


def _sort_keys(result: CellResult) -> dict[str, float | int | None]:
    """What numeric columns are sorted by; others by their text."""
    return {
        "cycles": result.cycles,
        "instructions": result.instructions,
        "change": result.delta_cycles,
        "MAC/cycle": result.mac_per_cycle,
        "of peak": result.peak_share,
        "code B": result.code_bytes,
        "activation B": result.activation_bytes,
        "stack B": result.stack_bytes,
    }


def _provenance(report: Report, provenance: Mapping[str, Any]) -> str:
    entries = []
    for document in documents(provenance):
        git = document["git"] or {"commit": "no repository", "dirty": False}
        state = f"{git['commit']}{' with changes' if git['dirty'] else ''}"
        host = document["host"]
        facts = {
            "command": " ".join(document["command"]) or "(default matrix)",
            "git": state,
            "started": document["started"],
            "took": f"{document['seconds']} s",
            "host": f"{host['system']}, Python {host['python']}, {host['processors']} processors",
            **{f"stamp of {name}": stamp for name, stamp in document["stamps"].items()},
        }
        rows = "".join(
            f"<tr><th scope=row>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
            for name, value in facts.items()
        )
        entries.append(f'<table class="facts">{rows}</table>')
    return "".join(entries)
