# SPDX-License-Identifier: Apache-2.0
"""The choice among candidates: fastest, smallest, balanced; and whether FWSA would win.

Fusing query and key weights changes the numbers, so the planner recommends it and never chooses
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from touchstone.planner.candidates import Candidate
from touchstone.planner.costs import MODEL, Cost, Costs

BALANCED_LOSS = 0.08
"""Cycles that the balanced choice may lose against the fastest, for its memory."""


@dataclass(frozen=True)
class Priced:
    """A candidate with its cycles; None where nothing is known of them."""

    candidate: Candidate
    cost: Cost | None

    @property
    def bytes(self) -> int:
        """Input, output and all scratch."""
        return self.candidate.needs.activation_bytes

    @property
    def cycles(self) -> int:
        """For candidates whose cost is known."""
        assert self.cost is not None
        return self.cost.cycles


@dataclass(frozen=True)
class Choice:
    """What to use; each None where no candidate fits. `front`: no other candidate is both faster
    and smaller, from the fastest on."""

    priced: tuple[Priced, ...]
    fastest: Priced | None
    smallest: Priced | None
    balanced: Priced | None
    front: tuple[Priced, ...]


def choose(found: Sequence[Candidate], costs: Costs, memory: int | None) -> Choice:
    """The choice under a limit of activation memory, None for what the target has."""
    priced = tuple(Priced(candidate, costs.of(candidate.cell)) for candidate in found)
    fitting = [entry for entry in priced if reason_against(entry, memory) is None]
    known = sorted((entry for entry in fitting if entry.cost is not None), key=_speed)
    front: list[Priced] = []
    for entry in known:
        if not front or entry.bytes < front[-1].bytes:
            front.append(entry)
    fastest = front[0] if front else None
    # Without cycles memory still decides.
    smallest = min(fitting, key=_memory) if fitting else None
    balanced = None
    if fastest is not None:
        limit = fastest.cycles * (1 + BALANCED_LOSS)
        within = [entry for entry in front if entry.cost and entry.cost.at_most <= limit]
        balanced = within[-1] if within else fastest
    return Choice(priced, fastest, smallest, balanced, tuple(front))


def reason_against(entry: Priced, memory: int | None) -> str | None:
    """Why a candidate cannot be used."""
    if entry.candidate.skip is not None:
        return entry.candidate.skip
    if memory is not None and entry.bytes > memory:
        return f"{entry.bytes - memory} bytes more than memory={memory}"
    return None


def _speed(entry: Priced) -> tuple[int, int, str]:
    """An estimate comes before a measurement only where it is lower beyond its error."""
    assert entry.cost is not None
    return entry.cost.at_most, entry.bytes, entry.candidate.cell.id


def _memory(entry: Priced) -> tuple[int, float, str]:
    cycles = float("inf") if entry.cost is None else entry.cycles
    return entry.bytes, cycles, entry.candidate.cell.id


@dataclass(frozen=True)
class Fusion:
    """mhsa_fwsa held against mhsa."""

    recommended: bool
    reason: str


def judge_fusion(plain: Choice, fused: Choice) -> Fusion:
    """Recommends FWSA only where it is faster beyond the doubt of a model."""
    if plain.fastest is None or fused.fastest is None:
        return Fusion(False, "nothing is known of its cycles")
    before, after = _surest(plain), _surest(fused)
    assert before is not None and after is not None
    gain = before.cycles / after.cycles
    costs = [entry.cost for entry in (before, after) if entry.cost is not None]
    doubt = sum(cost.error for cost in costs if cost.source == MODEL)
    weights = after.candidate.needs.weight_bytes - before.candidate.needs.weight_bytes
    share = 100 * weights / before.candidate.needs.weight_bytes
    figures = (
        f"{_count(after.cycles)} cycles against {_count(before.cycles)} ({gain:.2f}x), "
        f"weights {share:+.0f} %"
    )
    if gain <= 1:
        return Fusion(False, f"it loses: {figures}")
    if gain <= 1 + doubt:
        return Fusion(False, f"within the doubt of the model ({100 * doubt:.0f} %): {figures}")
    return Fusion(True, figures)


def _surest(choice: Choice) -> Priced | None:
    """The fastest that was measured or recorded; the fastest estimate where none was."""
    known = [entry for entry in choice.front if entry.cost and entry.cost.source != MODEL]
    return known[0] if known else choice.fastest


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
