# SPDX-License-Identifier: Apache-2.0
"""Functions, source lines and code of an ELF by address, for many addresses: read once, then
looked up by bisection. For a single address `locate.describe_address` is cheaper."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touchstone.locate import file_name

UNKNOWN = "?"


@dataclass(frozen=True)
class _Span:
    """Addresses [start, end) that belong to `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Symbols:
    """What an ELF says about its code. Addresses that it does not know are `?`."""

    machine: str
    _functions: tuple[_Span, ...] = field(repr=False)
    _lines: tuple[_Span, ...] = field(repr=False)
    _segments: tuple[tuple[int, bytes], ...] = field(repr=False)

    def function(self, address: int) -> str:
        """The function that holds `address`."""
        return _text(self._functions, address)

    def offset(self, address: int) -> int:
        """How far `address` lies behind the start of its function; 0 where that is not known."""
        span = _find(self._functions, address)
        return address - span.start if span else 0

    def line(self, address: int) -> str:
        """`file:line`, of the innermost function where some were inlined."""
        return _text(self._lines, address)

    def code(self, address: int, size: int) -> bytes:
        """Up to `size` bytes of code from `address` on."""
        for start, data in self._segments:
            if start <= address < start + len(data):
                return data[address - start : address - start + size]
        return b""


def read_symbols(path: Path) -> Symbols:
    """The symbols of a linked firmware; OSError or ValueError where it cannot be read."""
    # Imported here: elftools is slow to import and only profiles and traces need this.
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            segments = tuple(
                (int(segment["p_vaddr"]), bytes(segment.data()))
                for segment in elf.iter_segments("PT_LOAD")
                if segment["p_flags"] & 1
            )
            functions = _ordered(_functions(elf))
            lines = _ordered(span for span in _lines(elf) if _loaded(segments, span.start))
            return Symbols(str(elf["e_machine"]), functions, lines, segments)
    except ELFError as error:
        raise ValueError(f"{path.name}: {error}") from None


def _loaded(segments: tuple[tuple[int, bytes], ...], address: int) -> bool:
    # The lines of functions that the linker dropped are still there, at addresses near zero.
    return any(start <= address < start + len(data) for start, data in segments)


def _ordered(spans: Iterator[_Span]) -> tuple[_Span, ...]:
    return tuple(sorted(spans, key=lambda span: (span.start, span.end)))


def _find(spans: tuple[_Span, ...], address: int) -> _Span | None:
    index = bisect_right(spans, address, key=lambda span: span.start) - 1
    return spans[index] if index >= 0 and address < spans[index].end else None


def _text(spans: tuple[_Span, ...], address: int) -> str:
    span = _find(spans, address)
    return span.text if span else UNKNOWN


def _functions(elf: Any) -> Iterator[_Span]:
    table = elf.get_section_by_name(".symtab")
    for symbol in table.iter_symbols() if table else ():
        if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"]:
            start = symbol["st_value"] & ~1  # Thumb functions have bit 0 set
            yield _Span(start, start + symbol["st_size"], str(symbol.name))


def _lines(elf: Any) -> Iterator[_Span]:
    if not elf.has_dwarf_info():
        return
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        names: dict[int, str] = {}
        before = None
        for entry in program.get_entries() if program is not None else ():
            state = entry.state
            if state is None:
                continue
            if before is not None and before.address < state.address:
                index = int(before.file)
                if index not in names:
                    names[index] = file_name(program, index)
                # Line 0 is the compiler's own code.
                line = f"{names[index]}:{before.line or UNKNOWN}"
                yield _Span(before.address, state.address, line)
            before = None if state.end_sequence else state
