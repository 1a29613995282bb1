# SPDX-License-Identifier: Apache-2.0
"""The embedded simulators: host programs of ours with one command line and one report format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.process import ProcessRegistry, ProcessResult, run_limited
from touchstone.simulators.base import (
    CounterRead,
    Fault,
    Limits,
    RunStatus,
    SimulatorRun,
)
from touchstone.simulators.registry import FOR_THE_IMAGE
from touchstone.simulators.standstill import explained

LOG_TAIL_BYTES = 8 * 1024
MEMORY_MEGABYTES = 4096


def make(name: str, settings: Mapping[str, Any], files: Sequence[Path]) -> EmbeddedSimulator:
    """The simulator whose program is files[0]; with a core, costs and the library follow."""
    options: list[str] = []
    for word, value in sorted(settings["options"].items()):
        if word in FOR_THE_IMAGE:
            continue
        options += [f"--{word.replace('_', '-')}", str(value)]
    if "stacks" in settings:
        base, each = settings["stacks"]
        options += ["--stacks", f"{base:#x}:{each}"]
    for origin, size in settings.get("memory", ()):
        options += ["--memory", f"{origin:#x}:{size:#x}"]
    if "core" in settings:
        costs, library = files[1:]
        options += ["--core", settings["core"]]
        options += ["--costs", str(costs), "--unicorn", str(library)]
    return EmbeddedSimulator(name, files[0], tuple(options))


@dataclass(frozen=True)
class EmbeddedSimulator:
    """`program IMAGE --stream F --log F --report F --max-instructions N` plus `options`."""

    name: str
    program: Path
    options: tuple[str, ...] = ()

    def run(
        self, image: bytes, limits: Limits, directory: Path, registry: ProcessRegistry
    ) -> SimulatorRun:
        """Run `image`; every way of dying is a status, never an exception."""
        image_path = directory / "image.elf"
        image_path.write_bytes(image)
        result = run_limited(
            self._command(image_path, directory, limits),
            directory,
            limits.wall_seconds,
            registry,
            memory_megabytes=MEMORY_MEGABYTES,
        )
        return interpret(result, directory, limits)

    def _command(self, image: Path, directory: Path, limits: Limits) -> Sequence[str]:
        return (
            str(self.program),
            str(image),
            "--stream",
            str(directory / "stream.bin"),
            "--log",
            str(directory / "log.txt"),
            "--report",
            str(directory / "report.json"),
            "--max-instructions",
            str(limits.instructions),
            *self.options,
        )


def interpret(result: ProcessResult, directory: Path, limits: Limits) -> SimulatorRun:
    """Turn what a simulator process left behind into a run."""
    stream = _read(directory / "stream.bin")
    log = _read(directory / "log.txt")[-LOG_TAIL_BYTES:].decode("utf-8", "replace")
    log += result.output
    try:
        report = json.loads(_read(directory / "report.json"))
    except ValueError:
        report = None
    if result.timed_out or result.interrupted or not isinstance(report, dict):
        status, reason = _died(result, limits)
        died = not (result.timed_out or result.interrupted)
        return SimulatorRun(status, reason, stream, log, (), None, infrastructure=died)
    return _from_report(explained(report), stream, log, limits)


def _died(result: ProcessResult, limits: Limits) -> tuple[RunStatus, str]:
    if result.interrupted:
        return RunStatus.CRASH, "interrupted"
    if result.timed_out:
        return RunStatus.TIMEOUT, f"wall limit of {limits.wall_seconds:g} s reached"
    if result.returncode < 0:
        return RunStatus.CRASH, f"the simulator was killed by signal {-result.returncode}"
    return RunStatus.CRASH, f"the simulator ended with status {result.returncode} and no report"


def _from_report(report: dict[str, Any], stream: bytes, log: str, limits: Limits) -> SimulatorRun:
    reads = tuple(CounterRead(cycles, count) for cycles, count in report["counter_reads"])
    instructions = int(report["instructions"])
    fault = None
    if report["status"] == "limit":
        status = RunStatus.TIMEOUT
        reason = f"limit of {limits.instructions} simulated instructions reached"
        if report.get("fault") is not None:  # it says where the cores were
            fault = Fault(**report["fault"])
            reason += f": {fault.detail}"
    elif report["status"] == "fault":
        fault = Fault(**report["fault"])
        status, reason = RunStatus.CRASH, describe_fault(fault)
    elif report["exit_code"] != 0:
        status, reason = RunStatus.CRASH, f"the firmware exited with {report['exit_code']}"
    elif not stream:
        status, reason = RunStatus.NO_OUTPUT, "the firmware ended without a result"
    else:
        status, reason = RunStatus.COMPLETED, ""
    return SimulatorRun(status, reason, stream, log, reads, instructions, fault)


def describe_fault(fault: Fault) -> str:
    """One line: what, on which core, where."""
    address = "" if fault.address is None else f" at address {fault.address:#010x}"
    detail = f" ({fault.detail})" if fault.detail else ""
    return f"{fault.kind}{address} on core {fault.core}, pc {fault.pc:#010x}{detail}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
