# SPDX-License-Identifier: Apache-2.0
"""Float weights of a network: NumPy's .npz without pickles, or safetensors.

Both are read by their headers first: what a file claims to hold is held against its size and a
limit before any of it is unpacked, and nothing in it is ever run. Tensors are named as in
docs/networks.md, with PyTorch's layouts ([out, in]).
"""

from __future__ import annotations

import difflib
import io
import json
import math
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from golden.case import Array, GoldenError, Operands

MAX_BYTES = 64 << 20
MAX_HEADER = 1 << 20
MAX_TENSORS = 4096
_SAFE_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file that is not larger than `limit`."""
    try:
        size = path.stat().st_size
        if size > limit:
            raise GoldenError(f"{path}: found {size} bytes, allowed at most {limit}")
        return path.read_bytes()
    except OSError as error:
        raise GoldenError(f"{path}: found no readable file ({error.strerror})") from None


def read_checkpoint(path: Path) -> Operands:
    """Every tensor of a file as finite float64, by its name; GoldenError with one line."""
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors}
    if path.suffix not in readers:
        raise GoldenError(f"{path}: found {path.suffix or 'no suffix'}, allowed .npz, .safetensors")
    tensors = readers[path.suffix](path, read_file(path))
    if not tensors:
        raise GoldenError(f"{path}: found no tensor")
    for name, tensor in tensors.items():
        bad = int(tensor.size - np.count_nonzero(np.isfinite(tensor)))
        if bad:
            first = np.unravel_index(int(np.argmin(np.isfinite(tensor))), tensor.shape)
            place = ", ".join(str(int(index)) for index in first)
            raise GoldenError(
                f"{path}: {name}: found {bad} of {tensor.size} values that are NaN or infinite, "
                f"the first at [{place}]; allowed finite numbers"
            )
    return tensors


def _read_npz(path: Path, data: bytes) -> Operands:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MAX_BYTES or len(entries) > MAX_TENSORS:
                raise GoldenError(
                    f"{path}: found {len(entries)} entries of {unpacked} bytes, "
                    f"allowed {MAX_TENSORS} of {MAX_BYTES}"
                )
            return {
                entry.filename.removesuffix(".npy"): _npy(path, entry.filename, archive.read(entry))
                for entry in entries
            }
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise GoldenError(f"{path}: found no .npz file ({error})") from None


def _npy(path: Path, name: str, data: bytes) -> Array:
    try:
        array: Array = np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError as error:
        pickled = "allow_pickle" in str(error) or data[:1] == b"\x80"
        found = "a pickled object, which is never loaded" if pickled else f"no array ({error})"
        raise GoldenError(f"{path}: {name}: found {found}; allowed numbers") from None
    except EOFError as error:
        raise GoldenError(f"{path}: {name}: found no array ({error}); allowed numbers") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        kind = getattr(array, "dtype", "no array")
        raise GoldenError(f"{path}: {name}: found {kind}, allowed numbers")
    return array.astype(np.float64)


def _read_safetensors(path: Path, data: bytes) -> Operands:
    """Eight bytes of length, a header in JSON, then the values (little-endian, row-major)."""
    size = struct.unpack_from("<Q", data)[0] if len(data) >= 8 else 0
    if not 2 <= size <= min(MAX_HEADER, len(data) - 8):
        raise GoldenError(f"{path}: found no safetensors header of at most {MAX_HEADER} bytes")
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError) as error:
        raise GoldenError(f"{path}: found no safetensors header ({error})") from None
    if not isinstance(header, dict) or len(header) > MAX_TENSORS:
        raise GoldenError(f"{path}: found no safetensors header of at most {MAX_TENSORS} tensors")
    values = data[8 + size :]
    return {
        name: _safe_tensor(f"{path}: {name}", entry, values)
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _safe_tensor(where: str, entry: Any, values: bytes) -> Array:
    try:
        dtype, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise GoldenError(f"{where}: found no dtype, shape and data_offsets") from None
    numbers = [*shape, start, end] if isinstance(shape, list) else [None]
    if any(type(number) is not int or number < 0 for number in numbers):
        raise GoldenError(f"{where}: found a shape or offset that is no whole number from 0 on")
    if dtype not in _SAFE_TYPES:
        raise GoldenError(f"{where}: found {dtype}, allowed {', '.join(_SAFE_TYPES)}")
    wanted = math.prod(shape) * np.dtype(_SAFE_TYPES[dtype]).itemsize
    if not start <= end <= len(values) or end - start != wanted:
        raise GoldenError(
            f"{where}: found bytes {start}..{end} of {len(values)}, allowed {wanted} for {shape}"
        )
    array: Array = np.frombuffer(values[start:end], _SAFE_TYPES[dtype]).reshape(shape)
    return array.astype(np.float64)


def check_shapes(
    where: str, tensors: Mapping[str, Array], wanted: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse tensors that are missing, of another shape, or unknown; one line for the first."""
    for name, shape in wanted.items():
        if name not in tensors:
            close = difflib.get_close_matches(name, sorted(set(tensors) - set(wanted)), n=1)
            hint = f"; did you mean {name} by {close[0]}?" if close else ""
            raise GoldenError(f"{where}: found no tensor {name} {list(shape)}{hint}")
        if tensors[name].shape != shape:
            found = list(tensors[name].shape)
            raise GoldenError(f"{where}: {name}: found shape {found}, allowed {list(shape)}")
    unknown = sorted(set(tensors) - set(wanted))
    if unknown:
        close = difflib.get_close_matches(unknown[0], sorted(wanted), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise GoldenError(f"{where}: found the unknown tensor {unknown[0]}{hint}")
