# SPDX-License-Identifier: Apache-2.0
"""Small charts as inline SVG. Colours are classes and variables of page.css, so that charts follow
the page's light and dark scheme; every mark has a title that a pointer or a reader finds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

ROW = 22
LABEL = 210
WIDTH = 860
RIGHT = 24
AXIS = 26


@dataclass(frozen=True)
class Mark:
    """A value in a row; `link` is the id of a table row that it belongs to."""

    value: float
    title: str
    kind: str = "0"


@dataclass(frozen=True)
class Row:
    """A labelled row of marks."""

    label: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Line:
    """A named line of (x, y) points."""

    label: str
    points: tuple[tuple[float, float], ...]


def number(value: float) -> str:
    """A coordinate or a value: short, and the same everywhere."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def ticks(highest: float) -> list[float]:
    """About five round values from 0 on, the last not below `highest`."""
    if highest <= 0:
        return [0.0, 1.0]
    raw = highest / 5
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.999999)
    return [step * index for index in range(math.ceil(highest / step - 1e-9) + 1)]


def svg(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """The frame of a chart."""
    size = f'viewBox="0 0 {number(width)} {number(height)}"'
    body = "".join(parts)
    return f'<svg class="chart" {size} role="img" aria-label="{escape(label)}">{body}</svg>'


def text(x: float, y: float, words: str, css: str, anchor: str = "start") -> str:
    """A label."""
    place = f'x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"'
    return f'<text class="{css}" {place}>{escape(words)}</text>'


def _axis(highest: float, rows: int, unit: str) -> tuple[list[str], float]:
    """Grid lines with their values below `rows` rows; pixels of one unit."""
    values = ticks(highest)
    scale = (WIDTH - LABEL - RIGHT) / values[-1]
    bottom = rows * ROW
    parts = []
    for value in values:
        x = LABEL + value * scale
        parts.append(
            f'<line class="grid" x1="{number(x)}" x2="{number(x)}" y1="0" y2="{number(bottom)}"/>'
        )
        parts.append(
            text(x, bottom + 14, f"{value:,.4g}" if value < 1e4 else si(value), "tick", "middle")
        )
    parts.append(text(LABEL - 8, bottom + 14, unit, "tick", "end"))
    return parts, scale


def si(value: float) -> str:
    """A big number with k or M."""
    for factor, sign in ((1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{number(value / factor)}{sign}"
    return number(value)


def dots(rows: Sequence[Row], unit: str, label: str) -> str:
    """A dot for each mark, one row above the other."""
    highest = max((mark.value for row in rows for mark in row.marks), default=0)
    parts, scale = _axis(highest, len(rows), unit)
    for index, row in enumerate(rows):
        y = index * ROW + ROW / 2
        parts.append(text(LABEL - 8, y + 4, row.label, "label", "end"))
        for mark in row.marks:
            x = LABEL + mark.value * scale
            parts.append(
                f'<circle class="mark k{mark.kind}" cx="{number(x)}" cy="{number(y)}" r="4.5">'
                f"<title>{escape(mark.title)}</title></circle>"
            )
    return svg(WIDTH, len(rows) * ROW + AXIS, label, parts)


def stacks(rows: Sequence[Row], unit: str, label: str) -> str:
    """The marks of each row one after the other, as a bar."""
    highest = max((sum(mark.value for mark in row.marks) for row in rows), default=0)
    parts, scale = _axis(highest, len(rows), unit)
    for index, row in enumerate(rows):
        y, x = index * ROW + 3, float(LABEL)
        parts.append(text(LABEL - 8, y + 12, row.label, "label", "end"))
        for mark in row.marks:
            width = mark.value * scale
            parts.append(
                f'<rect class="bar k{mark.kind}" x="{number(x)}" y="{number(y)}" '
                f'width="{number(width)}" height="{ROW - 6}">'
                f"<title>{escape(mark.title)}</title></rect>"
            )
            x += width
    return svg(WIDTH, len(rows) * ROW + AXIS, label, parts)


def lines(found: Sequence[Line], label: str, side: float = 320) -> str:
    """Lines over whole numbers of cores, with the line that would be ideal."""
    most = max(x for line in found for x, _ in line.points)
    high = ticks(max(most, *(y for line in found for _, y in line.points)))[-1]
    left, bottom = 40.0, side - 30

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - 1) / max(most - 1, 1)
        return left + across * (side - left - 16), bottom - y / high * (bottom - 10)

    parts = []
    for value in ticks(high):
        _, y = place(1, value)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{side - 16}" y1="{number(y)}" y2="{number(y)}"/>'
        )
        parts.append(text(left - 6, y + 4, number(value), "tick", "end"))
    for x in sorted({x for line in found for x, _ in line.points}):
        parts.append(text(place(x, 0)[0], bottom + 16, number(x), "tick", "middle"))
    (x1, y1), (x2, y2) = place(1, 1), place(most, most)
    parts.append(
        f'<line class="ideal" x1="{number(x1)}" y1="{number(y1)}" '
        f'x2="{number(x2)}" y2="{number(y2)}">'
        "<title>ideal</title></line>"
    )
    parts.append(text((left + side) / 2, side - 2, "cores", "tick", "middle"))
    for index, line in enumerate(found):
        placed = [place(x, y) for x, y in line.points]
        path = " ".join(f"{number(x)},{number(y)}" for x, y in placed)
        parts.append(f'<polyline class="line s{index % 8}" points="{path}"/>')
        for (x, y), (cores, speed) in zip(placed, line.points, strict=True):
            title = f"{line.label}: {number(speed)} times at {number(cores)} cores"
            parts.append(
                f'<circle class="dot s{index % 8}" cx="{number(x)}" cy="{number(y)}" r="3.5">'
                f"<title>{escape(title)}</title></circle>"
            )
    return svg(side, side, label, parts)


def legend(entries: Mapping[str, str]) -> str:
    """What classes of colour stand for."""
    items = "".join(
        f'<li><span class="swatch {css}"></span>{escape(name)}</li>'
        for css, name in entries.items()
    )
    return f'<ul class="legend">{items}</ul>'
