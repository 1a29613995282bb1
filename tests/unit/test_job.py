# SPDX-License-Identifier: Apache-2.0
"""The job block, read here independently of the code that writes it."""

from __future__ import annotations

import hashlib
import struct
import zlib

import pytest

from touchstone.job import (
    JobError,
    OperandSpec,
    build_job,
    data_bytes_needed,
    kernel_tag,
    run_id,
    with_run_id,
)
from touchstone.vectors import Case, Container, Operand

OPERANDS = (
    OperandSpec("input", "activation"),
    OperandSpec("weight", "weight"),
    OperandSpec("output", "output", 6),
)
PARAMS = ("shift", "flags")


def case(value_class: str, data: bytes, shift: int = 3) -> Case:
    return Case(
        value_class,
        {"flags": 1, "shift": shift},
        (
            Operand("input", "int8", (len(data),), data),
            Operand("weight", "int8", (5,), b"wxyz!"),
        ),
    )


def container(*cases: Case) -> Container:
    return Container("linear", {"S": 2, "E": 3, "P": 4, "H": 5, "F": 6}, cases)


def job(*cases: Case) -> bytes:
    return build_job(container(*cases), OPERANDS, "linear", 4, 48, PARAMS)


def words(data: bytes, start: int, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"<{count}I", data, start)


def test_header() -> None:
    data = job(case("random", b"abcdef"), case("one_hot", b"ghijkl", shift=-1))
    assert data[:4] == b"TSJB"
    assert words(data, 4, 3) == (1, len(data), zlib.crc32(data[64:]))
    assert data[16:32] == bytes(16)
    assert words(data, 32, 8) == (kernel_tag("linear"), 4, 0, 2, 2, 3, 48, 2)
    assert words(data, 64, 8) == (2, 3, 4, 5, 6, 0, 0, 0)


@pytest.mark.parametrize(("announces", "far", "flags"), [(True, False, 1), (False, True, 2)])
def test_flags(announces: bool, far: bool, flags: int) -> None:
    data = build_job(
        container(case("random", b"abcdef")),
        OPERANDS,
        "linear",
        4,
        48,
        PARAMS,
        announces=announces,
        far_weights=far,
    )
    assert words(data, 40, 1) == (flags,)


def test_tables_and_operands() -> None:
    data = job(case("random", b"abcdef"), case("one_hot", b"ghijkl", shift=-1))
    first, second = words(data, 96, 16), words(data, 96 + 64, 16)
    assert (first[1], second[1]) == (1, 0), "only the first case is timed"
    assert first[2:4] == (3, 1)
    assert second[2:4] == (0xFFFFFFFF, 1)
    for table, expected in ((first, b"abcdef"), (second, b"ghijkl")):
        operands = [table[4 + 4 * index : 8 + 4 * index] for index in range(3)]
        offset, size, role, reserved = operands[0]
        assert (offset % 16, role, reserved) == (0, 0, 0)
        assert data[offset : offset + size] == expected
        offset, size, role, _ = operands[1]
        assert (offset % 16, role) == (0, 1)
        assert data[offset : offset + size] == b"wxyz!"
        assert operands[2] == (0, 6, 2, 0)
    assert first[8] == second[8], "equal bytes are stored once"


def test_same_inputs_give_the_same_bytes() -> None:
    cases = (case("random", b"abcdef"), case("constant", b"aaaaaa"))
    assert job(*cases) == job(*cases)


def test_run_id_covers_firmware_and_job() -> None:
    data = job(case("random", b"abcdef"))
    marked = with_run_id(data, b"firmware")
    assert marked[:16] == data[:16]
    assert marked[32:] == data[32:]
    blank = data[:12] + bytes(4) + data[16:]
    assert marked[16:32] == hashlib.sha256(b"firmware" + blank).digest()[:16]
    assert run_id(marked, b"firmware") == marked[16:32], "it does not depend on itself"
    assert run_id(data, b"Firmware") != run_id(data, b"firmware")
    assert run_id(job(case("random", b"abcdeg")), b"firmware") != run_id(data, b"firmware")


def test_data_bytes_needed() -> None:
    assert data_bytes_needed([], 0) == 16 + 16
    assert data_bytes_needed([1, 16, 17], 5) == 16 + (16 + 16) + (16 + 16) + (32 + 16) + (16 + 16)


@pytest.mark.parametrize(
    ("cases", "operands", "params", "message"),
    [
        ((), OPERANDS, PARAMS, "no case"),
        ((case("random", b"abc"),), OPERANDS[:2], PARAMS, "exactly one output"),
        ((case("random", b"abc"),), (*OPERANDS[:2], OperandSpec("output", "output")), PARAMS,
         "known size"),
        ((case("random", b"abc"),), OPERANDS[1:], PARAMS, "found operands input, weight"),
        ((case("random", b"abc"),), OPERANDS, ("shift",), "found parameters flags, shift"),
        ((case("random", b"abc"),), (OperandSpec("input", "activation", 4), *OPERANDS[1:]),
         PARAMS, "operand input has 3 bytes, expected 4"),
        ((case("random", b"abc"),), OPERANDS * 11, PARAMS, "exactly one output"),
        ((case("random", b"abc"),), (OPERANDS[0],) * 40 + OPERANDS[2:], PARAMS, "allowed 32"),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_the_kernel(
    cases: tuple[Case, ...],
    operands: tuple[OperandSpec, ...],
    params: tuple[str, ...],
    message: str,
) -> None:
    with pytest.raises(JobError, match=message) as caught:
        build_job(container(*cases), operands, "linear", 1, 0, params)
    assert "\n" not in str(caught.value)
