# SPDX-License-Identifier: Apache-2.0
"""What an embedded simulator leaves behind, read: every way of dying is a status."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from touchstone.process import ProcessRegistry, ProcessResult
from touchstone.simulators.base import CounterRead, Fault, Limits, RunStatus, SimulatorRun
from touchstone.simulators.embedded import EmbeddedSimulator, describe_fault, interpret

LIMITS = Limits(instructions=1000, wall_seconds=2.5)
READS = [[1, 2], [11, 22], [30, 40], [35, 50]]
REPORT: dict[str, Any] = {
    "status": "exit",
    "exit_code": 0,
    "instructions": 77,
    "counter_reads": READS,
    "fault": None,
}
FAULT = {"kind": "memory-access", "core": 3, "pc": 0x1C010044, "address": 16, "detail": "a store"}


def ended(returncode: int = 0, timed_out: bool = False, interrupted: bool = False) -> ProcessResult:
    return ProcessResult(returncode, timed_out, interrupted, "what it said\n")


def read(folder: Path, result: ProcessResult, **report: Any) -> SimulatorRun:
    (folder / "stream.bin").write_bytes(b"records")
    (folder / "log.txt").write_bytes(b"log \xff\n")
    (folder / "report.json").write_text(json.dumps({**REPORT, **report}))
    return interpret(result, folder, LIMITS)


def test_completed(tmp_path: Path) -> None:
    run = read(tmp_path, ended())
    assert (run.status, run.reason, run.fault) == (RunStatus.COMPLETED, "", None)
    assert run.stream == b"records"
    assert run.log.startswith("log ")
    assert run.log.endswith("what it said\n")
    assert run.counter_reads == tuple(CounterRead(*pair) for pair in READS)
    assert run.instructions == 77


def test_instruction_limit(tmp_path: Path) -> None:
    run = read(tmp_path, ended(), status="limit")
    assert run.status is RunStatus.TIMEOUT
    assert run.reason == "limit of 1000 simulated instructions reached"
    where = {**FAULT, "kind": "limit", "address": None, "detail": "core 3 running, pc 0x1c010044"}
    run = read(tmp_path, ended(), status="limit", fault=where)
    assert run.status is RunStatus.TIMEOUT
    assert run.reason.endswith("instructions reached: core 3 running, pc 0x1c010044")
    assert (run.fault and run.fault.core, run.fault and run.fault.pc) == (3, 0x1C010044)


def test_fault(tmp_path: Path) -> None:
    run = read(tmp_path, ended(), status="fault", fault=FAULT)
    assert run.status is RunStatus.CRASH
    assert run.fault == Fault("memory-access", 3, 0x1C010044, 16, "a store")
    assert run.reason == "memory-access at address 0x00000010 on core 3, pc 0x1c010044 (a store)"
    without = describe_fault(Fault("illegal-instruction", 0, 4, None, ""))
    assert without == "illegal-instruction on core 0, pc 0x00000004"


def test_exit_code_of_the_firmware(tmp_path: Path) -> None:
    run = read(tmp_path, ended(), exit_code=1)
    assert (run.status, run.reason) == (RunStatus.CRASH, "the firmware exited with 1")


def test_no_records(tmp_path: Path) -> None:
    read(tmp_path, ended())
    for empty in (True, False):
        (tmp_path / "stream.bin").write_bytes(b"")
        if not empty:
            (tmp_path / "stream.bin").unlink()
        run = interpret(ended(), tmp_path, LIMITS)
        assert (run.status, run.stream) == (RunStatus.NO_OUTPUT, b"")


def test_wall_limit_counts_more_than_a_report(tmp_path: Path) -> None:
    run = read(tmp_path, ended(-9, timed_out=True))
    assert (run.status, run.reason) == (RunStatus.TIMEOUT, "wall limit of 2.5 s reached")


def test_interrupted_run_never_completes(tmp_path: Path) -> None:
    run = read(tmp_path, ended(0, interrupted=True))
    assert (run.status, run.reason) == (RunStatus.CRASH, "interrupted")


@pytest.mark.parametrize("report", [None, b"", b"[]", b'{"status": "ex'])
@pytest.mark.parametrize(
    ("returncode", "reason"),
    [
        (-11, "the simulator was killed by signal 11"),
        (2, "the simulator ended with status 2 and no report"),
        (0, "the simulator ended with status 0 and no report"),
    ],
)
def test_no_report(tmp_path: Path, report: bytes | None, returncode: int, reason: str) -> None:
    if report is not None:
        (tmp_path / "report.json").write_bytes(report)
    run = interpret(ended(returncode), tmp_path, LIMITS)
    assert (run.status, run.reason) == (RunStatus.CRASH, reason)
    assert run.log == "what it said\n"
    assert run.instructions is None


def test_adapter_runs_a_program(tmp_path: Path) -> None:
    """A simulator in a few lines: it gets the image and the limit, and leaves its files."""
    program = tmp_path / "simulator"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, sys\n"
        "words = sys.argv[2:]\n"
        "options = dict(zip(words[::2], words[1::2]))\n"
        "open(options['--stream'], 'wb').write(open(sys.argv[1], 'rb').read()[::-1])\n"
        "open(options['--log'], 'w').write(options['--core'])\n"
        f"report = {REPORT!r}\n"
        "report['instructions'] = int(options['--max-instructions'])\n"
        "json.dump(report, open(options['--report'], 'w'))\n"
    )
    program.chmod(0o755)
    folder = tmp_path / "run"
    folder.mkdir()
    simulator = EmbeddedSimulator("any", program, ("--core", "m4"))
    run = simulator.run(b"image", LIMITS, folder, ProcessRegistry())
    assert (run.status, run.stream, run.instructions) == (RunStatus.COMPLETED, b"egami", 1000)
    assert run.log == "m4"
