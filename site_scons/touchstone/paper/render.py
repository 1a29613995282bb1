# SPDX-License-Identifier: Apache-2.0
"""Claims and sweeps for people: terminal, Markdown, one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import resources

from tabulate import tabulate

from touchstone.paper.claims import GAP9, Claim, claims
from touchstone.paper.measured import SHAPES, Measured
from touchstone.paper.plots import plot
from touchstone.paper.sweeps import Sweep, cores, sweeps
from touchstone.reports.svg import legend

TITLE = "The paper's claims beside this project's figures"
HEADERS = ("claim", "published", "ours", "ours at")
NOTES = (
    "Published: Optimizing the Deployment of Tiny Transformers on Low-Power MCUs (arXiv "
    "2404.02945) and the spreadsheet beside its predecessor's code.",
    "Ours: cycles of the simulators' models, warm, no silicon. Energy is the mean power that "
    "target.yaml quotes times the time at its clock. All of it: configs/paper.yaml by "
    "./scons paper.",
)


def terminal(measured: Measured) -> str:
    """Table and sweeps."""
    parts = [_claims(claims(measured), "simple")]
    parts += [f"{_heading(sweep)}\n\n{_sweep(sweep, 'simple')}" for sweep in sweeps(measured)]
    return "\n\n".join([*parts, *_missing(measured), *NOTES])


def markdown(measured: Measured) -> str:
    """The same in Markdown."""
    parts = [f"# {TITLE}", *NOTES, _claims(claims(measured), "github")]
    parts += [f"## {_heading(sweep)}\n\n{_sweep(sweep, 'github')}" for sweep in sweeps(measured)]
    return "\n\n".join([*parts, *_missing(measured)]) + "\n"


def html(measured: Measured, whole: str = "") -> str:
    """The same with plots, in one page that needs nothing else; `whole`: more of it, in HTML."""
    css = resources.files("touchstone.reports").joinpath("page.css").read_text(encoding="utf-8")
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _row(claim))}</tr>"
        for claim in claims(measured)
    )
    head = "".join(f"<th>{name}</th>" for name in HEADERS)
    notes = "".join(f"<p>{escape(note)}</p>" for note in (*NOTES, *_missing(measured)))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    figures = "".join([*map(_figure, sweeps(measured)), _speedups(measured)])
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        f"<style>{css}</style></head><body><header><h1>{TITLE}</h1>{notes}</header>"
        f"<main><section>{table}</section>{whole}{figures}</main></body></html>\n"
    )


def _row(claim: Claim) -> tuple[str, str, str, str]:
    return claim.subject, claim.published, claim.ours, claim.at


def _claims(found: Sequence[Claim], form: str) -> str:
    return tabulate(map(_row, found), HEADERS, tablefmt=form, disable_numparse=True)


def _heading(sweep: Sweep) -> str:
    return f"MAC/cycle of mhsa over {sweep.dimension} ({sweep.held})"


def _sweep(sweep: Sweep, form: str) -> str:
    places = sorted({x for points in sweep.lines.values() for x, _ in points})
    rows = [
        [name, *(f"{known[x]:.2f}" if x in known else "-" for x in places)]
        for name, known in ((name, dict(points)) for name, points in sweep.lines.items())
    ]
    return tabulate(rows, (sweep.dimension, *map(str, places)), form, disable_numparse=True)


def _figure(sweep: Sweep) -> str:
    drawn = plot(sweep.lines, sweep.dimension, "MAC/cycle", _heading(sweep))
    names = legend({f"s{index % 8}": name for index, name in enumerate(sweep.lines)})
    return f"<section><h2>{escape(_heading(sweep))}</h2>{names}{drawn}</section>"


def _speedups(measured: Measured) -> str:
    lines = {shape.name: cores(measured, GAP9, shape) for shape in SHAPES}
    lines = {name: points for name, points in lines.items() if points}
    if not lines:
        return ""
    drawn = plot(lines, "cores", "times as fast", "Speed-up over one core on gap9")
    names = legend({f"s{index % 8}": name for index, name in enumerate(lines)})
    return f"<section><h2>Speed-up over one core on gap9</h2>{names}{drawn}</section>"


def _missing(measured: Measured) -> list[str]:
    """Cells that stand behind no figure, with the reason."""
    return [
        f"{cell['status']} {cell['id']}: {cell['reason'] or 'no reason given'}"
        for cell in measured.cells
        if cell["status"] != "PASS"
    ]
