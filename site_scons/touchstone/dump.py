# SPDX-License-Identifier: Apache-2.0
"""`dump=1`: inputs, output and golden of a cell as .npy files, for whoever wants to look inside.

The format is numpy's version 1.0, written without numpy: its header is one line of text.
"""

from __future__ import annotations

import struct
from pathlib import Path

from touchstone.files import write_atomically
from touchstone.graph import CellPlan
from touchstone.runfile import CellRun, RunFileError, read_run
from touchstone.vectors import Operand, read_container

NPY_TYPES = {
    "int8": "|i1",
    "uint8": "|u1",
    "int16": "<i2",
    "uint16": "<u2",
    "int32": "<i4",
    "uint32": "<u4",
}
HEADER_ALIGNMENT = 64


def npy_bytes(operand: Operand, data: bytes) -> bytes:
    """A row-major array as a .npy file."""
    sizes = ", ".join(map(str, operand.shape)) + ("," if len(operand.shape) == 1 else "")
    header = f"{{'descr': '{NPY_TYPES[operand.type]}', 'fortran_order': False, "
    header += f"'shape': ({sizes}), }}"
    start = b"\x93NUMPY\x01\x00"
    padding = -(len(start) + 2 + len(header) + 1) % HEADER_ALIGNMENT
    text = header.encode("ascii") + b" " * padding + b"\n"
    return start + struct.pack("<H", len(text)) + text + data


def dump_cell(root: Path, plan: CellPlan) -> Path:
    """Write every operand of every case; returns the folder: CASE.OPERAND[.golden].npy."""
    folder = root / plan.directory / "dump"
    run = _run(root / plan.run)
    inputs = read_container((root / plan.packed.inputs).read_bytes())
    golden = read_container((root / plan.packed.vectors.path("golden.bin")).read_bytes())
    for index, (given, wanted) in enumerate(zip(inputs.cases, golden.cases, strict=True)):
        for operand in given.operands:
            name = f"{given.value_class}.{operand.name}.npy"
            write_atomically(folder / name, npy_bytes(operand, operand.data))
        operand = wanted.operands[-1]
        stem = f"{wanted.value_class}.{operand.name}"
        write_atomically(folder / f"{stem}.golden.npy", npy_bytes(operand, operand.data))
        output = run.cases[index].output if run and index < len(run.cases) else None
        if output is not None and len(output) == len(operand.data):
            write_atomically(folder / f"{stem}.npy", npy_bytes(operand, output))
    return folder


def _run(path: Path) -> CellRun | None:
    try:
        return read_run(path)
    except (OSError, RunFileError):
        return None
