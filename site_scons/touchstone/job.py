# SPDX-License-Identifier: Apache-2.0
"""The job block: shape, parameters and operands of every case, as the firmware reads them.

Little-endian 32-bit words (targets/common/job.h has the same in C): a header of 24 words, for each
case {class, timed, parameters, operands x {offset, bytes, role, 0}}, then the operands' bytes, each
on a multiple of 16 bytes from the job's start; equal bytes are stored once.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from touchstone.vectors import Case, Container

MAGIC = 0x424A5354
ABI = 1
HEADER_BYTES = 96
CRC_START = 64
RUN_ID = slice(16, 32)
CRC = slice(12, 16)
ALIGNMENT = 16
GUARD_BYTES = 16
ANNOUNCES = 1
FAR_WEIGHTS = 2
MAX_OPERANDS = 32
MAX_PARAMS = 32
DIMENSIONS = ("S", "E", "P", "H", "F")
ROLES = {"activation": 0, "weight": 1, "output": 2}


class JobError(Exception):
    """Inputs and kernel that do not make a job; one clear line."""


@dataclass(frozen=True)
class OperandSpec:
    """One operand in the kernel's order. `size` in bytes: the output's; None where inputs say."""

    name: str
    role: str
    size: int | None = None


def kernel_tag(kernel: str) -> int:
    """What a job and its firmware agree on: the CRC-32 of the kernel's name."""
    return zlib.crc32(kernel.encode("ascii"))


def align16(size: int) -> int:
    """The next multiple of 16."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def data_bytes_needed(operand_sizes: Iterable[int], scratch_bytes: int) -> int:
    """Bytes of the arena that the harness lays a case out in: guards before, between and after."""
    blocks = (align16(size) + GUARD_BYTES for size in (*operand_sizes, scratch_bytes))
    return GUARD_BYTES + sum(blocks)


def build_job(
    inputs: Container,
    operands: Sequence[OperandSpec],
    kernel: str,
    cores: int,
    scratch_bytes: int,
    params: Sequence[str],
    schedule: Sequence[int] = (0, 0, 0),
    announces: bool = False,
    far_weights: bool = False,
) -> bytes:
    """The job block for the cases of `inputs`, without a run id.

    `operands` and `params` give the kernel's order; exactly one operand is the output.
    `schedule` is that of ts_types.h; `announces`: the simulator wants to know where operands lie;
    `far_weights`: weights stay where they are, the kernel fetches them (targets/common/arena.h).
    """
    outputs = [index for index, operand in enumerate(operands) if operand.role == "output"]
    if len(outputs) != 1 or not operands[outputs[0]].size:
        raise JobError(f"{kernel}: a job needs exactly one output operand of a known size")
    if len(operands) > MAX_OPERANDS or len(params) > MAX_PARAMS:
        raise JobError(
            f"{kernel}: {len(operands)} operands and {len(params)} parameters, "
            f"allowed {MAX_OPERANDS} and {MAX_PARAMS}"
        )
    if not inputs.cases:
        raise JobError(f"{kernel}: the inputs have no case")
    case_bytes = 4 * (2 + len(params) + 4 * len(operands))
    blocks = _Blocks(align16(HEADER_BYTES + len(inputs.cases) * case_bytes))
    tables = b"".join(
        _case_table(case, index == 0, operands, params, blocks)
        for index, case in enumerate(inputs.cases)
    )
    body = _dimensions(inputs) + struct.pack("<3I", *schedule) + tables
    body += bytes(align16(CRC_START + len(body)) - CRC_START - len(body)) + blocks.data
    header = struct.pack(
        "<16I",
        MAGIC,
        ABI,
        CRC_START + len(body),
        zlib.crc32(body),
        *(0, 0, 0, 0),
        kernel_tag(kernel),
        cores,
        ANNOUNCES * announces | FAR_WEIGHTS * far_weights,
        len(inputs.cases),
        len(params),
        len(operands),
        scratch_bytes,
        outputs[0],
    )
    return header + body


def _dimensions(inputs: Container) -> bytes:
    return struct.pack("<5I", *(inputs.shape.get(name, 0) for name in DIMENSIONS))


class _Blocks:
    """The operands' bytes, each distinct block once."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._offsets: dict[bytes, int] = {}
        self._data = bytearray()

    def add(self, block: bytes) -> int:
        """The block's offset from the job's start."""
        if block not in self._offsets:
            self._data += bytes(align16(len(self._data)) - len(self._data))
            self._offsets[block] = self._start + len(self._data)
            self._data += block
        return self._offsets[block]

    @property
    def data(self) -> bytes:
        """All blocks."""
        return bytes(self._data)


def _case_table(
    case: Case,
    timed: bool,
    operands: Sequence[OperandSpec],
    params: Sequence[str],
    blocks: _Blocks,
) -> bytes:
    given = {operand.name: operand.data for operand in case.operands}
    expected = [operand.name for operand in operands if operand.role != "output"]
    if list(given) != expected:
        raise JobError(
            f"case {case.value_class}: found operands {', '.join(given)}, "
            f"expected {', '.join(expected)}"
        )
    if set(case.params) != set(params):
        raise JobError(
            f"case {case.value_class}: found parameters {', '.join(sorted(case.params))}, "
            f"expected {', '.join(sorted(params))}"
        )
    # The class is of no consequence to the firmware; its tag is there for whoever reads a dump.
    words = [zlib.crc32(case.value_class.encode("ascii")), int(timed)]
    words += [case.params[name] & 0xFFFFFFFF for name in params]
    for operand in operands:
        if operand.role == "output":
            words += [0, operand.size or 0, ROLES["output"], 0]
            continue
        data = given[operand.name]
        if operand.size is not None and operand.size != len(data):
            raise JobError(
                f"case {case.value_class}: operand {operand.name} has {len(data)} bytes, "
                f"expected {operand.size}"
            )
        words += [blocks.add(data), len(data), ROLES[operand.role], 0]
    return struct.pack(f"<{len(words)}I", *words)


def with_run_id(job: bytes, loadable: bytes) -> bytes:
    """`job` with the run id of this job on this firmware: a stale image cannot have it."""
    return job[: RUN_ID.start] + run_id(job, loadable) + job[RUN_ID.stop :]


def run_id(job: bytes, loadable: bytes) -> bytes:
    """The first 16 bytes of SHA-256 over the firmware and the job without run id and CRC."""
    blank = bytearray(job)
    blank[RUN_ID] = bytes(16)
    blank[CRC] = bytes(4)
    return hashlib.sha256(loadable + blank).digest()[:16]
