# SPDX-License-Identifier: Apache-2.0
"""Minimal ELF files, and images made of a firmware and a job."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from touchstone.elf import ElfError, Executable, Segment, read_elf, write_elf
from touchstone.image import ImageError, compose, extract_loadable, job_capacity

RISCV = 243
CODE = Segment(0x1C010002, 0x1C010002, 5, b"code of odd length.", 19)
DATA = Segment(0x10000000, 0x1C010020, 6, b"data", 64)
JOB = Segment(0x1C050000, 0x1C050000, 4, b"", 256)
FIRMWARE = Executable(RISCV, 1, 0x1C010002, (CODE, DATA, JOB))


def test_round_trip() -> None:
    assert read_elf(write_elf(FIRMWARE)) == FIRMWARE


def test_other_readers_see_the_same() -> None:
    elf = ELFFile(io.BytesIO(write_elf(FIRMWARE)))
    assert (elf["e_machine"], elf["e_flags"], elf["e_entry"]) == ("EM_RISCV", 1, 0x1C010002)
    assert elf.num_sections() == 0
    for found, expected in zip(elf.iter_segments("PT_LOAD"), FIRMWARE.segments, strict=True):
        assert found["p_vaddr"] == expected.address
        assert found["p_paddr"] == expected.load_address
        assert found["p_flags"] == expected.flags
        assert found["p_memsz"] == expected.memory_bytes
        assert found.data() == expected.data
        assert found["p_offset"] % found["p_align"] == found["p_vaddr"] % found["p_align"]


def test_damage_to_the_structure_is_found() -> None:
    data = write_elf(FIRMWARE)
    structure = data.index(CODE.data)
    for length in range(len(data)):
        with pytest.raises(ElfError):
            read_elf(data[:length])
    with pytest.raises(ElfError, match="unexpected contents"):
        read_elf(data + b"x")
    for position in range(structure):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        with contextlib.suppress(ElfError):
            assert read_elf(bytes(damaged)) != FIRMWARE


def test_compose_fills_the_reserved_segment() -> None:
    loadable = write_elf(FIRMWARE)
    assert job_capacity(loadable) == 256
    image = read_elf(compose(loadable, b"the job"))
    assert image.segments[:2] == FIRMWARE.segments[:2]
    assert image.segments[2] == Segment(0x1C050000, 0x1C050000, 4, b"the job", 256)
    assert image.entry == FIRMWARE.entry
    assert compose(loadable, bytes(256)).endswith(bytes(256))


def test_job_that_is_too_large() -> None:
    with pytest.raises(ImageError, match=r"257 bytes, its memory 256 \(1 too many\)"):
        compose(write_elf(FIRMWARE), bytes(257))


@pytest.mark.parametrize(
    ("loadable", "message"),
    [
        (b"", "too short"),
        (write_elf(Executable(RISCV, 1, 0, ())), "not an empty one"),
        (write_elf(Executable(RISCV, 1, 0, (CODE,))), "not an empty one"),
    ],
)
def test_file_that_is_no_firmware(loadable: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        compose(loadable, b"job")


def linked_firmware(segments: list[Segment], symbols: dict[str, int]) -> bytes:
    """An ELF as a linker leaves it: the segments, then a symbol table and its strings."""
    loadable = write_elf(Executable(RISCV, 1, 0x1C010002, tuple(segments)))
    names = b"\0" + b"\0".join(name.encode() for name in symbols) + b"\0"
    entries = bytes(16)
    for name, value in symbols.items():
        position = names.index(b"\0" + name.encode() + b"\0") + 1
        entries += struct.pack("<IIIBBH", position, value, 0, 0x10, 0, 0xFFF1)
    section_names = b"\0.symtab\0.strtab\0.shstrtab\0"
    body = [entries, names, section_names]
    offsets, data = [], bytearray(loadable)
    for part in body:
        data += bytes(-len(data) % 4)
        offsets.append(len(data))
        data += part
    data += bytes(-len(data) % 4)
    table = len(data)
    data += bytes(40)
    kinds = [(1, 2, 2, 16), (9, 3, 0, 0), (17, 3, 0, 0)]
    for (name_at, kind, link, entry), offset, part in zip(kinds, offsets, body, strict=True):
        data += struct.pack("<10I", name_at, kind, 0, 0, offset, len(part), link, 1, 4, entry)
    struct.pack_into("<I", data, 32, table)
    struct.pack_into("<HHH", data, 46, 40, 4, 3)
    return bytes(data)


SYMBOLS = {"__ts_job_start": 0x1C050000, "__ts_job_bytes": 256}
BSS = Segment(0x10000040, 0x10000040, 6, b"", 128)


def test_extract_keeps_what_is_loaded(tmp_path: Path) -> None:
    elf = tmp_path / "firmware.elf"
    elf.write_bytes(linked_firmware([CODE, DATA, BSS], SYMBOLS))
    loaded = Segment(DATA.address, DATA.load_address, DATA.flags, DATA.data, len(DATA.data))
    assert read_elf(extract_loadable(elf)) == Executable(RISCV, 1, 0x1C010002, (CODE, loaded, JOB))


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"nonsense", "firmware.elf: not an ELF file"),
        (linked_firmware([BSS], SYMBOLS), "nothing to load"),
        (linked_firmware([CODE], {"__ts_job_start": 0}), "defines no __ts_job_bytes"),
        (linked_firmware([CODE], {**SYMBOLS, "__ts_job_start": 0x1C010010}), "overlap"),
    ],
)
def test_extract_refuses(tmp_path: Path, contents: bytes, message: str) -> None:
    elf = tmp_path / "firmware.elf"
    elf.write_bytes(contents)
    with pytest.raises(ImageError, match=message):
        extract_loadable(elf)
