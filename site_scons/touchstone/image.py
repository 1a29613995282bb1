# SPDX-License-Identifier: Apache-2.0
"""Images: the loadable part of a firmware, and that part with a job in it.

`firmware.load` holds what the linked firmware loads, and as its last segment the empty memory that
the linker script reserved for a job. An image is the same file with that segment filled.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from touchstone.elf import READ, ElfError, Executable, Segment, read_elf, write_elf

JOB_START = "__ts_job_start"
JOB_BYTES = "__ts_job_bytes"
SYMBOL = struct.Struct("<IIIBBH")  # Elf32_Sym: name, value, size, info, other, section


class ImageError(Exception):
    """A firmware or job that cannot make an image; one clear line."""


def extract_loadable(elf_path: Path) -> bytes:
    """The loadable part of the linked firmware at `elf_path`, as a minimal ELF.

    Memory that is not loaded (stacks, zeroed data) is left out: the start-up code sees to it.
    """
    # Imported here: elftools is slow to import and wanted only after a link.
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with elf_path.open("rb") as file:
            return write_elf(_loadable(ELFFile(file), elf_path.name))
    except ELFError as error:
        raise ImageError(f"{elf_path.name}: not an ELF file: {error}") from error


def _loadable(elf: Any, name: str) -> Executable:
    segments = [
        Segment(
            address=segment["p_vaddr"],
            load_address=segment["p_paddr"],
            flags=segment["p_flags"],
            data=segment.data(),
            memory_bytes=segment["p_filesz"],
        )
        for segment in elf.iter_segments("PT_LOAD")
        if segment["p_filesz"] > 0
    ]
    if not segments:
        raise ImageError(f"{name}: nothing to load")
    symbols = symbol_values(elf, (JOB_START, JOB_BYTES))
    for symbol in (JOB_START, JOB_BYTES):
        if symbol not in symbols:
            raise ImageError(f"{name}: the linker script defines no {symbol}")
    job = Segment(
        address=symbols[JOB_START],
        load_address=symbols[JOB_START],
        flags=READ,
        data=b"",
        memory_bytes=symbols[JOB_BYTES],
    )
    _refuse_overlap([*segments, job], name)
    header = elf.header
    return Executable(
        machine=int.from_bytes(_machine_bytes(elf), "little"),
        flags=header["e_flags"],
        entry=header["e_entry"],
        segments=(*segments, job),
    )


def _machine_bytes(elf: Any) -> bytes:
    """The raw e_machine: elftools gives a name."""
    elf.stream.seek(18)
    return bytes(elf.stream.read(2))


def symbol_values(elf: Any, names: Collection[str]) -> dict[str, int]:
    """The values of the symbols called `names`, as far as an open ELF file has them.

    elftools makes an object of each of the thousands of symbols first: a quarter of a second,
    after every link.
    """
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return {}
    text = elf.get_section(table["sh_link"]).data()
    wanted = {name.encode("ascii"): name for name in names}
    values = {}
    for offset, value, _, _, _, _ in SYMBOL.iter_unpack(table.data()):
        name = wanted.get(text[offset : text.index(b"\0", offset)])
        if name is not None:
            values[name] = value
    return values


def _refuse_overlap(segments: list[Segment], name: str) -> None:
    ordered = sorted(segments, key=lambda segment: segment.load_address)
    for low, high in pairwise(ordered):
        if low.load_address + low.memory_bytes > high.load_address:
            raise ImageError(f"{name}: segments overlap at {high.load_address:#010x}")


def _read(loadable: bytes) -> Executable:
    try:
        executable = read_elf(loadable)
    except ElfError as error:
        raise ImageError(f"firmware.load: {error}") from error
    if not executable.segments or executable.segments[-1].data:
        raise ImageError("firmware.load: its last segment is not an empty one for the job")
    return executable


def job_capacity(loadable: bytes) -> int:
    """The bytes that a job may have in this firmware."""
    return _read(loadable).segments[-1].memory_bytes


def compose(loadable: bytes, job: bytes) -> bytes:
    """The image: `loadable` with `job` in the memory reserved for it."""
    executable = _read(loadable)
    *others, reserved = executable.segments
    if len(job) > reserved.memory_bytes:
        raise ImageError(
            f"the job has {len(job)} bytes, its memory {reserved.memory_bytes} "
            f"({len(job) - reserved.memory_bytes} too many)"
        )
    return write_elf(replace(executable, segments=(*others, replace(reserved, data=job))))
