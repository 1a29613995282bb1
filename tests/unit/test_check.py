# SPDX-License-Identifier: Apache-2.0
"""Runs held against golden outputs: what is wrong, where first, where worst."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from touchstone.check import check_cell, compare, unravel
from touchstone.runfile import CaseRun, CellRun, write_run
from touchstone.simulators.base import Fault, RunStatus
from touchstone.vectors import Case, Container, Operand, write_container

AXES = ["head", "row", "column"]
SPEC: dict[str, Any] = {"operands": ["input", "weight", "output"], "axes": AXES}
SHAPE = (2, 3, 4)
GOLDEN = bytes(range(24))


def operand(data: bytes = GOLDEN, kind: str = "int8", shape: Sequence[int] = SHAPE) -> Operand:
    return Operand("output", kind, tuple(shape), data)


def changed(**values: int) -> bytes:
    data = bytearray(GOLDEN)
    for index, value in values.items():
        data[int(index[1:])] = value & 255
    return bytes(data)


def completed(*cases: CaseRun) -> CellRun:
    return CellRun(RunStatus.COMPLETED, "", "ab", 10, 11, 9, 99, 64, cases, None, "the log")


def ok(data: bytes | None = GOLDEN) -> CaseRun:
    return CaseRun("ok", 0, 0, data)


def verdict(folder: Path, run: CellRun, golden_cases: int = 2) -> dict[str, Any]:
    classes = ("random", "extremes", "constant")[:golden_cases]
    shape = {"S": 1, "E": 1, "P": 1, "H": 1, "F": 1}
    cases = tuple(Case(name, {}, (operand(),)) for name in classes)
    (folder / "golden.bin").write_bytes(write_container(Container("k", shape, cases)))
    write_run(folder / "cell.run", run)
    document = check_cell(folder / "cell.run", folder / "golden.bin", SPEC)
    json.dumps(document)
    return document


def test_equal_outputs_differ_nowhere() -> None:
    assert compare("random", operand(), GOLDEN, GOLDEN, AXES) is None


def test_first_worst_and_histogram() -> None:
    found = compare("random", operand(), GOLDEN, changed(_5=6, _17=-100, _23=20), AXES)
    assert found is not None
    assert (found.count, found.total) == (3, 24)
    assert found.first.position == {"head": 0, "row": 1, "column": 1}
    assert (found.first.expected, found.first.found) == (5, 6)
    assert found.worst.position == {"head": 1, "row": 1, "column": 1}
    assert (found.worst.expected, found.worst.found) == (17, -100)
    assert found.histogram == {"1": 1, "2-3": 1, "64+": 1}
    assert str(found.first) == "(head 0, row 1, column 1): expected 5, found 6"


def test_first_of_equally_wrong_is_worst() -> None:
    found = compare("random", operand(), GOLDEN, changed(_3=4, _9=10), AXES)
    assert found is not None
    assert found.worst == found.first


@pytest.mark.parametrize(
    ("error", "label"),
    [(1, "1"), (2, "2-3"), (3, "2-3"), (4, "4-15"), (15, "4-15"), (16, "16-63"), (63, "16-63"),
     (64, "64+")],
)  # fmt: skip
def test_bins_of_the_histogram(error: int, label: str) -> None:
    found = compare("random", operand(), GOLDEN, changed(_0=error), AXES)
    assert found is not None
    assert found.histogram == {label: 1}


@pytest.mark.parametrize(
    ("kind", "code", "expected", "found"),
    [("uint8", "B", 250, 5), ("int8", "b", -6, 5), ("int32", "i", -(2**31), 2**31 - 1)],
)
def test_types(kind: str, code: str, expected: int, found: int) -> None:
    wanted, got = (struct.pack(f"<{code}", value) for value in (expected, found))
    difference = compare("random", operand(wanted, kind, (1,)), wanted, got, ["column"])
    assert difference is not None
    assert (difference.first.expected, difference.first.found) == (expected, found)
    assert difference.histogram == {"64+" if abs(expected - found) > 63 else "4-15": 1}


def test_output_that_is_too_short_is_wrong() -> None:
    found = compare("random", operand(), GOLDEN, GOLDEN[:10], AXES)
    assert found is not None
    assert found.count == 14


def test_axes_that_do_not_fit_are_numbered() -> None:
    found = compare("random", operand(), GOLDEN, changed(_23=1), ["row"])
    assert found is not None
    assert found.first.position == {"axis0": 1, "axis1": 2, "axis2": 3}


def test_unravel_is_row_major() -> None:
    positions = [unravel(index, SHAPE) for index in range(24)]
    expected = [(h, r, c) for h in range(2) for r in range(3) for c in range(4)]
    assert positions == expected


def test_pass(tmp_path: Path) -> None:
    document = verdict(tmp_path, completed(ok(), ok()))
    assert document["status"] == "PASS"
    assert document["reason"] == ""
    assert (document["cycles"], document["cycles_cold"], document["stack_bytes"]) == (10, 11, 64)


def test_wrong_output(tmp_path: Path) -> None:
    document = verdict(tmp_path, completed(ok(), ok(changed(_6=9))))
    assert document["status"] == "FAIL"
    assert document["reason"] == (
        "extremes: output (head 0, row 1, column 2): expected 6, found 9; 1 of 24 wrong"
    )
    (difference,) = document["differences"]
    assert difference["first"]["position"] == [["head", 0], ["row", 1], ["column", 2]]


def test_several_problems_are_counted(tmp_path: Path) -> None:
    guard = CaseRun("guard overwritten", 3, 5, changed(_0=9))
    document = verdict(tmp_path, completed(guard, ok(changed(_0=8))))
    assert document["status"] == "FAIL"
    assert document["reason"] == "random: guard overwritten: scratch, byte 5 (+2 more)"
    assert [entry["case"] for entry in document["differences"]] == ["random", "extremes"]


def test_right_output_does_not_excuse_what_the_firmware_found(tmp_path: Path) -> None:
    for status, text in (
        ("input changed", "random: input changed: weight, byte 7"),
        ("outputs of the two runs differ", "random: outputs of the two runs differ"),
    ):
        document = verdict(tmp_path, completed(CaseRun(status, 1, 7, GOLDEN), ok()))
        assert (document["status"], document["reason"]) == ("FAIL", text)
        assert document["differences"] == []


def test_missing_case_or_output(tmp_path: Path) -> None:
    document = verdict(tmp_path, completed(ok()))
    assert (document["status"], document["reason"]) == ("NO_OUTPUT", "1 of 2 cases reported")
    document = verdict(tmp_path, completed(ok(), ok(), ok()))
    assert document["status"] == "NO_OUTPUT"
    document = verdict(tmp_path, completed(ok(), ok(None)))
    assert (document["status"], document["reason"]) == ("NO_OUTPUT", "extremes: no output")
    document = verdict(tmp_path, completed())
    assert document["status"] == "NO_OUTPUT"


@pytest.mark.parametrize("status", [RunStatus.TIMEOUT, RunStatus.CRASH, RunStatus.NO_OUTPUT])
def test_run_that_did_not_complete(tmp_path: Path, status: RunStatus) -> None:
    fault = Fault("illegal-instruction", 2, 0x100, None, "0xffffffff")
    run = replace(completed(ok(), ok()), status=status, reason="why", fault=fault)
    document = verdict(tmp_path, run)
    assert (document["status"], document["reason"]) == (status.value, "why")
    assert document["fault"]["pc"] == 0x100
    assert document["log"] == "the log"


def test_unreadable_run(tmp_path: Path) -> None:
    verdict(tmp_path, completed(ok(), ok()))
    path = tmp_path / "cell.run"
    path.write_bytes(path.read_bytes()[:-1])
    for _ in range(2):
        document = check_cell(path, tmp_path / "golden.bin", SPEC)
        assert document["status"] == "CRASH"
        assert document["reason"].startswith("unreadable run: ")
        path.unlink(missing_ok=True)
