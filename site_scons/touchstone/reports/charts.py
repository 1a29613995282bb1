# SPDX-License-Identifier: Apache-2.0
"""Which charts the page has: MAC/cycle, memory, speed-up over cores, timeline, heat maps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from touchstone.reports import svg
from touchstone.reports.provenance import documents
from touchstone.reports.svg import Line, Mark, Row
from touchstone.results import CellResult

MEMORY = ("code", "weights", "activations", "stack")
STAGES = (
    "vectors",
    "pack",
    "compile",
    "link",
    "loadable",
    "costs",
    "simulator",
    "simulate",
    "check",
)
LANE = 26
MAX_SPANS = 4000


def _by_target(results: Iterable[CellResult]) -> dict[str, list[CellResult]]:
    groups: dict[str, list[CellResult]] = {}
    for result in results:
        groups.setdefault(result.target, []).append(result)
    return groups


def _by_variant(results: Iterable[CellResult]) -> dict[str, list[CellResult]]:
    groups: dict[str, list[CellResult]] = {}
    for result in results:
        groups.setdefault(f"{result.kernel}.{result.variant}", []).append(result)
    return dict(sorted(groups.items()))


def efficiency(results: Sequence[CellResult]) -> str:
    """MAC/cycle of each cell that passed, a chart a target."""
    parts = []
    measured = (r for r in results if r.status == "PASS" and r.mac_per_cycle is not None)
    for target, cells in _by_target(measured).items():
        rows = [
            Row(
                label,
                tuple(
                    Mark(r.mac_per_cycle or 0, f"{r.id}: {r.mac_per_cycle:.3f} MAC/cycle")
                    for r in group
                ),
            )
            for label, group in _by_variant(cells).items()
        ]
        chart = svg.dots(rows, "MAC/cycle", f"MAC per cycle on {target}")
        parts.append(f"<h3>{escape(target)}</h3>{chart}")
    return "".join(parts)


def memory(results: Sequence[CellResult]) -> str:
    """Of each variant the cell that needs most, split by what needs it."""
    parts = []
    for target, cells in _by_target(r for r in results if r.status != "SKIP").items():
        rows = []
        for label, group in _by_variant(cells).items():
            most = max(group, key=lambda r: (sum(_memory(r)), r.id))
            marks = [
                Mark(size, f"{most.id}: {name} {size:,} bytes", str(index))
                for index, (name, size) in enumerate(zip(MEMORY, _memory(most), strict=True))
                if size
            ]
            rows.append(Row(label, tuple(marks)))
        chart = svg.stacks(rows, "bytes", f"Memory on {target}")
        parts.append(f"<h3>{escape(target)}</h3>{chart}")
    key = svg.legend({f"k{index}": name for index, name in enumerate(MEMORY)})
    return key + "".join(parts) if parts else ""


def _memory(result: CellResult) -> tuple[int, ...]:
    sizes = (result.code_bytes, result.weight_bytes, result.activation_bytes, result.stack_bytes)
    return tuple(size or 0 for size in sizes)


def speedups(results: Sequence[CellResult]) -> dict[str, list[Line]]:
    """Lines over the number of cores by kernel, for cells that differ in nothing else.

    Against the run on the fewest cores, taken as that many times one core's speed: where one core
    was measured, it is the plain speed-up.
    """
    groups: dict[tuple[str, str], dict[int, int]] = {}
    for result in results:
        if result.status == "PASS" and result.cycles:
            plain = re.sub(r"/c[0-9]+(?=/|$)", "", result.id, count=1)
            name = f"{result.target} {result.kernel}"
            groups.setdefault((name, plain), {})[result.cores] = result.cycles
    found: dict[str, list[Line]] = {}
    for (name, plain), cycles in groups.items():
        if len(cycles) > 1:
            fewest = min(cycles)
            base = cycles[fewest] * fewest
            points = tuple((float(n), base / cycles[n]) for n in sorted(cycles))
            found.setdefault(name, []).append(Line(plain, points))
    return found


def scaling(results: Sequence[CellResult]) -> str:
    """Speed-up over cores, a small chart a kernel."""
    figures = []
    for name, found in speedups(results).items():
        entries = {f"s{index % 8}": line.label.split("/", 1)[1] for index, line in enumerate(found)}
        chart = svg.lines(found, f"Speed-up of {name} over cores")
        figures.append(
            f"<figure><figcaption>{escape(name)}</figcaption>{chart}{svg.legend(entries)}</figure>"
        )
    return f'<div class="multiples">{"".join(figures)}</div>' if figures else ""


def timeline(provenance: Mapping[str, Any]) -> str:
    """What ran when, a row a job of the build; a chart a shard."""
    parts = []
    for document in documents(provenance):
        spans = [span for span in document["timeline"] if span[0] in STAGES]
        if spans:
            shard = next((word for word in document["command"] if word.startswith("shard=")), "")
            parts.append(_lanes(spans, shard))
    key = svg.legend({f"t{index}": name for index, name in enumerate(STAGES)})
    return key + "".join(parts) if parts else ""


def _lanes(spans: Sequence[Sequence[Any]], name: str) -> str:
    end = max(start + seconds for _, _, _, start, seconds in spans)
    values = svg.ticks(end)
    scale = (svg.WIDTH - 60) / values[-1]
    height = LANE * (1 + max(lane for _, _, lane, _, _ in spans))
    parts = []
    for value in values:
        x = 40 + value * scale
        parts.append(
            f'<line class="grid" x1="{svg.number(x)}" x2="{svg.number(x)}" y1="0" y2="{height}"/>'
        )
        parts.append(svg.text(x, height + 14, f"{svg.number(value)} s", "tick", "middle"))
    # The longest ones, where there are too many to draw: the others are too thin to see.
    shown = sorted(spans, key=lambda span: -span[4])[:MAX_SPANS]
    for stage, node, lane, start, seconds in sorted(shown, key=lambda span: (span[3], span[1])):
        width = max(seconds * scale, 0.5)
        parts.append(
            f'<rect class="t{STAGES.index(stage)}" x="{svg.number(40 + start * scale)}" '
            f'y="{lane * LANE + 2}" width="{svg.number(width)}" height="{LANE - 4}">'
            f"<title>{escape(f'{stage} {node}: {seconds:.3f} s')}</title></rect>"
        )
    title = f"<h3>{escape(name)}</h3>" if name else ""
    return title + svg.svg(svg.WIDTH, height + 22, f"Build timeline {name}", parts)


def heatmap(entry: Mapping[str, Any]) -> str:
    """Where one output is wrong: darker bins have a larger share of wrong elements."""
    tall, wide = entry["bin"]
    rows, columns = -(-entry["rows"] // tall), -(-entry["columns"] // wide)
    size = max(3, min(12, 240 // max(rows, columns)))
    width, height = columns * size, rows * size
    parts = [f'<rect class="heat-ground" width="{width}" height="{height}"/>']
    for row, column, count, worst in entry["bins"]:
        inside = min(tall, entry["rows"] - row * tall) * min(wide, entry["columns"] - column * wide)
        where = f"row {_span(row, tall)}, column {_span(column, wide)}"
        title = f"{where}: {count} of {inside} wrong, largest error {worst} LSB"
        shade = 0.3 + 0.7 * count / inside
        parts.append(
            f'<rect class="heat" x="{column * size}" y="{row * size}" width="{size}" '
            f'height="{size}" fill-opacity="{svg.number(shade)}">'
            f"<title>{escape(title)}</title></rect>"
        )
    axes = entry["axes"] or [f"axis{number}" for number in range(len(entry["shape"]))]
    shape = " x ".join(f"{name} {n}" for name, n in zip(axes, entry["shape"], strict=False))
    caption = f"{entry['case']}: {entry['operand']} ({shape})"
    label = f"Mismatches of {caption}"
    style = f'style="width:{width}px"'
    chart = svg.svg(width, height, label, parts).replace("<svg ", f"<svg {style} ", 1)
    return f"<figure><figcaption>{escape(caption)}</figcaption>{chart}</figure>"


def _span(index: int, size: int) -> str:
    first = index * size
    return str(first) if size == 1 else f"{first}-{first + size - 1}"
