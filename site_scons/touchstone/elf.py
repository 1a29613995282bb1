# SPDX-License-Identifier: Apache-2.0
"""Minimal 32-bit little-endian ELF executables: a header and loadable segments, nothing else.

No sections, no symbols, no debug information: two builds of the same code give the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

IDENT = b"\x7fELF\x01\x01\x01" + bytes(9)
HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIIIIIII")
EXECUTABLE = 2
LOAD = 1
READ = 4
ALIGNMENT = 16


class ElfError(Exception):
    """Bytes that are not what `write_elf` writes; one clear line."""


@dataclass(frozen=True)
class Segment:
    """A loadable segment: `data` goes to `load_address`, `memory_bytes` is at least its length."""

    address: int
    load_address: int
    flags: int
    data: bytes
    memory_bytes: int


@dataclass(frozen=True)
class Executable:
    """What a loader needs to know."""

    machine: int
    flags: int
    entry: int
    segments: tuple[Segment, ...]


def write_elf(executable: Executable) -> bytes:
    """The bytes of `executable`; segments keep their order."""
    table_end = HEADER.size + len(executable.segments) * PROGRAM_HEADER.size
    offsets = _offsets(executable.segments, table_end)
    header = HEADER.pack(
        IDENT,
        EXECUTABLE,
        executable.machine,
        1,
        executable.entry,
        HEADER.size,
        0,
        executable.flags,
        HEADER.size,
        PROGRAM_HEADER.size,
        len(executable.segments),
        0,
        0,
        0,
    )
    image = bytearray(header)
    for segment, offset in zip(executable.segments, offsets, strict=True):
        image += PROGRAM_HEADER.pack(
            LOAD,
            offset,
            segment.address,
            segment.load_address,
            len(segment.data),
            segment.memory_bytes,
            segment.flags,
            ALIGNMENT,
        )
    for segment, offset in zip(executable.segments, offsets, strict=True):
        image += bytes(offset - len(image)) + segment.data
    return bytes(image)


def _offsets(segments: Sequence[Segment], start: int) -> list[int]:
    """File offsets: congruent with the addresses, as loaders that map files want it."""
    offsets = []
    for segment in segments:
        start += (segment.address - start) % ALIGNMENT
        offsets.append(start)
        start += len(segment.data)
    return offsets


def read_elf(data: bytes) -> Executable:
    """Read back what `write_elf` wrote; ElfError for anything else."""
    if len(data) < HEADER.size:
        raise ElfError(f"not an ELF executable: {len(data)} bytes are too short for a header")
    fields = HEADER.unpack_from(data)
    ident, kind, machine, _, entry, table, _, flags, _, entry_size, count = fields[:11]
    if ident != IDENT or kind != EXECUTABLE or entry_size != PROGRAM_HEADER.size:
        raise ElfError("not a little-endian 32-bit ELF executable")
    if table + count * PROGRAM_HEADER.size > len(data):
        raise ElfError("ELF executable cut short in its program headers")
    segments = tuple(
        _read_segment(data, table + index * PROGRAM_HEADER.size) for index in range(count)
    )
    executable = Executable(machine, flags, entry, segments)
    if write_elf(executable) != data:
        raise ElfError("ELF executable with unexpected contents besides its segments")
    return executable


def _read_segment(data: bytes, position: int) -> Segment:
    kind, offset, address, load_address, file_bytes, memory_bytes, flags, _ = (
        PROGRAM_HEADER.unpack_from(data, position)
    )
    if kind != LOAD or file_bytes > memory_bytes or offset + file_bytes > len(data):
        raise ElfError("ELF executable with a damaged program header")
    contents = data[offset : offset + file_bytes]
    return Segment(address, load_address, flags, contents, memory_bytes)
