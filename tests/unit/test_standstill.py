# SPDX-License-Identifier: Apache-2.0
"""Where every core was when a run did not end by itself, in words."""

from __future__ import annotations

from typing import Any

from touchstone.simulators.standstill import explained

OFF, RUNNING, EVENT_WAIT, MUTEX_WAIT, WFI = range(5)
BARRIER_1 = 0x200 + 0x20 + 0x1C
CONTROLLER = [WFI, 0x1C010080, 90, 0]


def report(status: str, *cores: list[int], lacking: tuple[int, ...] = (0, 0)) -> dict[str, Any]:
    return {"status": status, "cores": [*cores, CONTROLLER], "lacking": list(lacking)}


def test_a_run_that_ends_is_left_alone() -> None:
    for status in ("exit", "fault"):
        ended = {**report(status, [RUNNING, 4, 5, 0]), "fault": None}
        assert explained(ended) == ended
    limited = {"status": "limit", "fault": None}  # of a simulator with one core
    assert explained(limited) == limited


def test_cores_at_the_same_place_are_told_together() -> None:
    waits = [EVENT_WAIT, 0x1C010100, 70, BARRIER_1]
    gone = [OFF, 0, 0, 0]
    found = explained(
        report("deadlock", waits, waits, [WFI, 0x1C010200, 60, 0], gone, lacking=(0, 4))
    )
    assert found["status"] == "fault"
    fault = found["fault"]
    # The one that the barrier lacks is where the mistake is.
    assert (fault["kind"], fault["core"], fault["pc"]) == ("deadlock", 2, 0x1C010200)
    assert fault["detail"] == (
        "cores 0,1 at barrier 1, which lacks core 2, pc 0x1c010100; "
        "core 2 in wfi, pc 0x1c010200; core 4 in wfi, pc 0x1c010080"
    )


def test_a_barrier_lacks_who_was_never_started() -> None:
    waits = [EVENT_WAIT, 0x1C010100, 70, BARRIER_1]
    found = explained(report("deadlock", waits, waits, [OFF, 0, 0, 0], lacking=(0, 4)))
    assert (found["fault"]["core"], found["fault"]["pc"]) == (0, 0x1C010100)


def test_other_waits() -> None:
    found = explained(
        report("deadlock", [MUTEX_WAIT, 4, 1, 0xC0], [EVENT_WAIT, 8, 1, 0x3C], [5, 12, 1, 0])
    )
    detail = found["fault"]["detail"]
    assert "core 0 for a mutex, pc 0x00000004; core 1 for an event, pc 0x00000008" in detail
    assert "core 2 for the DMA's queue" in detail


def test_who_runs_farthest_ahead_is_to_blame_for_a_limit() -> None:
    waits = [EVENT_WAIT, 0x1C010100, 9999, BARRIER_1]
    behind, ahead = [RUNNING, 0x1C010300, 80, 0], [RUNNING, 0x1C010400, 5000, 0]
    found = explained(report("limit", waits, behind, ahead, ahead))
    assert found["status"] == "limit"
    assert (found["fault"]["core"], found["fault"]["pc"]) == (2, 0x1C010400)


def test_the_controller_alone() -> None:
    found = explained(report("deadlock", [OFF, 0, 0, 0]))
    assert (found["fault"]["core"], found["fault"]["pc"]) == (1, 0x1C010080)
