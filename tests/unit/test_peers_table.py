# SPDX-License-Identifier: Apache-2.0
"""docs/peers.md: each feature that it says we have is held by tests that exist."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TABLE = TESTS.parent / "docs" / "peers.md"
NAME = re.compile(r"`([a-z0-9_]+/[a-z0-9_]+\.py)::(test_[a-z0-9_]+)`")


def rows() -> list[list[str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]
    return [row for row in cells if row[0].isdigit()]


@lru_cache
def names_of(file: str) -> frozenset[str]:
    text = (TESTS / file).read_text(encoding="utf-8")
    return frozenset(re.findall(r"^def (test_[a-z0-9_]+)", text, re.MULTILINE))


def test_every_feature_has_a_row() -> None:
    assert [int(row[0]) for row in rows()] == list(range(1, 70))
    assert {len(row) for row in rows()} == {11}
    assert {row[8] for row in rows()} <= {"Y", "~", "n/a"}


def test_what_is_no_yes_is_argued() -> None:
    argued = re.findall(r"^\*\*(\d+), ", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert argued == [row[0] for row in rows() if row[8] != "Y"]


def test_what_we_say_we_have_is_tested() -> None:
    for row in rows():
        named = NAME.findall(row[10])
        assert named, f"row {row[0]} names no test"
        assert row[10].count("::") == len(named), f"row {row[0]}: {row[10]}"
        for file, test in named:
            assert test in names_of(file), f"row {row[0]}: {file} has no {test}"
