# SPDX-License-Identifier: Apache-2.0
"""The cycles that the planner knows without measuring: configs/baselines/planner.json.

They are of the kernels as they were when somebody wrote them. `bench=accept` moves those that it
has just run, `bench=check` and `./scons plan record=check` fail where one is no longer what a run
says.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from touchstone.files import read_json, write_json

FILE = "configs/baselines/planner.json"
MATRIX = "configs/planner.yaml"
ANEW = f"./scons config={MATRIX} && ./scons plan record=1"


def load(root: Path) -> dict[str, int]:
    """Cycles by cell id; nothing where there is no file."""
    document = read_json(root / FILE)
    return {name: value for name, value in (document or {}).items() if isinstance(value, int)}


def write(root: Path, cycles: Mapping[str, int]) -> None:
    """Sorted, so that the same cycles are the same bytes."""
    write_json(root / FILE, {name: cycles[name] for name in sorted(cycles)})


def stale(root: Path, cycles: Mapping[str, int]) -> str | None:
    """One line if a recorded cell that has just been run took other cycles."""
    recorded = load(root)
    found = _changed(recorded, cycles)
    if not found:
        return None
    first = min(found)
    more = f" (+{len(found) - 1} more)" if len(found) > 1 else ""
    return (
        f"STALE {FILE}: {first}: recorded {recorded[first]}, now {cycles[first]}{more}; "
        f"{ANEW} takes it anew"
    )


def move(root: Path, cycles: Mapping[str, int]) -> int:
    """Write what recorded cells take now; how many of them changed."""
    recorded = load(root)
    changed = _changed(recorded, cycles)
    if changed:
        write(root, {**recorded, **changed})
    return len(changed)


def _changed(recorded: Mapping[str, int], cycles: Mapping[str, int]) -> dict[str, int]:
    """The cycles of what was recorded and takes others now."""
    return {name: cycles[name] for name, was in recorded.items() if cycles.get(name, was) != was}
