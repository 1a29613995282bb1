# SPDX-License-Identifier: Apache-2.0
"""Two simulators' results side by side: differences, and what of them is tolerable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

# Percent of GVSOC's cycles.
MEAN_TOLERANCE = 1.5
WORST_TOLERANCE = {"off": 4.0, "on": 5.0}
CONFLICTS = ("off", "on")


@dataclass(frozen=True)
class Row:
    """One image on both. `exact`: the cycles have to be equal. `trouble`: why it is not good."""

    id: str
    conflicts: str
    gvsoc_cycles: int | None
    cycles: int | None
    equal: bool
    exact: bool = False
    trouble: str | None = None

    @property
    def difference(self) -> float | None:
        """Percent of GVSOC's cycles; None where one is missing."""
        if self.gvsoc_cycles is None or self.cycles is None:
            return None
        if self.gvsoc_cycles == 0:
            return 0.0 if self.cycles == 0 else 100.0
        return 100.0 * (self.cycles - self.gvsoc_cycles) / self.gvsoc_cycles

    @property
    def fault(self) -> str | None:
        """Why this row alone fails the comparison."""
        if self.trouble is not None:
            return self.trouble
        if not self.equal:
            return "outputs differ"
        difference, most = self.difference, WORST_TOLERANCE[self.conflicts]
        if difference is None:
            return "cycles are missing"
        if self.exact and difference != 0:
            return "the cycles of a single instruction differ"
        return None if abs(difference) <= most else f"off by more than {most:g} %"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        difference = self.difference
        rounded = None if difference is None else round(difference, 3)
        return {**asdict(self), "difference_percent": rounded, "fault": self.fault}


@dataclass(frozen=True)
class Statistics:
    """All rows of one setting of bank conflicts; differences in percent, without their signs."""

    conflicts: str
    rows: int
    measured: int
    identical: int
    mean: float
    worst: float
    worst_id: str

    @property
    def fault(self) -> str | None:
        """Why the rows together fail: their average."""
        if self.conflicts == "off" and self.mean > MEAN_TOLERANCE:
            return f"{self.mean:.2f} % on average is more than {MEAN_TOLERANCE:g} %"
        return None


@dataclass(frozen=True)
class Comparison:
    """What was compared with which GVSOC. `kind`: "live" or "recorded"."""

    kind: str
    gvsoc: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def statistics(self) -> tuple[Statistics, ...]:
        """One for each setting that has rows."""
        return tuple(
            _statistics(setting, [row for row in self.rows if row.conflicts == setting])
            for setting in CONFLICTS
            if any(row.conflicts == setting for row in self.rows)
        )

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that makes this comparison fail, one line each."""
        found = [f"{row.id}: {row.fault}" for row in self.rows if row.fault is not None]
        found += [
            f"bank conflicts {part.conflicts}: {part.fault}"
            for part in self.statistics
            if part.fault is not None
        ]
        return tuple(found) if self.rows else ("nothing was compared",)

    @property
    def exit_status(self) -> int:
        """0 only where something was compared and all of it holds."""
        return 1 if self.faults else 0


def _statistics(setting: str, rows: Sequence[Row]) -> Statistics:
    found = [(abs(row.difference), row.id) for row in rows if row.difference is not None]
    worst, worst_id = max(found, default=(0.0, ""))
    return Statistics(
        conflicts=setting,
        rows=len(rows),
        measured=len(found),
        identical=sum(value == 0 for value, _ in found),
        mean=sum(value for value, _ in found) / len(found) if found else 0.0,
        worst=worst,
        worst_id=worst_id,
    )
