# SPDX-License-Identifier: Apache-2.0
"""`./scons trend [cell=GLOB] [metric=cycles] [from=FILE,...]`: figures over commits.

A line a cell on the terminal, and build/report/trend.svg: each cell's metric in percent of its
first value, so that cells of all sizes share a chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from html import escape
from pathlib import Path

from tabulate import tabulate

from touchstone.bench.baselines import METRICS
from touchstone.bench.history import FILE, Point, read
from touchstone.errors import UserError, unknown
from touchstone.files import write_atomically

CHART = "build/report/trend.svg"
VARIABLES = ("cell", "from", "metric")
MAX_LINES = 40
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 420, 60, 320, 30, 60

Series = Mapping[str, Sequence[tuple[str, int]]]


def trend(root: Path, arguments: Mapping[str, str]) -> int:
    """The command."""
    for name in arguments:
        if name not in VARIABLES:
            raise UserError(unknown("trend: variable", name, VARIABLES))
    metric = arguments.get("metric", METRICS[0])
    if metric not in METRICS:
        raise UserError(unknown("trend: metric", metric, METRICS))
    paths = [Path(name) for name in arguments["from"].split(",")] if "from" in arguments else []
    points = read(paths or [root / FILE])
    series = select(points, arguments.get("cell", "*"), metric)
    print(render_table(series, metric))
    write_atomically(root / CHART, render_chart(series, metric).encode("utf-8"))
    print(f"\n{len(series)} cells over {_commits(series)} commits; {CHART}")
    return 0


def select(points: Mapping[str, Sequence[Point]], cells: str, metric: str) -> Series:
    """The values of one metric, with the labels of their commits; none at all is an error."""
    series = {
        cell: [
            (point.commit.label, point.figures[metric])
            for point in known
            if metric in point.figures
        ]
        for cell, known in points.items()
        if fnmatchcase(cell, cells)
    }
    series = {cell: values for cell, values in series.items() if values}
    if not series:
        raise UserError(f"trend: found no {metric} of a cell that matches {cells!r} in the history")
    return series


def _commits(series: Series) -> int:
    return len({label for values in series.values() for label, _ in values})


def render_table(series: Series, metric: str) -> str:
    """First, best and last value of each cell, and the last change with its commit."""
    rows = []
    for cell, values in series.items():
        numbers = [value for _, value in values]
        first, last = numbers[0], numbers[-1]
        whole = f"{100 * (last - first) / first:+.2f} %" if first and last != first else ""
        rows.append([cell, len(values), first, min(numbers), last, whole, _last_change(values)])
    headers = ["cell", "commits", f"first {metric}", "best", "last", "change", "last changed at"]
    return tabulate(rows, headers, tablefmt="simple", intfmt=",")


def _last_change(values: Sequence[tuple[str, int]]) -> str:
    for (_, before), (label, now) in zip(values[-2::-1], values[:0:-1], strict=True):
        if now != before:
            return label
    return ""


def render_chart(series: Series, metric: str) -> str:
    """An SVG that stands alone; of many cells, those that changed most."""
    chosen = sorted(series, key=lambda cell: (-_spread(series[cell]), cell))[:MAX_LINES]
    labels = list(dict.fromkeys(label for cell in series for label, _ in series[cell]))
    shares = {cell: _shares(series[cell]) for cell in chosen}
    low = min((min(values.values()) for values in shares.values()), default=100.0)
    high = max((max(values.values()) for values in shares.values()), default=100.0)
    low, high = min(low, 99.0), max(high, 101.0)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels) - 1)
    at = {label: LEFT + index * step for index, label in enumerate(labels)}

    def height(share: float) -> float:
        return TOP + (high - share) / (high - low) * (HEIGHT - TOP - BOTTOM)

    title = f"{escape(metric)}, percent of the first commit"
    parts = [f'<text x="{LEFT}" y="18" class="title">{title}</text>']
    for share in dict.fromkeys((low, 100.0, high)):
        y = height(share)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.4g}</text>')
    for label in {labels[0], labels[-1]}:
        parts.append(
            f'<text x="{at[label]:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
            f"{escape(label)}</text>"
        )
    for index, cell in enumerate(chosen):
        colour = f"hsl({index * 137 % 360} 60% 42%)"
        places = [(at[label], height(share)) for label, share in shares[cell].items()]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        title = f"<title>{escape(cell)}</title>"
        parts.append(f'<polyline points="{points}" stroke="{colour}">{title}</polyline>')
        x, y = places[-1]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}">{title}</circle>')
        if index < (HEIGHT - TOP) // 14:
            y = TOP + 12 + index * 14
            parts.append(
                f'<text x="{WIDTH - RIGHT + 12}" y="{y}" fill="{colour}">{escape(cell)}</text>'
            )
    style = (
        "text{font:11px sans-serif}.title{font-size:13px}.grid{stroke:#bbb}"
        "polyline{fill:none;stroke-width:1.6}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif"><style>{style}</style>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _shares(values: Sequence[tuple[str, int]]) -> dict[str, float]:
    first = values[0][1] or 1
    return {label: 100.0 * value / first for label, value in values}


def _spread(values: Sequence[tuple[str, int]]) -> float:
    shares = _shares(values).values()
    return max(shares) - min(shares)
