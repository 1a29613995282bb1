# SPDX-License-Identifier: Apache-2.0
"""Lines over a dimension, as inline SVG in the style of the HTML report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from touchstone.reports.svg import number, svg, text, ticks

WIDTH, HEIGHT = 420.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 16.0, 14.0, 42.0
Points = Sequence[tuple[int, float]]


def plot(lines: Mapping[str, Points], across: str, unit: str, label: str) -> str:
    """Each named line's points; both axes start at 0."""
    values = [value for points in lines.values() for _, value in points]
    places = sorted({x for points in lines.values() for x, _ in points})
    high, far = ticks(max(values))[-1], max(places)

    def place(x: float, y: float) -> tuple[float, float]:
        wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + x / far * wide, HEIGHT - BOTTOM - y / high * tall

    parts = []
    for value in ticks(max(values)):
        _, y = place(0, value)
        ends = f'x1="{number(LEFT)}" x2="{number(WIDTH - RIGHT)}"'
        parts.append(f'<line class="grid" {ends} y1="{number(y)}" y2="{number(y)}"/>')
        parts.append(text(LEFT - 6, y + 4, number(value), "tick", "end"))
    for x in places:
        parts.append(text(place(x, 0)[0], HEIGHT - BOTTOM + 16, str(x), "tick", "middle"))
    middle = (LEFT + WIDTH) / 2
    parts.append(text(middle, HEIGHT - 8, f"{across}; up: {unit}", "tick", "middle"))
    for index, (name, points) in enumerate(lines.items()):
        parts += _line(index, name, [(x, y, *place(x, y)) for x, y in points], across, unit)
    return svg(WIDTH, HEIGHT, label, parts)


def _line(
    index: int,
    name: str,
    points: Sequence[tuple[int, float, float, float]],
    across: str,
    unit: str,
) -> list[str]:
    css = f"s{index % 8}"
    path = " ".join(f"{number(left)},{number(top)}" for _, _, left, top in points)
    parts = [f'<polyline class="line {css}" points="{path}"/>']
    for x, y, left, top in points:
        title = escape(f"{name}: {y:.2f} {unit} at {across} {x}")
        where = f'cx="{number(left)}" cy="{number(top)}"'
        parts.append(f'<circle class="dot {css}" {where} r="3.5"><title>{title}</title></circle>')
    return parts
