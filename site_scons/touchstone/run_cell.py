# SPDX-License-Identifier: Apache-2.0
"""Runs one cell: firmware and inputs become an image, a simulator runs it, a file keeps it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.image import compose
from touchstone.job import OperandSpec, build_job, run_id, with_run_id
from touchstone.leftovers import run_prefix
from touchstone.process import ProcessRegistry
from touchstone.records import Expected, JobResult, RecordError, parse_stream
from touchstone.runfile import CaseRun, CellRun
from touchstone.simulators.base import (
    Counter,
    CounterRead,
    Limits,
    RunStatus,
    Simulator,
    SimulatorRun,
    Unit,
)
from touchstone.simulators.registry import FAR, WEIGHTS
from touchstone.vectors import Container, read_container

# The firmware reads the cycle counter around its first run and around its second (DESIGN 4).
COUNTER_READS = 4
LOG_CHARACTERS = 4096


@dataclass(frozen=True)
class Image:
    """What a simulator runs, and what its result must answer to."""

    data: bytes
    run_id: bytes
    expected: Expected


def build_image(loadable: bytes, inputs: Container, spec: Mapping[str, Any]) -> Image:
    """Firmware plus one loadable segment with the job."""
    operands = [
        OperandSpec(name, role, spec["output_bytes"] if role == "output" else None)
        for name, role in spec["operands"]
    ]
    job = build_job(
        inputs,
        operands,
        spec["kernel"],
        spec["cores"],
        spec["scratch_bytes"],
        spec["params"],
        spec["schedule"],
        spec["settings"]["options"].get("over_reads") == "trap",
        spec["settings"]["options"].get(WEIGHTS) == FAR,
    )
    identity = run_id(job, loadable)
    expected = Expected(
        run_id=identity,
        kernel=spec["kernel"],
        cores=spec["cores"],
        output_index=[operand.role for operand in operands].index("output"),
        output_bytes=[spec["output_bytes"]] * len(inputs.cases),
    )
    return Image(compose(loadable, with_run_id(job, loadable)), identity, expected)


def run_cell(
    loadable: Path,
    inputs: Path,
    spec: Mapping[str, Any],
    simulator: Simulator,
    registry: ProcessRegistry,
    scratch: Path,
) -> CellRun:
    """Run one cell in a private folder below `scratch` that is gone afterwards."""
    image = build_image(loadable.read_bytes(), read_container(inputs.read_bytes()), spec)
    limits = Limits(int(spec["max_instructions"]), float(spec["wall_seconds"]))
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=run_prefix()) as folder:
        ran = simulator.run(image.data, limits, Path(folder), registry)
    return interpret(ran, image)


def interpret(ran: SimulatorRun, image: Image) -> CellRun:
    """What a simulator left behind, read strictly against what the image must report."""
    if ran.status is not RunStatus.COMPLETED:
        return _incomplete(ran, image, ran.status, _explained(ran))
    try:
        result = parse_stream(ran.stream, image.expected)
    except RecordError as error:
        return _incomplete(ran, image, RunStatus.NO_OUTPUT, str(error))
    if not result.cases:
        return _incomplete(ran, image, RunStatus.CRASH, f"the firmware says: {result.status_text}")
    if not _counters_agree(ran.counter_reads, result):
        reason = "the firmware's cycles are not those that the simulator answered"
        return _incomplete(ran, image, RunStatus.CRASH, reason)
    return _complete(ran, image, result)


def _explained(ran: SimulatorRun) -> str:
    """Why a run did not complete; where the firmware gave up itself, in its own words."""
    lines = ran.log.splitlines()
    gave_up = ran.status is RunStatus.CRASH and ran.reason.startswith("the firmware exited with")
    return f"{ran.reason}: {lines[-1]}" if gave_up and lines else ran.reason


def _incomplete(ran: SimulatorRun, image: Image, status: RunStatus, reason: str) -> CellRun:
    return CellRun(
        status=status,
        reason=reason,
        run_id=image.run_id.hex(),
        cycles=None,
        cycles_cold=None,
        instructions=None,
        instructions_total=ran.instructions,
        stack_bytes=None,
        cases=(),
        fault=ran.fault,
        log=ran.log[-LOG_CHARACTERS:],
        infrastructure=ran.infrastructure,
    )


def _complete(ran: SimulatorRun, image: Image, result: JobResult) -> CellRun:
    return CellRun(
        status=RunStatus.COMPLETED,
        reason="",
        run_id=image.run_id.hex(),
        cycles=_counted(ran.counter, Unit.CYCLES, result.cycles_warm),
        cycles_cold=_counted(ran.counter, Unit.CYCLES, result.cycles_cold),
        instructions=_warm_instructions(ran.counter_reads)
        or _counted(ran.counter, Unit.INSTRUCTIONS, result.cycles_warm),
        instructions_total=ran.instructions,
        stack_bytes=result.stack_bytes,
        cases=tuple(
            CaseRun(case.status_text, case.operand, case.offset, case.output)
            for case in result.cases
        ),
        fault=None,
        log=ran.log[-LOG_CHARACTERS:],
    )


def _counted(counter: Counter, unit: Unit, counts: int | None) -> int | None:
    """Counts of the firmware's counter in `unit`, None where it counts something else."""
    if counts is None or counter.unit is not unit:
        return None
    return round(counts * counter.per_count)


def _counters_agree(reads: tuple[CounterRead, ...] | None, result: JobResult) -> bool:
    """Whether the cycles in the result are the differences of what the firmware was told.

    Simulators that do not note the reads have none to hold against.
    """
    if reads is None or result.cycles_warm is None or result.cycles_cold is None:
        return True
    if len(reads) != COUNTER_READS:
        return False
    cold = (reads[1].cycles - reads[0].cycles) & 0xFFFFFFFF
    warm = (reads[3].cycles - reads[2].cycles) & 0xFFFFFFFF
    return (cold, warm) == (result.cycles_cold, result.cycles_warm)


def _warm_instructions(reads: tuple[CounterRead, ...] | None) -> int | None:
    """Instructions between the last two reads of the cycle counter: those of the timed run."""
    if reads is None or len(reads) != COUNTER_READS:
        return None
    return reads[3].instructions - reads[2].instructions
