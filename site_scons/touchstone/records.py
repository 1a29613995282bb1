# SPDX-License-Identifier: Apache-2.0
"""The record stream: what the firmware reports, in frames that are checked byte by byte.

A frame is ten little-endian words {magic, type, case, index, payload bytes, run id x 4, CRC-32 of
the words from type to run id and of the payload} and the payload. A stream is HELLO, then OUTPUT
and CASE for every case, then END, and nothing else (targets/common/records.h has the same in C).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from touchstone.job import ABI, kernel_tag

MAGIC = 0x43525354
HEADER = struct.Struct("<5I16sI")
HELLO, OUTPUT, CASE, END = 1, 2, 3, 4
TYPE_NAMES = {HELLO: "HELLO", OUTPUT: "OUTPUT", CASE: "CASE", END: "END"}
NOT_MEASURED = 0xFFFFFFFF

STATUS_OK = 0
CASE_STATUSES = {0: "ok", 1: "runs differ", 2: "input changed", 3: "guard overwritten"}
JOB_STATUSES = {4: "scratch size mismatch", 5: "bad job", 6: "arena too small"}


class RecordError(Exception):
    """A stream that is not the complete report of the expected job; one clear line."""


@dataclass(frozen=True)
class Expected:
    """What the stream of a job must say about it."""

    run_id: bytes
    kernel: str
    cores: int
    output_index: int
    output_bytes: Sequence[int]


@dataclass(frozen=True)
class CaseResult:
    """One case. `operand` and `offset` name the damaged byte where the status is about one.

    `operand` is the operand's index; the number of operands stands for scratch.
    """

    index: int
    status: int
    status_text: str
    operand: int
    offset: int
    output: bytes


@dataclass(frozen=True)
class JobResult:
    """A whole job. Cycles that were not measured are None; a job that cannot run has no cases."""

    run_id: bytes
    status: int
    status_text: str
    cases: tuple[CaseResult, ...]
    cycles_cold: int | None
    cycles_warm: int | None
    stack_bytes: int


class _Header(NamedTuple):
    magic: int
    type: int
    case: int
    operand: int
    size: int
    run_id: bytes
    crc: int


def parse_stream(stream: bytes, expected: Expected) -> JobResult:
    """The job's result; RecordError unless the stream is exactly one complete, undamaged report."""
    frames = _Frames(stream, expected.run_id)
    _check_hello(frames.next(HELLO, 0, 0, 12), expected)
    cases: list[CaseResult] = []
    while frames.next_type() == OUTPUT:
        if len(cases) == len(expected.output_bytes):
            raise RecordError(f"found more than the expected {len(cases)} cases")
        cases.append(_read_case(frames, len(cases), expected))
    end = frames.next(END, 0, 0, 20)
    frames.finish()
    return _result(end, tuple(cases), expected)


class _Frames:
    """The frames of a stream, one after the other."""

    def __init__(self, stream: bytes, run_id: bytes) -> None:
        self._stream = stream
        self._run_id = run_id
        self._position = 0

    def next_type(self) -> int:
        """The type of the next frame, without reading it."""
        return self._header().type

    def next(self, kind: int, case: int, index: int, size: int) -> bytes:
        """The payload of the next frame, which must be this one."""
        name = TYPE_NAMES[kind]
        header = self._header()
        start = self._position + HEADER.size
        if (header.type, header.case, header.operand) != (kind, case, index):
            found = TYPE_NAMES.get(header.type, f"type {header.type}")
            raise RecordError(
                f"byte {self._position}: expected {name} of case {case}, index {index}, "
                f"found {found} of case {header.case}, index {header.operand}"
            )
        if header.size != size:
            raise RecordError(f"{name} of case {case}: expected {size} bytes, found {header.size}")
        if len(self._stream) < start + size:
            rest = len(self._stream) - start
            raise RecordError(f"{name} of case {case}: cut short, {rest} of {size} bytes")
        payload = self._stream[start : start + size]
        checked = self._stream[self._position + 4 : start - 4]
        if zlib.crc32(payload, zlib.crc32(checked)) != header.crc:
            raise RecordError(f"{name} of case {case}: damaged, its CRC does not fit")
        if header.run_id != self._run_id:
            raise RecordError(
                f"stale result: run id {header.run_id.hex()}, expected {self._run_id.hex()}"
            )
        self._position = start + size
        return payload

    def finish(self) -> None:
        """Nothing may follow."""
        rest = len(self._stream) - self._position
        if rest:
            raise RecordError(f"found {rest} bytes after the last record")

    def _header(self) -> _Header:
        rest = len(self._stream) - self._position
        if rest < HEADER.size:
            end = len(self._stream)
            raise RecordError(f"the stream ends at byte {end} without an END record")
        header = _Header(*HEADER.unpack_from(self._stream, self._position))
        if header.magic != MAGIC:
            raise RecordError(f"byte {self._position}: no record starts here")
        return header


def _check_hello(payload: bytes, expected: Expected) -> None:
    abi, tag, cores = struct.unpack("<3I", payload)
    if abi != ABI:
        raise RecordError(f"HELLO: the firmware has ABI {abi}, expected {ABI}")
    if tag != kernel_tag(expected.kernel):
        raise RecordError(f"HELLO: the firmware is not one for {expected.kernel}")
    if cores != expected.cores:
        raise RecordError(f"HELLO: the job ran on {cores} cores, expected {expected.cores}")


def _read_case(frames: _Frames, index: int, expected: Expected) -> CaseResult:
    size = expected.output_bytes[index]
    output = frames.next(OUTPUT, index, expected.output_index, size)
    payload = frames.next(CASE, index, 0, 20)
    status, operand, offset, cold, warm = struct.unpack("<IIiII", payload)
    if status not in CASE_STATUSES:
        raise RecordError(f"CASE of case {index}: unknown status {status}")
    if status == STATUS_OK and cold != warm:
        raise RecordError(f"CASE of case {index}: status ok, but the runs' hashes differ")
    return CaseResult(index, status, CASE_STATUSES[status], operand, offset, output)


def _result(end: bytes, cases: tuple[CaseResult, ...], expected: Expected) -> JobResult:
    status, cold, warm, stack_bytes, done = struct.unpack("<5I", end)
    if done != len(cases):
        raise RecordError(f"END: counts {done} cases, the stream has {len(cases)}")
    if status in JOB_STATUSES:
        if cases:
            raise RecordError(f"END: status {JOB_STATUSES[status]}, but {len(cases)} cases ran")
    else:
        if len(cases) != len(expected.output_bytes):
            raise RecordError(f"END: {len(cases)} cases ran, expected {len(expected.output_bytes)}")
        first = next((case.status for case in cases if case.status != STATUS_OK), STATUS_OK)
        if status != first:
            raise RecordError(f"END: status {status}, but the cases say {first}")
    return JobResult(
        run_id=expected.run_id,
        status=status,
        status_text=JOB_STATUSES.get(status) or CASE_STATUSES[status],
        cases=cases,
        cycles_cold=_measured(cold),
        cycles_warm=_measured(warm),
        stack_bytes=stack_bytes,
    )


def _measured(cycles: int) -> int | None:
    return None if cycles == NOT_MEASURED else cycles
