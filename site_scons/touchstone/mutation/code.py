# SPDX-License-Identifier: Apache-2.0
"""The instructions of a linked kernel: what mutants are made of, and names that outlive an edit.

An instruction is called by its function, its text and its ordinal among equal ones of the function,
never by its address, so that a list of mutants holds as long as the function itself does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.disassembly import Disassembler
from touchstone.image import symbol_values
from touchstone.stages import KERNEL_CODE
from touchstone.symbols import Symbols

# Mapping symbols of the ARM and RISC-V ABIs: what follows is code ($x, $t) or data ($d).
_DATA, _CODE = "$d", ("$x", "$t", "$a")


@dataclass(frozen=True)
class Place:
    """One instruction of a kernel."""

    function: str
    ordinal: int
    address: int
    code: bytes
    text: str
    offset: int
    """From the start of the function."""

    @property
    def name(self) -> str:
        """What it is called in lists."""
        return f"{self.function}: {self.text} #{self.ordinal}"


def kernel_places(path: Path, symbols: Symbols, language: Disassembler) -> list[Place]:
    """Every instruction in the functions of the kernel, by address; constants are left out."""
    # Imported here: elftools is slow to import.
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        elf = ELFFile(file)
        limits = symbol_values(elf, KERNEL_CODE)
        functions = _functions(elf, *(limits[name] for name in KERNEL_CODE))
        marks = _marks(elf)
    places = []
    for name, start, end in functions:
        places += _places(name, start, end, marks, symbols, language)
    return places


def _functions(elf: Any, low: int, high: int) -> list[tuple[str, int, int]]:
    """Name, start and end of the functions in [low, high), each address once. Static functions of
    several files may share a name: the second is called name@2, by address."""
    found: dict[int, tuple[str, int, int]] = {}
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        start = symbol["st_value"] & ~1  # Thumb functions have bit 0 set
        if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"] and low <= start < high:
            found.setdefault(start, (str(symbol.name), start, start + symbol["st_size"]))
    seen: Counter[str] = Counter()
    functions = []
    for name, start, end in (found[address] for address in sorted(found)):
        seen[name] += 1
        functions.append((name if seen[name] == 1 else f"{name}@{seen[name]}", start, end))
    return functions


def _marks(elf: Any) -> list[tuple[int, bool]]:
    """(address, whether code begins there), by address."""
    marks = {}
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        name = str(symbol.name)
        if name.startswith((_DATA, *_CODE)):
            marks[int(symbol["st_value"])] = not name.startswith(_DATA)
    return sorted(marks.items())


def _is_code(marks: list[tuple[int, bool]], address: int) -> bool:
    index = bisect_right(marks, address, key=lambda mark: mark[0]) - 1
    return index < 0 or marks[index][1]


def _places(
    function: str,
    start: int,
    end: int,
    marks: list[tuple[int, bool]],
    symbols: Symbols,
    language: Disassembler,
) -> list[Place]:
    seen: Counter[str] = Counter()
    places = []
    address = start
    while address + 2 <= end:
        if not _is_code(marks, address):
            address += 2
            continue
        code = symbols.code(address, language.size(symbols.code(address, 2)))
        # Relative to the function: a function that moves is still the same.
        text = language.decode(code, address - start).text
        seen[text] += 1
        places.append(Place(function, seen[text], address, code, text, address - start))
        address += len(code)
    return places
