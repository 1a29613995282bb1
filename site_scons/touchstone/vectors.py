# SPDX-License-Identifier: Apache-2.0
"""The container of test vectors: inputs.bin, golden.bin, inputs.<layout>.bin. Pure Python.

Bytes: b"TSVEC001", uint32 (little endian) length of the JSON text, the JSON text, zeros up to a
multiple of 16, payload. The JSON is canonical (sorted keys, no spaces, ASCII):

  {"kernel": .., "shape": {"S", "E", "P", "H", "F"}, "cases": [{"class": .., "params": {..},
   "operands": [{"name", "type", "shape", "offset", "bytes"}, ..]}, ..]}

Offsets count from the start of the payload and are multiples of 16; equal bytes are stored once;
the payload ends with the last byte of the last operand. All numbers are little endian.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAGIC = b"TSVEC001"
ALIGNMENT = 16
ITEM_BYTES = {"int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4}


class ContainerError(ValueError):
    """Bytes that are not a container, or contents that cannot be one; one clear line."""


@dataclass(frozen=True)
class Operand:
    """One array of a case: row-major, little endian."""

    name: str
    type: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(frozen=True)
class Case:
    """One call of the kernel: its value class, scalar parameters and operands in order."""

    value_class: str
    params: Mapping[str, int]
    operands: tuple[Operand, ...]

    def operand(self, name: str) -> Operand:
        """The operand of that name."""
        for operand in self.operands:
            if operand.name == name:
                return operand
        raise ContainerError(f"case {self.value_class} has no operand {name}")


@dataclass(frozen=True)
class Container:
    """The vectors of a kernel at a shape; case 0 is the timed one."""

    kernel: str
    shape: Mapping[str, int]
    cases: tuple[Case, ...]


def byte_count(operand_type: str, shape: tuple[int, ...]) -> int:
    """Exact size of an operand in bytes."""
    if operand_type not in ITEM_BYTES:
        raise ContainerError(f"unknown operand type {operand_type}")
    total = ITEM_BYTES[operand_type]
    for length in shape:
        total *= length
    return total


def _align(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT


def _canonical(document: object) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def write_container(container: Container) -> bytes:
    """The bytes of a container; equal containers give equal bytes."""
    payload = bytearray()
    offsets: dict[bytes, int] = {}
    cases = []
    for case in container.cases:
        entries = []
        for operand in case.operands:
            if len(operand.data) != byte_count(operand.type, operand.shape):
                raise ContainerError(
                    f"operand {operand.name}: {len(operand.data)} bytes do not make"
                    f" {operand.type} {operand.shape}"
                )
            if operand.data not in offsets:
                payload.extend(bytes(_align(len(payload)) - len(payload)))
                offsets[operand.data] = len(payload)
                payload.extend(operand.data)
            entries.append(
                {
                    "name": operand.name,
                    "type": operand.type,
                    "shape": list(operand.shape),
                    "offset": offsets[operand.data],
                    "bytes": len(operand.data),
                }
            )
        cases.append({"class": case.value_class, "params": dict(case.params), "operands": entries})
    text = _canonical({"kernel": container.kernel, "shape": dict(container.shape), "cases": cases})
    head = MAGIC + struct.pack("<I", len(text)) + text
    return head + bytes(_align(len(head)) - len(head)) + bytes(payload)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ContainerError(f"not a vector container: {what}")


def _read_operand(entry: Any, payload: bytes) -> tuple[Operand, int]:
    """The operand and where it ends in the payload."""
    _require(
        isinstance(entry, dict) and set(entry) == {"name", "type", "shape", "offset", "bytes"},
        "an operand entry is malformed",
    )
    name, offset, count, shape = entry["name"], entry["offset"], entry["bytes"], entry["shape"]
    _require(
        isinstance(name, str)
        and isinstance(entry["type"], str)
        and isinstance(shape, list)
        and all(_is_count(length) for length in shape)
        and _is_count(offset)
        and _is_count(count),
        "an operand entry is malformed",
    )
    _require(offset % ALIGNMENT == 0, f"operand {name} is not aligned")
    _require(count == byte_count(entry["type"], tuple(shape)), f"operand {name} has the wrong size")
    end = offset + count
    _require(end <= len(payload), f"operand {name} ends beyond the file")
    return Operand(name, entry["type"], tuple(shape), payload[offset:end]), end


def _read_case(entry: Any, payload: bytes) -> tuple[Case, int]:
    _require(
        isinstance(entry, dict) and set(entry) == {"class", "params", "operands"},
        "a case entry is malformed",
    )
    params, operands = entry["params"], entry["operands"]
    _require(
        isinstance(entry["class"], str)
        and isinstance(params, dict)
        and all(type(value) is int for value in params.values())
        and isinstance(operands, list),
        "a case entry is malformed",
    )
    read = [_read_operand(operand, payload) for operand in operands]
    names = {operand.name for operand, _ in read}
    _require(len(names) == len(read), "a case has two operands of one name")
    last = max((end for _, end in read), default=0)
    return Case(entry["class"], params, tuple(operand for operand, _ in read)), last


def read_container(data: bytes) -> Container:
    """The container in `data`; raises ContainerError on anything that is not exactly one."""
    _require(data[: len(MAGIC)] == MAGIC, "the first eight bytes are wrong")
    start = len(MAGIC) + 4
    _require(len(data) >= start, "it is cut short")
    (length,) = struct.unpack_from("<I", data, len(MAGIC))
    head = _align(start + length)
    _require(len(data) >= head, "it is cut short")
    _require(not any(data[start + length : head]), "its padding is not zero")
    try:
        document = json.loads(data[start : start + length].decode("ascii"))
    except ValueError:
        raise ContainerError("not a vector container: its header is not JSON") from None
    _require(
        isinstance(document, dict) and set(document) == {"kernel", "shape", "cases"},
        "its header is malformed",
    )
    _require(_canonical(document) == data[start : start + length], "its header is not canonical")
    kernel, shape, entries = document["kernel"], document["shape"], document["cases"]
    _require(
        isinstance(kernel, str)
        and isinstance(shape, dict)
        and all(_is_count(value) for value in shape.values())
        and isinstance(entries, list),
        "its header is malformed",
    )
    payload = data[head:]
    read = [_read_case(entry, payload) for entry in entries]
    end = max((last for _, last in read), default=0)
    _require(end == len(payload), "its payload has the wrong size")
    return Container(kernel, shape, tuple(case for case, _ in read))
