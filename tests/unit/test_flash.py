# SPDX-License-Identifier: Apache-2.0
"""Images to flash: Intel HEX by its own rules, and as GNU objcopy reads it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from touchstone.elf import Executable, Segment, write_elf
from touchstone.errors import UserError
from touchstone.flash import checksum, intel_hex, parse_formats

ARM = 40
IMAGE = Executable(
    machine=ARM,
    flags=0x05000000,
    entry=0x08000101,
    segments=(
        Segment(0x08000000, 0x0800FFF5, 5, bytes(range(40)), 40),
        Segment(0x20000000, 0x08020000, 6, b"data", 4),
    ),
)


def loaded(text: str) -> tuple[dict[int, int], int | None]:
    """The bytes by address that a HEX file says, and the start address."""
    memory: dict[int, int] = {}
    upper, start, ended = 0, None, False
    for line in text.splitlines():
        assert not ended
        assert line[0] == ":"
        record = bytes.fromhex(line[1:])
        assert sum(record) % 256 == 0
        size, address, kind = record[0], int.from_bytes(record[1:3], "big"), record[3]
        data = record[4:-1]
        assert len(data) == size <= 16
        if kind == 0:
            assert address + size <= 0x10000
            memory.update({upper + address + index: value for index, value in enumerate(data)})
        elif kind == 4:
            upper = int.from_bytes(data, "big") << 16
        elif kind == 5:
            start = int.from_bytes(data, "big")
        else:
            assert (kind, size) == (1, 0)
            ended = True
    assert ended
    return memory, start


def test_hex_says_what_the_image_loads() -> None:
    memory, start = loaded(intel_hex(IMAGE))
    wanted = {
        segment.load_address + index: value
        for segment in IMAGE.segments
        for index, value in enumerate(segment.data)
    }
    assert memory == wanted
    assert start == IMAGE.entry


def test_known_line() -> None:
    """The example of the format's own description."""
    assert checksum(bytes.fromhex("10010000214601360121470136007EFE09D21901")) == 0x40


def test_objcopy_reads_the_same(tmp_path: Path) -> None:
    objcopy = shutil.which("arm-none-eabi-objcopy") or shutil.which("llvm-objcopy")
    if objcopy is None:
        pytest.skip("no arm-none-eabi-objcopy or llvm-objcopy")
    hexadecimal, elf = tmp_path / "image.hex", tmp_path / "image.elf"
    hexadecimal.write_text(intel_hex(IMAGE))
    elf.write_bytes(write_elf(IMAGE))
    binary = tmp_path / "hex.bin"
    command = [objcopy, "-I", "ihex", "-O", "binary", "--gap-fill", "0xff", hexadecimal, binary]
    subprocess.run(command, check=True)
    memory, _ = loaded(intel_hex(IMAGE))
    low, high = min(memory), max(memory)
    assert binary.read_bytes() == bytes(memory.get(at, 0xFF) for at in range(low, high + 1))


def test_formats() -> None:
    assert parse_formats("hex,elf,hex") == ("hex", "elf")
    with pytest.raises(UserError, match="image=bin: found 'bin', allowed elf, hex"):
        parse_formats("bin")
