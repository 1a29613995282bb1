# SPDX-License-Identifier: Apache-2.0
"""The assembly generators of kernels/generators/, without assembling anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kernels.generators import xpulp_narrow, xpulp_product, xpulp_softmax, xpulp_softmax_rows
from kernels.generators.assembly import Text, register_number, write
from kernels.generators.xpulp_block import FIELDS, Function

ROOT = Path(__file__).parents[2]


def test_call_has_the_generators_words() -> None:
    """ts_xp_call and FIELDS name the same words in the same order; the last are the function's."""
    header = (ROOT / "kernels" / "include" / "ts_xpulp_call.h").read_text()
    body = re.search(r"typedef struct \{(.*?)\} ts_xp_call;", header, re.S)
    assert body is not None
    text = re.sub(r"/\*.*?\*/", "", body[1], flags=re.S)
    names = [
        name.strip(" *")
        for line in text.split(";")
        if line.strip()
        for name in re.sub(r"^\s*(const )?\w+ ", "", line.strip()).split(",")
    ]
    *named, own = names
    assert tuple(named) == FIELDS[: len(named)]
    assert own == f"own[{len(FIELDS) - len(named)}]"


@pytest.mark.parametrize("module", [xpulp_product, xpulp_softmax, xpulp_softmax_rows, xpulp_narrow])
def test_output_is_always_the_same(module: object, tmp_path: Path) -> None:
    first, second = tmp_path / "a.S", tmp_path / "b.S"
    for path in (first, second):
        assert write([str(path)], module.module) == 0  # type: ignore[attr-defined]
    assert first.read_bytes() == second.read_bytes()
    assert str(tmp_path) not in first.read_text()


def test_no_register_has_two_values() -> None:
    """The registers of a function differ; sp, which points at the call, is not among them."""
    for rows, columns in ((4, 4), (1, 4), (5, 4), (4, 1)):
        f = Function(Text(), "fast", rows, columns)
        used = [*f.all_sums, *f.a, *f.b, f.left, f.right, f.row, f.turn]
        used += [r for r in (f.start, f.output, f.factor, f.select) if r]
        assert len(used) == len(set(used)) and "sp" not in used and "None" not in used


def test_register_numbers() -> None:
    assert [register_number(name) for name in ("ra", "sp", "t2", "s1", "a0", "s2", "t6")] == [
        *(1, 2, 7, 9, 10, 18, 31)
    ]


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert write([], xpulp_product.module) == 2
    assert "usage" in capsys.readouterr().err
