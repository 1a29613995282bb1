# SPDX-License-Identifier: Apache-2.0
"""Turns the addresses in verdicts into functions and source lines, from the current ELF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.graph import CellPlan
from touchstone.results import Report


def locate_faults(
    root: Path, plans: Sequence[CellPlan], report: Report
) -> Mapping[str, Mapping[str, Any]]:
    """The report's verdicts, those with a fault extended by `location`."""
    located = dict(report.verdicts)
    for plan in plans:
        verdict = located[plan.cell.id]
        fault = verdict.get("fault")
        if fault:
            elf = root / plan.firmware.path("firmware.elf")
            located[plan.cell.id] = {**verdict, "location": describe_address(elf, fault["pc"])}
    return located


def describe_address(path: Path, address: int) -> str:
    """`function, file:line (0xaddress)` as far as the ELF knows them."""
    text = f"{address:#010x}"
    try:
        # Imported here: only a fault needs it.
        from elftools.elf.elffile import ELFFile

        with path.open("rb") as file:
            elf = ELFFile(file)
            name = function_at(elf, address)
            line = line_at(elf, address)
    except Exception:
        # Whatever elftools makes of a damaged file: a report must not end here.
        return text
    return ", ".join(part for part in (name, line) if part) + f" ({text})"


def function_at(elf: Any, address: int) -> str | None:
    """The function whose code holds `address`."""
    table = elf.get_section_by_name(".symtab")
    for symbol in table.iter_symbols() if table else ():
        start = symbol["st_value"] & ~1  # Thumb functions have bit 0 set
        inside = start <= address < start + symbol["st_size"]
        if symbol["st_info"]["type"] == "STT_FUNC" and inside:
            return str(symbol.name)
    return None


def line_at(elf: Any, address: int) -> str | None:
    """`file:line` of the instruction at `address`."""
    if not elf.has_dwarf_info():
        return None
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        found = _line_in(program, address)
        if found is not None:
            file, line = found
            return f"{file_name(program, file)}:{line}"
    return None


def _line_in(program: Any, address: int) -> tuple[int, int] | None:
    before = None
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if before is not None and before.address <= address < state.address:
            return int(before.file), int(before.line)
        before = None if state.end_sequence else state
    return None


def file_name(program: Any, index: int) -> str:
    """DWARF 5 numbers files and folders from 0, earlier versions from 1."""
    header = program.header
    base = 0 if header["version"] >= 5 else 1
    entry = header["file_entry"][index - base]
    folder_index = entry["dir_index"]
    folders = header["include_directory"]
    name = str(entry.name.decode())
    if header["version"] < 5:
        folder_index -= 1
    if 0 <= folder_index < len(folders):
        folder = str(folders[folder_index].decode())
        return name if folder in (".", "") else f"{folder}/{name}"
    return name
