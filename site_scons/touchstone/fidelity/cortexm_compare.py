# SPDX-License-Identifier: Apache-2.0
"""The Cortex-M simulators' results side by side, and what of their differences is tolerable: none.

Outputs must be equal on every simulator and with every toolchain. Instructions of the timed run
must be equal on every simulator for the same objects; toolchains make different ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

EMBEDDED = "unicorn"
SIMULATORS = (EMBEDDED, "qemu", "renode")


@dataclass(frozen=True)
class Seen:
    """One image on one simulator. `outputs` is a hash; `trouble` says why the rest is missing.

    Cycles are the embedded simulator's model; the others have none.
    """

    outputs: str | None
    instructions: int | None
    cycles: int | None = None
    cycles_cold: int | None = None
    trouble: str | None = None


@dataclass(frozen=True)
class Row:
    """One cell with one toolchain. `stale` says why nothing is known of it."""

    id: str
    toolchain: str
    seen: Mapping[str, Seen]
    stale: str | None = None

    @property
    def outputs(self) -> frozenset[str]:
        """The different outputs that were seen."""
        return frozenset(seen.outputs for seen in self.seen.values() if seen.outputs is not None)

    @property
    def instructions(self) -> int | None:
        """What all simulators count, None where they do not agree."""
        counts = {seen.instructions for seen in self.seen.values()}
        return counts.pop() if len(counts) == 1 else None

    @property
    def fault(self) -> str | None:
        """Why this row alone fails the comparison."""
        if self.stale is not None:
            return self.stale
        troubles = [f"{name}: {seen.trouble}" for name, seen in self.seen.items() if seen.trouble]
        if troubles:
            return "; ".join(troubles)
        if len(self.seen) < 2:
            return "there is nothing to compare with"
        if len(self.outputs) != 1 or any(seen.outputs is None for seen in self.seen.values()):
            return "outputs differ"
        if self.instructions is None:
            counts = ", ".join(f"{name} {seen.instructions}" for name, seen in self.seen.items())
            return f"instructions differ: {counts}"
        return None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "fault": self.fault}


@dataclass(frozen=True)
class Comparison:
    """What was compared. `kind`: "live" or "recorded"; `notes` says what is missing here."""

    kind: str
    versions: Mapping[str, str]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def between_toolchains(self) -> tuple[str, ...]:
        """Cells whose outputs depend on the toolchain."""
        outputs: dict[str, set[str]] = {}
        for row in self.rows:
            outputs.setdefault(row.id, set()).update(row.outputs)
        alone = {row.id for row in self.rows if row.fault is not None}
        return tuple(name for name, seen in outputs.items() if len(seen) > 1 and name not in alone)

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that makes this comparison fail, one line each."""
        found = [f"{row.id} ({row.toolchain}): {row.fault}" for row in self.rows if row.fault]
        found += [f"{name}: outputs differ between toolchains" for name in self.between_toolchains]
        return tuple(found) if self.rows else ("nothing was compared",)

    @property
    def exit_status(self) -> int:
        """0 only where something was compared and all of it holds."""
        return 1 if self.faults else 0


def summary(comparison: Comparison) -> list[str]:
    """Counts by toolchain, then what fails."""
    lines = list(comparison.notes)
    for toolchain in dict.fromkeys(row.toolchain for row in comparison.rows):
        rows = [row for row in comparison.rows if row.toolchain == toolchain]
        good = sum(row.fault is None for row in rows)
        lines.append(
            f"{toolchain}: {len(rows)} cells, outputs and instructions equal on {_names(rows)} "
            f"in {good}"
        )
    faults = comparison.faults
    return lines + ([f"FAIL {fault}" for fault in faults] or ["PASS"])


def _names(rows: Sequence[Row]) -> str:
    names = [name for name in SIMULATORS if any(name in row.seen for row in rows)]
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
