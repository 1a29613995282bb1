# SPDX-License-Identifier: Apache-2.0
"""The assembly generators of kernels/generators/, without assembling anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kernels.generators import (
    xpulp_attention,
    xpulp_blocks,
    xpulp_few,
    xpulp_four,
    xpulp_narrow,
    xpulp_padded,
    xpulp_panels,
    xpulp_product,
    xpulp_softmax,
    xpulp_softmax_exact,
    xpulp_softmax_panels,
    xpulp_softmax_rows,
    xpulp_tile,
    xpulp_tiles,
)
from kernels.generators.assembly import Text, register_number, write
from kernels.generators.xpulp_block import FIELDS, Function

ROOT = Path(__file__).parents[2]


def words_of(header: str, name: str) -> list[str]:
    """The members of a struct of words in a header of kernels/include/."""
    source = (ROOT / "kernels" / "include" / header).read_text()
    body = re.search(rf"typedef struct \{{([^{{}}]*)\}} {name};", source)
    assert body is not None
    text = re.sub(r"/\*.*?\*/", "", body[1], flags=re.S)
    return [
        name.strip(" *")
        for line in text.split(";")
        if line.strip()
        for name in re.sub(r"^\s*(const )?\w+ ", "", line.strip()).split(",")
    ]


def test_call_has_the_generators_words() -> None:
    """ts_xp_call and FIELDS name the same words in the same order; the last are the function's."""
    *named, own = words_of("ts_xpulp_call.h", "ts_xp_call")
    assert tuple(named) == FIELDS[: len(named)]
    assert own == f"own[{len(FIELDS) - len(named)}]"


def test_panel_call_has_the_generators_words() -> None:
    *named, own = words_of("ts_xpulp_panels.h", "ts_xp_panel_call")
    assert tuple(named) == xpulp_panels.FIELDS
    assert own == f"own[{len(xpulp_panels.KEPT)}]"


def test_reciprocals_of_the_attention_are_exact() -> None:
    """For every entry and every sum of a row; the header of the generator says so."""
    for tiles, shorter in xpulp_attention.SHORTER.items():
        k = 24 - shorter
        for total in range(1, 128 * 4 * tiles + 1):
            m = (255 << k) // total + 1
            assert all(e * m >> k == 255 * e // total for e in range(min(128, total) + 1))


@pytest.mark.parametrize(
    "module",
    [
        *(xpulp_product, xpulp_softmax, xpulp_softmax_rows, xpulp_narrow, xpulp_padded, xpulp_few),
        *(xpulp_panels, xpulp_softmax_panels, xpulp_softmax_exact, xpulp_four, xpulp_tile),
        xpulp_blocks,
    ],
)
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


def test_no_register_of_the_attention_has_two_values() -> None:
    a = xpulp_attention
    used = [*a.SUMS, *a.RIGHT, *a.WORDS, a.LEFT, a.OTHER, a.POINTER, a.LEAST, a.FAR, a.LOW, a.HIGH]
    used += [a.QUERY, a.KEYS, a.VALUES, a.CONTEXT, a.PAIRS, a.ROWS, a.BLOCKS, a.COUNT, a.SELECT]
    used += [a.SCORES, a.MIX, a.KEEP, "sp"]
    assert len(used) == len(set(used)) == 30


def test_no_register_of_a_stage_by_blocks_has_two_values() -> None:
    t = xpulp_tiles
    common = [*t.ALL_SUMS, t.PLACE, t.SCALE, t.SELECT]
    scores = [*common, *t.A, *t.B, t.LEFT, t.RIGHT, t.QUERY, t.KEY, t.COUNT]
    context = [*common, *t.NARROW_MAP, *t.B[:2], t.VALUES]
    softmax = [*t.WORDS, *t.PAIRS_OF, *t.A, t.MOST, t.TOTAL, t.KEEP, t.LEAST, t.FAR, t.LOW, t.HIGH]
    softmax += [t.PAIRS, t.OVER, t.THIRD, t.ROWS, t.ROW, t.HEAD, t.ALL_ROWS, t.PLACE]
    for used in (scores, context, softmax):
        assert len(used) == len(set(used)) and "sp" not in used


def test_register_numbers() -> None:
    assert [register_number(name) for name in ("ra", "sp", "t2", "s1", "a0", "s2", "t6")] == [
        *(1, 2, 7, 9, 10, 18, 31)
    ]


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert write([], xpulp_product.module) == 2
    assert "usage" in capsys.readouterr().err
