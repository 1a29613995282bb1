# SPDX-License-Identifier: Apache-2.0
"""`image=elf,hex`: a cell's image as files that flash programmers and debuggers take.

The image is what the simulators run: firmware and job in one, at their load addresses.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from touchstone.elf import Executable, read_elf
from touchstone.errors import UserError, unknown
from touchstone.files import write_atomically
from touchstone.graph import CellPlan
from touchstone.request import parse_request
from touchstone.run_cell import build_image
from touchstone.vectors import read_container

RECORD_BYTES = 16
DATA, END, UPPER_ADDRESS, START = 0, 1, 4, 5
FORMATS = ("elf", "hex")


def parse_formats(text: str) -> tuple[str, ...]:
    """What `image=` says."""
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in FORMATS:
            raise UserError(unknown(f"image={text}", name, FORMATS))
    return names


def write_images(root: Path, plan: CellPlan, formats: Sequence[str]) -> list[Path]:
    """The files, beside the cell's verdict: image.elf, image.hex."""
    loadable = (root / plan.firmware.path("firmware.load")).read_bytes()
    inputs = read_container((root / plan.packed.inputs).read_bytes())
    elf = build_image(loadable, inputs, json.loads(plan.run_spec)).data
    makers: Mapping[str, Callable[[], bytes]] = {
        "elf": lambda: elf,
        "hex": lambda: intel_hex(read_elf(elf)).encode("ascii"),
    }
    paths = []
    for name in formats:
        paths.append(root / plan.directory / f"image.{name}")
        write_atomically(paths[-1], makers[name]())
    return paths


def image(root: Path, arguments: Mapping[str, str]) -> int:
    """Builds the selected cells and writes their images: image=elf,hex said in a word."""
    given = {"image": "elf,hex", **arguments}
    parse_request(given)
    words = [f"{key}={value}" for key, value in given.items()]
    command = [sys.executable, "-m", "SCons", "-Q", *words]
    return subprocess.run(command, cwd=root, check=False).returncode


def intel_hex(executable: Executable) -> str:
    """Intel HEX with 32-bit addresses (I32HEX): what is loaded, and where execution starts."""
    lines: list[str] = []
    upper = None
    for segment in sorted(executable.segments, key=lambda segment: segment.load_address):
        for address, data in _records(segment.load_address, segment.data):
            if address >> 16 != upper:
                upper = address >> 16
                lines.append(_line(0, UPPER_ADDRESS, upper.to_bytes(2, "big")))
            lines.append(_line(address & 0xFFFF, DATA, data))
    lines.append(_line(0, START, executable.entry.to_bytes(4, "big")))
    lines.append(_line(0, END, b""))
    return "\n".join(lines) + "\n"


def _records(address: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Pieces of at most RECORD_BYTES that do not cross a multiple of it, so nor 64 KiB."""
    at = 0
    while at < len(data):
        size = min(RECORD_BYTES - (address + at) % RECORD_BYTES, len(data) - at)
        yield address + at, data[at : at + size]
        at += size


def _line(address: int, kind: int, data: bytes) -> str:
    record = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
    return f":{record.hex().upper()}{checksum(record):02X}"


def checksum(record: Iterable[int]) -> int:
    """Makes the sum of a record's bytes and of itself a multiple of 256."""
    return -sum(record) & 0xFF
