# SPDX-License-Identifier: Apache-2.0
"""The cost table of a firmware for the Cortex-M simulator.

    python -m touchstone.simulators.cortexm_costs FIRMWARE.load OUT.costs --core cortex-m4

Every halfword of an executable segment is decoded as if an instruction started there: that needs no
symbols and cannot lose step in the constants between functions. The simulator, which knows where
instructions really start, looks up only those.
"""

from __future__ import annotations

import argparse
import os
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from touchstone.errors import UserError
from touchstone.simulators import cortexm_timing_m4, cortexm_timing_m7
from touchstone.simulators.cortexm_decode import Instruction, decode, thumb_size, unknown
from touchstone.simulators.cortexm_record import Record

_MAGIC = b"TSCOST01"
_HEADER = struct.Struct("<8sIII")
_SEGMENT = struct.Struct("<IIII")
_PROGRAM_HEADER = struct.Struct("<8I")
_PT_LOAD, _PF_X = 1, 1
_ELF_HEADER_BYTES = 52
_ELF32_LITTLE = b"\x7fELF\x01\x01"
_MAX_INSTRUCTIONS = 0xFFFF

_CORES: dict[str, tuple[int, Callable[[Instruction], Record]]] = {
    "cortex-m4": (4, cortexm_timing_m4.record),
    "cortex-m7": (7, cortexm_timing_m7.record),
}


def build_costs(loadable: bytes, core: str) -> bytes:
    """The cost table of the executable segments of an ELF; the same bytes every time."""
    if core not in _CORES:
        raise UserError(f"unknown core {core!r}: choose one of {', '.join(sorted(_CORES))}")
    number, timing = _CORES[core]
    segments = list(_executable_segments(loadable))
    records: dict[bytes, int] = {}
    cache: dict[bytes, int] = {}
    decoder = _decoder(timing)
    heads, bodies = [], []
    for address, code in segments:
        code = code[: len(code) // 2 * 2]
        indices = bytearray()
        for offset in range(0, len(code), 2):
            window = code[offset : offset + thumb_size(code[offset] | code[offset + 1] << 8)]
            index = cache.get(window)
            if index is None:
                index = records.setdefault(decoder(window), len(records))
                cache[window] = index
            indices += index.to_bytes(2, "little")
        heads.append(_SEGMENT.pack(address, len(code), zlib.crc32(code), 0))
        bodies.append(bytes(indices) + b"\0" * (-len(indices) % 4))
    if len(records) > _MAX_INSTRUCTIONS:
        raise UserError("the firmware has too many different instructions for a cost table")
    header = _HEADER.pack(_MAGIC, number, len(records), len(segments))
    return b"".join([header, *heads, *records, *bodies])


def _decoder(timing: Callable[[Instruction], Record]) -> Callable[[bytes], bytes]:
    # Imported here: with nothing to build, nobody pays for loading the disassembler.
    import capstone

    engine = capstone.Cs(
        capstone.CS_ARCH_ARM,
        capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8,
    )

    def pack(code: bytes) -> bytes:
        for _, size, mnemonic, text in engine.disasm_lite(code, 0, 1):
            if size == len(code):
                return timing(decode(size, mnemonic, text)).pack()
        return timing(unknown(thumb_size(code[0] | code[1] << 8))).pack()

    return pack


def _executable_segments(loadable: bytes) -> Iterator[tuple[int, bytes]]:
    """Address and bytes of each executable PT_LOAD, where it is loaded."""
    if len(loadable) < _ELF_HEADER_BYTES or loadable[: len(_ELF32_LITTLE)] != _ELF32_LITTLE:
        raise UserError("the firmware is not a little-endian 32-bit ELF file")
    table = struct.unpack_from("<I", loadable, 28)[0]
    entry_bytes, count = struct.unpack_from("<HH", loadable, 42)
    if entry_bytes < _PROGRAM_HEADER.size or table + count * entry_bytes > len(loadable):
        raise UserError("the firmware's ELF program header table is damaged")
    for row in range(count):
        kind, offset, _, address, file_bytes, _, flags, _ = _PROGRAM_HEADER.unpack_from(
            loadable, table + row * entry_bytes
        )
        if kind == _PT_LOAD and flags & _PF_X and file_bytes:
            if offset + file_bytes > len(loadable):
                raise UserError("a segment lies outside the firmware's ELF file")
            yield address, loadable[offset : offset + file_bytes]


def main(arguments: Sequence[str]) -> int:
    """Command line: read a firmware, write its cost table."""
    parser = argparse.ArgumentParser(prog="cortexm_costs", description="Cycle costs of a firmware.")
    parser.add_argument("firmware", type=Path)
    parser.add_argument("costs", type=Path)
    parser.add_argument("--core", required=True, choices=sorted(_CORES))
    options = parser.parse_args(arguments)
    try:
        table = build_costs(options.firmware.read_bytes(), options.core)
    except (OSError, UserError) as error:
        print(f"cortexm_costs: {options.firmware}: {error}", file=sys.stderr)
        return 2
    part = options.costs.with_name(options.costs.name + ".part")
    part.write_bytes(table)
    os.replace(part, options.costs)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
