# SPDX-License-Identifier: Apache-2.0
"""The container of test vectors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from touchstone.vectors import (
    Case,
    Container,
    ContainerError,
    Operand,
    read_container,
    write_container,
)

SHAPE = {"S": 1, "E": 3, "P": 2, "H": 1, "F": 0}


def _container() -> Container:
    table = Operand("table", "uint32", (2,), bytes(range(8)))
    inputs = [Operand("input", "int8", (1, 3), data) for data in (b"\x01\x02\x03", b"\x07" * 3)]
    first = Case("random", {"shift": 16}, (inputs[0], table))
    second = Case("constant", {"shift": 1}, (inputs[1], table))
    return Container("add", SHAPE, (first, second))


def test_round_trip_and_canonical_bytes() -> None:
    data = write_container(_container())
    assert read_container(data) == _container()
    assert write_container(read_container(data)) == data


def test_layout_of_the_bytes() -> None:
    data = write_container(_container())
    assert data[:8] == b"TSVEC001"
    length = int.from_bytes(data[8:12], "little")
    start = -(-(12 + length) // 16) * 16
    payload = data[start:]
    # input, table (shared by both cases), second input; the end is exact.
    assert payload[:3] == b"\x01\x02\x03" and payload[3:16] == bytes(13)
    assert payload[16:24] == bytes(range(8)) and payload[24:32] == bytes(8)
    assert payload[32:] == b"\x07" * 3
    assert data[12 : 12 + length].startswith(b'{"cases":[{"class":"random","operands":[{"bytes":3,')


def test_operand_lookup() -> None:
    case = _container().cases[0]
    assert case.operand("table").data == bytes(range(8))
    with pytest.raises(ContainerError, match="no operand missing"):
        case.operand("missing")


def test_writing_refuses_a_wrong_size() -> None:
    wrong = Case("random", {}, (Operand("input", "int32", (2,), b"\x00" * 7),))
    with pytest.raises(ContainerError, match="7 bytes do not make int32"):
        write_container(Container("add", SHAPE, (wrong,)))
    unknown = Case("random", {}, (Operand("input", "float", (1,), b"\x00"),))
    with pytest.raises(ContainerError, match="unknown operand type float"):
        write_container(Container("add", SHAPE, (unknown,)))


def test_reading_refuses_every_truncation() -> None:
    data = write_container(_container())
    for length in range(len(data)):
        with pytest.raises(ContainerError):
            read_container(data[:length])
    with pytest.raises(ContainerError, match="payload"):
        read_container(data + b"\x00")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"offset":16', b'"offset":17'),
        (b'"offset":32', b'"offset":64'),
        (b'"bytes":3', b'"bytes":4'),
        (b'"type":"int8"', b'"type":"int9"'),
        (b'"name":"table"', b'"name":"input"'),
        (b'"shift":16', b'"shift":1.'),
        (b'"shape":[1,3]', b'"shape":[3,-1]'),
        (b'"kernel":"add"', b'"kernel": "ad'),
        (b'"class"', b'"klass"'),
        (b"TSVEC001", b"TSVEC002"),
    ],
)
def test_reading_refuses_damage(old: bytes, new: bytes) -> None:
    data = write_container(_container())
    assert old in data
    damaged = data.replace(old, new, 1)
    if len(old) != len(new):  # keep the lengths consistent, so that the damage itself is seen
        length = int.from_bytes(data[8:12], "little")
        text = data[12 : 12 + length].replace(old, new, 1)
        start = -(-(12 + length) // 16) * 16
        head = data[:8] + len(text).to_bytes(4, "little") + text
        damaged = head + bytes(-len(head) % 16) + data[start:]
    with pytest.raises(ContainerError):
        read_container(damaged)


def test_empty_containers_are_containers() -> None:
    empty = replace(_container(), cases=())
    assert read_container(write_container(empty)) == empty
