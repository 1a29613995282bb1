# SPDX-License-Identifier: Apache-2.0
"""`cell.run`: what a simulator made of one image, in one file.

Layout: the magic, the header's length (uint32, little-endian), the header (canonical JSON), the
outputs of all cases one after the other. Nothing in it depends on the machine or the moment: no
wall times, dates, host names or absolute paths, so an equal run stops the graph from going on.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from touchstone.files import write_atomically
from touchstone.simulators.base import Fault, RunStatus

MAGIC = b"TSRUN001"


class RunFileError(Exception):
    """A cell.run that is not whole."""


@dataclass(frozen=True)
class CaseRun:
    """One case of a job as the firmware reported it; `output` is None if there was none."""

    status: str
    operand: int
    offset: int
    output: bytes | None


@dataclass(frozen=True)
class CellRun:
    """One run. A counter that nobody measured is None."""

    status: RunStatus
    reason: str
    run_id: str
    cycles: int | None
    cycles_cold: int | None
    instructions: int | None
    instructions_total: int | None
    stack_bytes: int | None
    cases: tuple[CaseRun, ...]
    fault: Fault | None
    log: str
    infrastructure: bool = False
    """Whether the host failed, not the firmware: another attempt may end otherwise."""


def write_run(path: Path, run: CellRun) -> None:
    """Write `run` to `path`, whole or not at all."""
    payload = b"".join(case.output or b"" for case in run.cases)
    header = asdict(run)
    header["status"] = run.status.value
    header["cases"] = [
        {
            "status": case.status,
            "operand": case.operand,
            "offset": case.offset,
            "output_bytes": None if case.output is None else len(case.output),
        }
        for case in run.cases
    ]
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii")
    write_atomically(path, MAGIC + struct.pack("<I", len(text)) + text + payload)


def read_run(path: Path) -> CellRun:
    """Read what `write_run` wrote; RunFileError if anything is missing or left over."""
    header, payload = _split(path.read_bytes(), path)
    cases = []
    position = 0
    for case in header["cases"]:
        size = case.pop("output_bytes")
        output = None if size is None else payload[position : position + size]
        if output is not None and len(output) != size:
            raise RunFileError(f"{path}: truncated")
        position += size or 0
        cases.append(CaseRun(output=output, **case))
    if position != len(payload):
        raise RunFileError(f"{path}: {len(payload) - position} bytes too many")
    fault = header.pop("fault")
    return CellRun(
        **{
            **header,
            "status": RunStatus(header["status"]),
            "cases": tuple(cases),
            "fault": None if fault is None else Fault(**fault),
        }
    )


def read_status(path: Path) -> RunStatus | None:
    """The status alone, None where there is no readable run (cheap: reads the header only)."""
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC) + 4)
            if start[: len(MAGIC)] != MAGIC:
                return None
            header = json.loads(file.read(struct.unpack("<I", start[len(MAGIC) :])[0]))
        return RunStatus(header["status"])
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None


def _split(data: bytes, path: Path) -> tuple[dict[str, Any], bytes]:
    start = len(MAGIC) + 4
    if data[: len(MAGIC)] != MAGIC or len(data) < start:
        raise RunFileError(f"{path}: not a run")
    end = start + int(struct.unpack("<I", data[len(MAGIC) : start])[0])
    try:
        header = json.loads(data[start:end])
    except ValueError as error:
        raise RunFileError(f"{path}: damaged header") from error
    if not isinstance(header, dict):
        raise RunFileError(f"{path}: damaged header")
    return header, data[end:]
