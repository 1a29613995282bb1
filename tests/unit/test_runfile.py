# SPDX-License-Identifier: Apache-2.0
"""cell.run: what was written is read, and anything less is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from touchstone.runfile import CaseRun, CellRun, RunFileError, read_run, read_status, write_run
from touchstone.simulators.base import Fault, RunStatus

RUN = CellRun(
    status=RunStatus.COMPLETED,
    reason="",
    run_id="00ff",
    cycles=12,
    cycles_cold=None,
    instructions=7,
    instructions_total=99,
    stack_bytes=0,
    cases=(
        CaseRun("ok", 0, 0, bytes(range(40))),
        CaseRun("input changed", 1, 17, b""),
        CaseRun("ok", 0, 0, None),
        CaseRun("ok", 0, 0, b"\xff\x00{}\n"),
    ),
    fault=None,
    log="größer\n",
)
FAULT = Fault("memory-access", 3, 0x1C010044, 0x30000000, "a store")


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "cell.run"
    crashed = replace(RUN, status=RunStatus.CRASH, reason="why", cases=(), fault=FAULT)
    for run in (RUN, crashed):
        write_run(path, run)
        assert read_run(path) == run
        assert read_status(path) is run.status
    assert [entry.name for entry in path.parent.iterdir()] == ["cell.run"]


def test_equal_runs_are_equal_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_run(first, RUN)
    write_run(second, replace(RUN))
    assert first.read_bytes() == second.read_bytes()
    assert str(tmp_path).encode() not in first.read_bytes()


def test_every_truncation_is_found(tmp_path: Path) -> None:
    path = tmp_path / "cell.run"
    write_run(path, RUN)
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(RunFileError, match=str(path)):
            read_run(path)
    path.write_bytes(data)
    assert read_run(path) == RUN


def test_more_than_was_written_is_found(tmp_path: Path) -> None:
    path = tmp_path / "cell.run"
    write_run(path, RUN)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(RunFileError):
        read_run(path)


def test_what_is_no_run(tmp_path: Path) -> None:
    path = tmp_path / "cell.run"
    assert read_status(path) is None
    for data in (b"", b"no run at all, but long enough", b"TSRUN001\x02\0\0\0[]", b"TSRUN001"):
        path.write_bytes(data)
        assert read_status(path) is None
        with pytest.raises(RunFileError):
            read_run(path)


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "cell.run"
    write_run(path, RUN)
    with pytest.raises(TypeError):
        write_run(path, replace(RUN, cycles=b"not JSON"))  # type: ignore[arg-type]
    assert read_run(path) == RUN
    assert [entry.name for entry in tmp_path.iterdir()] == ["cell.run"]
