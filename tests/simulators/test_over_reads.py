# SPDX-License-Identifier: Apache-2.0
"""With over_reads:trap a read beyond an operand is a fault, wherever it is and whoever does it."""

from __future__ import annotations

import dataclasses

import pytest
from test_firmware_e2e import TARGETS, Bench, Job, make_job

from touchstone.records import parse_stream
from touchstone.simulators.base import RunStatus


@pytest.fixture(scope="session")
def trapping(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("trapping"), (("over_reads", "trap"),))


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("plain"))


def announcing(cores: int = 1) -> Job:
    return dataclasses.replace(make_job(cores), announces=True)


@pytest.mark.parametrize("target", TARGETS)
def test_a_right_kernel_runs_as_ever(trapping: Bench, target: str) -> None:
    cores = trapping.target(target).max_cores
    job = announcing(cores)
    result = trapping.result(target, "portable", job)
    assert [case.output for case in result.cases] == job.outputs


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("variant", ["over_reader", "word_over_reader", "under_reader"])
def test_a_read_beyond_an_operand_is_a_fault(
    trapping: Bench, plain: Bench, target: str, variant: str
) -> None:
    """Without the traps nothing is noticed: the guards are whole and nothing comes of the read."""
    cores = trapping.target(target).max_cores
    job = make_job(cores)
    run = plain.run(target, variant, job)
    result = parse_stream(run.stream, job.expected(plain.loadable(target, variant)))
    assert result.status_text == "ok"
    run = trapping.run(target, variant, announcing(cores))
    assert run.status is RunStatus.CRASH and run.fault is not None
    assert run.fault.kind == "over-access"
    assert run.fault.core == cores - 1
    bytes_read = 4 if variant == "word_over_reader" else 1
    assert run.fault.detail == f"load of {bytes_read} bytes reaches beyond an operand"


@pytest.mark.parametrize("target", TARGETS)
def test_a_write_beyond_an_operand_is_a_fault_at_once(trapping: Bench, target: str) -> None:
    run = trapping.run(target, "overrun", announcing())
    assert run.fault is not None
    assert run.fault.detail == "store of 1 bytes reaches beyond an operand"


@pytest.mark.parametrize("target", TARGETS)
def test_a_run_without_announcements_is_not_green(trapping: Bench, target: str) -> None:
    run = trapping.run(target, "portable", make_job())
    assert run.status is RunStatus.CRASH
    assert "no operands were announced" in run.reason


@pytest.mark.parametrize("target", TARGETS)
def test_nobody_announces_to_a_simulator_that_does_not_ask(plain: Bench, target: str) -> None:
    run = plain.run(target, "portable", announcing())
    assert run.status is RunStatus.CRASH
    assert "without --over-reads trap" in run.reason
