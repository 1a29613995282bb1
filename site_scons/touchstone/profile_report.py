# SPDX-License-Identifier: Apache-2.0
"""A profile as a table, as JSON, and as folded stacks for flame graphs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from touchstone.profile import Profile, Tally

TOP_FUNCTIONS = 15
TOP_LINES = 20
TOP_STALLS = 2
TOP_STALLS_OF_A_LINE = 1
FUNCTION_HEADERS = ("function", "cycles", "share", "instructions", "cycles/instr.", "mostly")
LINE_HEADERS = ("line", "function", *FUNCTION_HEADERS[1:])
MIX_HEADERS = ("instructions of class", "executed", "share", "cycles", "cycles/instr.")


def render(profile: Profile, title: str, style: str) -> str:
    """Tables for people; `style` is one of tabulate's."""
    parts = [
        f"# {title}" if style == "github" else title,
        _cores(profile, style),
        _mix(profile, style),
        _top("functions", FUNCTION_HEADERS, _functions(profile), TOP_FUNCTIONS, style),
        _top("lines", LINE_HEADERS, _lines(profile), TOP_LINES, style),
    ]
    return "\n\n".join(parts) + "\n"


def document(profile: Profile, **facts: Any) -> dict[str, Any]:
    """profile.json: `facts` about the cell, then everything that was counted."""
    return {
        "schema": 1,
        **facts,
        "causes": list(profile.causes),
        "total": profile.total.document(),
        "cores": [{"core": core, **tally.document()} for core, tally in profile.cores.items()],
        "mix": [{"class": name, **tally.document()} for name, tally in profile.groups.items()],
        "functions": [
            {"function": name, **tally.document()} for name, tally in profile.functions.items()
        ],
        "lines": [
            {"function": function, "line": line, **tally.document()}
            for (function, line), tally in profile.lines.items()
        ],
    }


def folded(profile: Profile) -> str:
    """`core;function;...;file:line cycles`, as flamegraph.pl and speedscope read it."""
    rows = (f"{stack} {cycles}\n" for stack, cycles in profile.folded.items() if cycles > 0)
    return "".join(rows)


def listing(profile: Profile) -> str:
    """Every executed instruction with its cycles, the functions with most cycles first."""
    by_function: dict[str, list[str]] = {name: [] for name in profile.functions}
    lines: dict[str, str] = {}
    for pc, place in profile.code.items():
        rows = by_function[place.function]
        if lines.get(place.function) != place.line and not place.line.startswith("+"):
            rows.append(f"  {place.line}")
        lines[place.function] = place.line
        tally = place.tally
        figures = f"{tally.cycles:>12}{tally.instructions:>12}"
        stalls = _stalls(tally, TOP_STALLS)
        rows.append(f"{figures}  {pc:08x}  {place.instruction.text:<36}  {stalls}".rstrip())
    head = f"{'cycles':>12}{'executed':>12}  pc        instruction"
    parts = ("\n".join([f"\n{name}:", *rows]) for name, rows in by_function.items())
    return "\n".join([head, *parts]) + "\n"


def _number(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _rate(tally: Tally) -> str:
    return f"{tally.cycles / tally.instructions:.2f}" if tally.instructions else ""


def _stalls(tally: Tally, most: int) -> str:
    """What the cycles beyond one an instruction are mostly made of."""
    worst = sorted(tally.stalls.items(), key=lambda item: (-item[1], item[0]))[:most]
    shares = ((name, 100 * cycles / max(tally.cycles, 1)) for name, cycles in worst)
    return ", ".join(f"{name} {share:.0f} %" for name, share in shares if share >= 1)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]], left: int, style: str) -> str:
    # Imported here: what only writes JSON does not need it.
    from tabulate import tabulate

    names = {"mostly", "function"}
    align = [
        "left" if index < left or name in names else "right" for index, name in enumerate(headers)
    ]
    return tabulate(list(rows), headers, tablefmt=style, colalign=align, disable_numparse=True)


def _cores(profile: Profile, style: str) -> str:
    """One column a core: where its cycles went."""
    tallies = list(profile.cores.values())
    rows = [
        ["cycles", *(_number(tally.cycles) for tally in tallies)],
        ["instructions", *(_number(tally.instructions) for tally in tallies)],
        ["cycles/instr.", *(_rate(tally) for tally in tallies)],
    ]
    for cause in profile.causes:
        if profile.total.stalls.get(cause):
            shares = (_share(tally.stalls.get(cause, 0), tally.cycles) for tally in tallies)
            rows.append([cause, *shares])
    return _table(["", *(f"core {core}" for core in profile.cores)], rows, 1, style)


def _mix(profile: Profile, style: str) -> str:
    whole = profile.total.instructions
    ordered = sorted(profile.groups.items(), key=lambda item: (-item[1].instructions, item[0]))
    rows = [
        (
            name,
            _number(tally.instructions),
            _share(tally.instructions, whole),
            _number(tally.cycles),
            _rate(tally),
        )
        for name, tally in ordered
    ]
    return _table(MIX_HEADERS, rows, 1, style)


def _columns(tally: Tally, whole: int, stalls: int) -> tuple[str, ...]:
    cycles, instructions = _number(tally.cycles), _number(tally.instructions)
    share, mostly = _share(tally.cycles, whole), _stalls(tally, stalls)
    return (cycles, share, instructions, _rate(tally), mostly)


def _functions(profile: Profile) -> list[tuple[str, ...]]:
    whole = profile.total.cycles
    functions = profile.functions.items()
    return [(name, *_columns(tally, whole, TOP_STALLS)) for name, tally in functions]


def _lines(profile: Profile) -> list[tuple[str, ...]]:
    whole = profile.total.cycles
    return [
        (line, function, *_columns(tally, whole, TOP_STALLS_OF_A_LINE))
        for (function, line), tally in profile.lines.items()
    ]


def _top(
    what: str, headers: Sequence[str], rows: Sequence[Sequence[str]], most: int, style: str
) -> str:
    text = _table(headers, rows[:most], 1, style)
    if len(rows) > most:
        text += f"\n\n{len(rows) - most} more {what} in profile.json"
    return text
