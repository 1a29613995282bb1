# SPDX-License-Identifier: Apache-2.0
"""Why a run of the XpulpV2 simulator did not end by itself: where every core is, in words.

Its report gives, for the cluster's cores and then the fabric controller, `cores` as
[state, pc, cycle, offset of the register in the event unit that it waits at], and `lacking`, for
every barrier a mask of the cores that it waits for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The order of `core_state` in xpulp.h.
STATES = (
    "not started",
    "running",
    "for an event",
    "for a mutex",
    "in wfi",
    "for the DMA's queue",
    "for a DMA counter",
)
OFF, RUNNING, EVENT_WAIT = range(3)
BARRIER_AREA, BARRIER_BYTES = 0x200, 0x20


@dataclass(frozen=True)
class _Place:
    """What a core does and where; cores at the same place are told together."""

    state: int
    pc: int
    barrier: int | None
    register: int | None

    def words(self, lacking: int) -> str:
        if self.barrier is None:
            return STATES[self.state]
        lacks = f", which lacks {_cores(_members(lacking))}" if lacking else ""
        return f"at barrier {self.barrier}{lacks}"


def explained(report: Mapping[str, Any]) -> dict[str, Any]:
    """`report` with the fault that a deadlock is, or that says where the cores were at a limit."""
    if report["status"] not in ("deadlock", "limit") or "cores" not in report:
        return dict(report)
    places = [_place(core, len(report["lacking"])) for core in report["cores"]]
    started = [core for core, place in enumerate(places) if place.state != OFF]
    groups: dict[_Place, list[int]] = {}
    for core in started:
        groups.setdefault(places[core], []).append(core)
    told = [
        f"{_cores(cores)} {place.words(_lacking(report, place))}, pc {place.pc:#010x}"
        for place, cores in groups.items()
    ]
    missed = {core for place in groups for core in _members(_lacking(report, place))}

    def blame(core: int) -> tuple[bool, bool, bool, int]:
        """Who runs comes first (who shares nothing runs ahead: the one that never stops is the
        farthest), then whom a barrier lacks that others wait at, then who waits at one."""
        runs = places[core].state == RUNNING
        ahead = report["cores"][core][2] if runs else 0
        return runs, core in missed, places[core].barrier is not None, ahead

    # The cluster's cores come before the fabric controller, which waits for them.
    cluster = [core for core in started if core < len(places) - 1] or [len(places) - 1]
    culprit = max(cluster, key=blame)
    fault = {
        "kind": report["status"],
        "core": culprit,
        "pc": places[culprit].pc,
        "address": None,
        "detail": "; ".join(told),
    }
    status = "fault" if report["status"] == "deadlock" else report["status"]
    return {**report, "status": status, "fault": fault}


def _place(core: list[int], barriers: int) -> _Place:
    state, pc, _, register = core
    number = (register - BARRIER_AREA) // BARRIER_BYTES
    if state != EVENT_WAIT:
        return _Place(state, pc, None, None)
    return _Place(state, pc, number if 0 <= number < barriers else None, register)


def _lacking(report: Mapping[str, Any], place: _Place) -> int:
    return 0 if place.barrier is None else int(report["lacking"][place.barrier])


def _members(mask: int) -> list[int]:
    return [core for core in range(mask.bit_length()) if mask >> core & 1]


def _cores(cores: list[int]) -> str:
    return f"core{'s' if len(cores) > 1 else ''} {','.join(map(str, cores))}"
