# SPDX-License-Identifier: Apache-2.0
"""What a simulator left behind, held against the image that it ran."""

from __future__ import annotations

import pytest
from test_records import EXPECTED, RUN_ID, end, hello, report, whole

from touchstone.run_cell import LOG_CHARACTERS, Image, interpret
from touchstone.simulators.base import CounterRead, Fault, RunStatus, SimulatorRun

IMAGE = Image(b"image", RUN_ID, EXPECTED)
# Cold 120 and warm 100 cycles, as the firmware of test_records reports them.
READS = ((5, 10), (125, 60), (200, 70), (300, 115))


def ran(
    stream: bytes = b"".join(whole()),
    status: RunStatus = RunStatus.COMPLETED,
    reads: tuple[tuple[int, int], ...] = READS,
    fault: Fault | None = None,
    log: str = "said",
) -> SimulatorRun:
    counters = tuple(CounterRead(*pair) for pair in reads)
    return SimulatorRun(status, "why", stream, log, counters, 999, fault)


def test_whole_run() -> None:
    run = interpret(ran(), IMAGE)
    assert (run.status, run.reason, run.fault) == (RunStatus.COMPLETED, "", None)
    assert (run.cycles_cold, run.cycles, run.stack_bytes) == (120, 100, 64)
    assert (run.instructions, run.instructions_total) == (45, 999)
    assert [case.output for case in run.cases] == [b"abc", b"defgh"]
    assert run.run_id == RUN_ID.hex()


@pytest.mark.parametrize("status", [RunStatus.TIMEOUT, RunStatus.CRASH, RunStatus.NO_OUTPUT])
def test_whole_report_of_a_run_that_did_not_end_well(status: RunStatus) -> None:
    fault = Fault("illegal-instruction", 0, 4, None, "")
    run = interpret(ran(status=status, fault=fault), IMAGE)
    assert (run.status, run.reason, run.fault) == (status, "why", fault)
    assert (run.cycles, run.cases) == (None, ())


def test_stream_that_ends_early_or_late() -> None:
    whole_stream = b"".join(whole())
    for stream in (b"", whole_stream[:-1], whole_stream + b"x", whole_stream * 2):
        run = interpret(ran(stream), IMAGE)
        assert run.status is RunStatus.NO_OUTPUT
        assert run.reason
        assert (run.cycles, run.cases) == (None, ())


def test_report_of_another_image() -> None:
    other = Image(b"image", bytes(16), EXPECTED.__class__(bytes(16), "add", 8, 2, (3, 5)))
    assert interpret(ran(), other).status is RunStatus.NO_OUTPUT


@pytest.mark.parametrize(
    "reads",
    [
        ((5, 10), (124, 60), (200, 70), (300, 115)),
        ((5, 10), (125, 60), (200, 70), (301, 115)),
        READS[:3],
        (*READS, (400, 130)),
    ],
)
def test_cycles_that_the_simulator_did_not_answer(reads: tuple[tuple[int, int], ...]) -> None:
    run = interpret(ran(reads=reads), IMAGE)
    assert run.status is RunStatus.CRASH
    assert "cycles" in run.reason
    assert run.cycles is None


def test_counter_that_wraps() -> None:
    reads = ((2**32 - 20, 1), (100, 2), (2**32 - 1, 3), (99, 48))
    assert interpret(ran(reads=reads), IMAGE).cycles == 100


def test_firmware_that_could_not_start() -> None:
    run = interpret(ran(hello() + end(status=6, done=0), reads=()), IMAGE)
    assert (run.status, run.reason) == (RunStatus.CRASH, "the firmware says: arena too small")


def test_what_the_firmware_found_is_kept() -> None:
    frames = [hello(), *report(0, b"abc"), *report(1, b"defgh", 3, 2, -1, 7, 7), end(status=3)]
    run = interpret(ran(b"".join(frames)), IMAGE)
    assert run.status is RunStatus.COMPLETED, "the verdict is the check's business"
    assert (run.cases[1].status, run.cases[1].operand) == ("guard overwritten", 2)
    assert run.cases[1].offset == -1


def test_log_is_a_tail() -> None:
    run = interpret(ran(log="x" * 10_000 + "end"), IMAGE)
    assert run.log.endswith("end")
    assert len(run.log) == LOG_CHARACTERS
