# SPDX-License-Identifier: Apache-2.0
"""A cell is simulated anew where the infrastructure failed, and only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from touchstone import stages
from touchstone.process import ProcessRegistry, ProcessResult
from touchstone.runfile import CellRun, read_run
from touchstone.simulators import embedded
from touchstone.simulators.base import Limits, RunStatus

SPEC = {"simulator": "xpulp", "settings": {}, "adapter": "none"}


def run_of(status: RunStatus, infrastructure: bool) -> CellRun:
    nothing: dict[str, Any] = dict.fromkeys(
        ("cycles", "cycles_cold", "instructions", "instructions_total", "stack_bytes", "fault")
    )
    return CellRun(
        status=status,
        reason="why",
        run_id="",
        cases=(),
        log="",
        infrastructure=infrastructure,
        **nothing,
    )


DIED = run_of(RunStatus.CRASH, True)
DONE = run_of(RunStatus.COMPLETED, False)


@pytest.mark.parametrize(
    ("attempts", "retries", "used"),
    [
        ([DONE], 2, 1),
        ([DIED, DONE], 2, 2),
        ([DIED, DIED, DONE], 2, 3),
        ([DIED, DIED], 1, 2),
        ([DIED], 0, 1),
        ([run_of(RunStatus.CRASH, False)], 2, 1),
        ([run_of(RunStatus.TIMEOUT, False)], 2, 1),
        ([run_of(RunStatus.NO_OUTPUT, False)], 2, 1),
    ],
)
def test_attempts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    attempts: list[CellRun],
    retries: int,
    used: int,
) -> None:
    left = list(attempts)
    monkeypatch.setattr(stages, "make_simulator", lambda *_: None)
    monkeypatch.setattr(stages, "run_cell", lambda *_: left.pop(0))
    said: list[str] = []
    place = tmp_path / "cell.run"
    arguments = (place, tmp_path, tmp_path, [], SPEC, ProcessRegistry(), tmp_path)
    result = stages.make_run(*arguments, retries=retries, note_retry=said.append)
    assert result == attempts[-1] == read_run(place)
    assert left == []
    assert said == ["why"] * (used - 1)


@pytest.mark.parametrize(
    ("result", "infrastructure"),
    [
        (ProcessResult(-9, False, False, ""), True),
        (ProcessResult(3, False, False, ""), True),
        (ProcessResult(-9, True, False, ""), False),
        (ProcessResult(-9, False, True, ""), False),
    ],
)
def test_what_an_infrastructure_error_is(
    tmp_path: Path, result: ProcessResult, infrastructure: bool
) -> None:
    """A dead simulator; not one that was ended at its limit or by an interrupt."""
    assert embedded.interpret(result, tmp_path, Limits(1, 1.0)).infrastructure == infrastructure
