# SPDX-License-Identifier: Apache-2.0
"""compare=A,B: the cells of two variants side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tabulate import tabulate

from touchstone.graph import CellPlan
from touchstone.results import CellResult


def render(
    plans: Sequence[CellPlan], results: Sequence[CellResult], variants: Sequence[str]
) -> str:
    """A line a cell: cycles (or instructions) of both, the second in percent of the first, memory.

    A cell is named as that of its kernel's default variant.
    """
    rows: dict[str, dict[str, CellResult]] = {}
    for plan, result in zip(plans, results, strict=True):
        rows.setdefault(_name(plan), {})[result.variant] = result
    first, second = variants
    lines = [_line(name, cells.get(first), cells.get(second)) for name, cells in rows.items()]
    headers = ["cell", f"{first} cycles", f"{second} cycles", f"{second}/{first}", "faster"]
    headers += [f"{first} B", f"{second} B"]
    align = ["left", "right", "right", "right", "left", "right", "right"]
    return tabulate(lines, headers, tablefmt="simple", colalign=align, disable_numparse=True)


def _name(plan: CellPlan) -> str:
    cell = plan.cell
    default = cell.kernel.default_variant(cell.target.isas)
    return replace(cell, variant=default or cell.variant).id


def _line(name: str, a: CellResult | None, b: CellResult | None) -> list[str]:
    x, y = _value(a), _value(b)
    share = faster = ""
    if x and y:
        share = f"{y / x:.3f}"
        faster = "same" if x == y else (a if x < y else b).variant  # type: ignore[union-attr]
    memory = [_bytes(a), _bytes(b)]
    return [name, _shown(a, x), _shown(b, y), share, faster, *memory]


def _value(result: CellResult | None) -> int | None:
    if result is None or result.status != "PASS":
        return None
    return result.cycles if result.cycles is not None else result.instructions


def _shown(result: CellResult | None, value: int | None) -> str:
    if result is None:
        return "-"
    return result.status if value is None else f"{value:,}".replace(",", " ")


def _bytes(result: CellResult | None) -> str:
    """Code and activations: what the variant takes of the memory."""
    if result is None or result.code_bytes is None:
        return ""
    return f"{result.code_bytes + result.activation_bytes:,}".replace(",", " ")
