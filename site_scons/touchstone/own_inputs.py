# SPDX-License-Identifier: Apache-2.0
"""`inputs=FILE.npz`: somebody's own vectors as the timed case of the selected cells.

The file's arrays are named as the kernel's operands and scalar parameters; what it lacks stays as
the seed makes it. With the output operand in it, that is what the kernel is held against. Names,
types and shapes are checked here, from the file's headers and without numpy; golden.generate checks
ranges. The file is kept by its content below build/inputs/, so that nothing depends on its place.
"""

from __future__ import annotations

import ast
import hashlib
import io
import math
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from touchstone.cells import Cell
from touchstone.errors import UserError, unknown
from touchstone.files import write_atomically
from touchstone.graph import BUILD
from touchstone.plan import PlannedCell
from touchstone.textfile import shown

WORD = "inputs-"
MAX_BYTES = 256 << 20
HEADER_BYTES = 16 << 10
TYPES = {
    "i1": "int8",
    "u1": "uint8",
    "i2": "int16",
    "u2": "uint16",
    "i4": "int32",
    "u4": "uint32",
    "i8": "int64",
    "u8": "uint64",
}


@dataclass(frozen=True)
class Array:
    """Type and shape of one array of a .npz file."""

    type: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.type} [{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True)
class OwnInputs:
    """A .npz file: what it holds and what it is known by."""

    path: Path
    said: str
    data: bytes
    arrays: Mapping[str, Array]

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def word(self) -> str:
        """What the ids of its cells say."""
        return WORD + self.digest[:8]

    @property
    def kept(self) -> str:
        """Where it is kept, relative to the checkout."""
        return f"{BUILD}/inputs/{self.digest}.npz"

    def keep(self, root: Path) -> None:
        """Put it there."""
        if not (root / self.kept).exists():
            write_atomically(root / self.kept, self.data)


def read_inputs(said: str) -> OwnInputs:
    """The file that inputs= names; UserError with one line for anything else."""
    path = Path(said)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"inputs={said}: found no readable file ({error.strerror})") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"inputs={said}: found {len(data)} bytes, allowed at most {MAX_BYTES}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            arrays = dict(_arrays(archive))
    except Exception as error:  # zipfile and zlib raise whatever damaged bytes lead them to
        reason = str(error) or type(error).__name__
        raise UserError(
            f"{shown(path)}: found no .npz of whole numbers ({reason}), allowed what "
            "numpy.savez(FILE, OPERAND=array, ...) writes"
        ) from None
    if not arrays:
        raise UserError(f"{shown(path)}: found no array, allowed one for each operand of your own")
    return OwnInputs(path, said, data, arrays)


def _arrays(archive: zipfile.ZipFile) -> Iterator[tuple[str, Array]]:
    """What it holds. A few bytes can stand for gigabytes: sizes are looked at before contents, and
    of the contents no more is unpacked than what describes them."""
    entries = [entry for entry in archive.infolist() if entry.filename.endswith(".npy")]
    whole = sum(entry.file_size for entry in entries)
    if whole > MAX_BYTES:
        raise ValueError(f"{whole} bytes when unpacked, allowed at most {MAX_BYTES}")
    for entry in entries:
        with archive.open(entry) as file:
            array = _header(file.read(HEADER_BYTES))
        if math.prod(array.shape) * int(array.type.lstrip("uint")) // 8 > entry.file_size:
            raise ValueError(f"{entry.filename}: {array} in {entry.file_size} bytes")
        yield entry.filename.removesuffix(".npy"), array


def _header(data: bytes) -> Array:
    """Type and shape of a .npy file."""
    if data[:6] != b"\x93NUMPY":
        raise ValueError("an entry is no .npy file")
    size = struct.unpack_from("<H", data, 8) if data[6] == 1 else struct.unpack_from("<I", data, 8)
    start = 10 if data[6] == 1 else 12
    header = ast.literal_eval(data[start : start + size[0]].decode("latin1").strip())
    kind, shape = str(header["descr"]), header["shape"]
    if kind[1:] not in TYPES:
        raise ValueError(f"an array of type {kind}")
    if not isinstance(shape, tuple) or not all(
        type(length) is int and length >= 0 for length in shape
    ):
        raise ValueError(f"an array of shape {shape!r}")
    return Array(TYPES[kind[1:]], shape)


def with_inputs(cells: Sequence[PlannedCell], own: OwnInputs) -> list[PlannedCell]:
    """The cells with the file's vectors; UserError where they do not suit one of them."""
    changed: list[PlannedCell] = []
    for planned in cells:
        cell = planned.cell
        if cell.data.startswith(WORD) and cell.data != own.word:
            raise UserError(f"cell={cell.id}: found {own.word} in {own.said}, allowed {cell.data}")
        _check(cell, own)
        new = replace(cell, data=own.word, inputs=own.said, inputs_file=own.kept)
        if new.id not in {entry.cell.id for entry in changed}:
            changed.append(replace(planned, cell=new))
    return changed


def _check(cell: Cell, own: OwnInputs) -> None:
    operands = {operand.name: operand for operand in cell.kernel.operands}
    variables = {**cell.shape.values(), "per_channel": int(cell.numerics.per_channel)}
    for name, array in own.arrays.items():
        where = f"{shown(own.path)}: {name} (for {cell.kernel.name})"
        if name in cell.kernel.params:
            if array.shape not in ((), (1,)):
                raise UserError(f"{where}: found {array}, allowed one whole number")
            continue
        if name not in operands:
            raise UserError(unknown(where, name, [*operands, *cell.kernel.params]))
        operand = operands[name]
        wanted = Array(operand.type, operand.dimensions(variables, where))
        if array != wanted:
            raise UserError(f"{where}: found {array}, allowed {wanted}; the cell is {cell.id}")


def refuse_without_file(cells: Sequence[PlannedCell]) -> None:
    """UserError where a cell is named by vectors that nobody gave."""
    for planned in cells:
        if planned.cell.data.startswith(WORD):
            raise UserError(
                f"cell={planned.cell.id}: found no inputs=, allowed the file that it was run with"
            )
