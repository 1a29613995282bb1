# SPDX-License-Identifier: Apache-2.0
"""The planner's answer as text: a table of candidates and the reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from touchstone.cells import Cell
from touchstone.planner.candidates import Question
from touchstone.planner.choose import BALANCED_LOSS, Choice, Fusion, Priced, reason_against
from touchstone.planner.costs import MODEL

HEADERS = (
    *("kernel.variant", "tile", "heads", "order", "split", "layout", "cycles", "known by"),
    *("activation B", "weight B", "why"),
)
ROWS_OF_THE_FRONT = 6


@dataclass(frozen=True)
class Answer:
    """A question with the choice for one golden model."""

    question: Question
    golden: str
    choice: Choice
    memory: int | None


def title(answer: Answer) -> str:
    """Target, operation, shape."""
    question = answer.question
    shape = "-".join(f"{name}{value}" for name, value in question.shape.values().items())
    limit = "" if answer.memory is None else f", at most {answer.memory} bytes of activations"
    cores = "1 core" if question.cores == 1 else f"{question.cores} cores"
    return f"{question.target.name}: {answer.golden} at {shape} on {cores}{limit}"


def table(answer: Answer) -> str:
    """The candidates worth a look, the chosen ones first."""
    from tabulate import tabulate

    rows = [_row(entry, why) for entry, why in _shown(answer)]
    align = (
        "left",
        "right",
        "right",
        "left",
        "left",
        "left",
        "right",
        "left",
        "right",
        "right",
        "left",
    )
    return tabulate(rows, headers=HEADERS, colalign=align, disable_numparse=True)


def advice(answer: Answer) -> list[str]:
    """What to type for each choice."""
    choice = answer.choice
    lines = []
    named = (("fastest", choice.fastest), ("balanced", choice.balanced))
    for name, entry in (*named, ("smallest", choice.smallest)):
        if entry is None:
            lines.append(f"{name.ljust(8)}  none: {_nothing(answer)}")
        else:
            lines.append(f"{name.ljust(8)}  {entry.candidate.command}")
    doubtful = [entry for entry in choice.front if entry.cost and entry.cost.source == MODEL]
    if doubtful:
        worst = max(entry.cost.error for entry in doubtful if entry.cost)
        lines.append(
            f"cycles by model: fitted to the measured cells of the variant, off by up to "
            f"{100 * worst:.0f} % there; the commands above measure"
        )
    return lines


def _nothing(answer: Answer) -> str:
    reasons = [reason_against(entry, answer.memory) for entry in answer.choice.priced]
    refused = [reason for reason in reasons if reason]
    if len(refused) == len(reasons):
        return refused[0] if refused else "no variant runs here"
    return "no cycles are known of any variant; run the cells, or see configs/planner.yaml"


def fusion_line(fusion: Fusion) -> str:
    """The recommendation."""
    word = "recommended" if fusion.recommended else "not recommended"
    return f"FWSA (changes the numbers, so never chosen here): {word}; {fusion.reason}"


def _shown(answer: Answer) -> list[tuple[Priced, str]]:
    choice = answer.choice
    shown: dict[str, tuple[Priced, str]] = {}

    def show(entry: Priced | None, why: str) -> None:
        if entry is not None:
            name = entry.candidate.cell.id
            before = f"{shown[name][1]}, " if name in shown else ""
            shown[name] = (entry, before + why)

    show(choice.fastest, "fastest")
    within = f"least memory within {100 * BALANCED_LOSS:.0f} % of the fastest"
    show(choice.balanced, f"balanced: {within}")
    show(choice.smallest, "smallest")
    for entry in _spread(choice.front):
        if entry.candidate.cell.id not in shown:
            show(entry, f"{_slower(entry, choice.fastest)}, less memory")
    for entry in choice.priced:
        name = entry.candidate.cell.id
        if name not in shown and not entry.candidate.cell.schedule.words():
            show(entry, _against(entry, answer))
    return list(shown.values())


def _spread(front: tuple[Priced, ...]) -> Iterable[Priced]:
    """At most ROWS_OF_THE_FRONT of it, evenly."""
    step = max(1, -(-len(front) // ROWS_OF_THE_FRONT))
    return front[::step]


def _against(entry: Priced, answer: Answer) -> str:
    reason = reason_against(entry, answer.memory)
    if reason is not None:
        return reason
    if entry.cost is None:
        return f"never measured: {entry.candidate.command}"
    slower = _slower(entry, answer.choice.fastest)
    return f"{slower} and no smaller than the above"


def _slower(entry: Priced, fastest: Priced | None) -> str:
    assert fastest is not None
    return f"{100 * (entry.cycles / fastest.cycles - 1):+.1f} % cycles"


def _split(cell: Cell) -> str:
    """What a scheduled kernel shares out among its cores."""
    if not cell.schedule.order:
        return ""
    by_heads = cell.schedule.order == "context" and cell.schedule.heads > 1
    return "heads x rows" if by_heads else "rows"


def _row(entry: Priced, why: str) -> list[str]:
    cell, needs = entry.candidate.cell, entry.candidate.needs
    schedule = cell.schedule
    return [
        f"{cell.kernel.name}.{cell.variant.name}",
        str(schedule.tile or ""),
        str(schedule.heads or ""),
        schedule.order,
        _split(cell),
        cell.variant.layout or "",
        "" if entry.cost is None else f"{entry.cost.cycles:,}".replace(",", " "),
        "" if entry.cost is None else entry.cost.source,
        f"{needs.activation_bytes:,}".replace(",", " "),
        f"{needs.weight_bytes:,}".replace(",", " "),
        why,
    ]
