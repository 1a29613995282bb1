# SPDX-License-Identifier: Apache-2.0
"""The assembly generators of kernels/generators/, without assembling anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kernels.generators import (
    xpulp_attention,
    xpulp_four,
    xpulp_narrow,
    xpulp_panels,
    xpulp_product,
    xpulp_softmax,
    xpulp_softmax_exact,
    xpulp_softmax_panels,
    xpulp_softmax_rows,
    xpulp_tile,
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


def test_attention_has_the_generators_words() -> None:
    assert tuple(words_of("ts_xpulp_padded.h", "ts_xp_few")) == xpulp_attention.FIELDS


def test_four_has_the_generators_words() -> None:
    """The same of ts_xp_four, some of whose words are arrays."""
    *named, own = words_of("ts_xpulp_four.h", "ts_xp_four")
    at = named.index("factors[6]")
    assert named[-1] == "zeros[4]"
    expected = (*named[:at], *(f"factor{i}" for i in range(6)), *named[at + 1 : -1], "zeros")
    assert expected == xpulp_four.FIELDS[: len(expected)]
    count = len(xpulp_four.FIELDS) - len(expected) - 3 + len(xpulp_four.SAVED)
    assert own == f"own[{count}]"


def test_arguments_are_the_headers() -> None:
    """ts_xp_four_attention finds its arguments where the kernels' headers have them."""
    for kernel, names in (
        ("mhsa", xpulp_four.ARGUMENTS),
        ("mhsa_fwsa", xpulp_four.FUSED_ARGUMENTS),
    ):
        header = (ROOT / "kernels" / kernel / f"{kernel}.h").read_text()
        body = re.search(rf"typedef struct \{{(.*?)\}} ts_{kernel}_args;", header, re.S)
        assert body is not None
        found = re.sub(r"/\*.*?\*/", "", body[1], flags=re.S).replace("f_", "q_")
        members: list[str] = []
        for line in filter(None, map(str.strip, found.split(";"))):
            kind, *rest = re.sub(r"const ", "", line).split(maxsplit=1)
            for name in rest[0].split(","):
                words = {"ts_shape": 8, "ts_requant": 2, "ts_softmax_table": 2}.get(kind, 1)
                members += [name.strip(" *")] * words
        assert len(members) == len(names)
        for at, name in enumerate(names):
            if "_" in name or name in ("input", "output", "table"):
                assert members[at] == name
            assert members[at].startswith("shape") == (at < 8)
        first = names.index("requant0")
        order = [members[first + 2 * i] for i in range((len(names) - first - 3) // 2)]
        factors = xpulp_four.FACTORS[kernel == "mhsa_fwsa"]
        called = {"f": "q", "o": "layer"}
        assert [called.get(name, name) for name in order] == sorted(
            factors, key=factors.__getitem__
        )


@pytest.mark.parametrize(
    "module",
    [
        *(xpulp_product, xpulp_softmax, xpulp_softmax_rows, xpulp_narrow, xpulp_attention),
        *(xpulp_panels, xpulp_softmax_panels, xpulp_softmax_exact, xpulp_four, xpulp_tile),
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
    used += [a.SCORES, a.MIX, a.KEEP, "a0", "sp"]
    assert len(used) == len(set(used)) == 31


def test_no_register_of_four_rows_has_two_values() -> None:
    used = [*xpulp_four.ALL_SUMS, *xpulp_four.A, *xpulp_four.B, xpulp_four.ROW, xpulp_four.SELECT]
    used += [xpulp_four.TURN, xpulp_four.FACTOR, xpulp_four.RIGHT, xpulp_four.BIAS]
    used += [xpulp_four.LEFT, xpulp_four.OUTPUT]
    assert len(used) == len(set(used)) == 30 and "sp" not in used
    assert not {xpulp_four.RIGHT, xpulp_four.OUTPUT, xpulp_four.FACTOR} & {*xpulp_four.MAP}


def test_register_numbers() -> None:
    assert [register_number(name) for name in ("ra", "sp", "t2", "s1", "a0", "s2", "t6")] == [
        *(1, 2, 7, 9, 10, 18, 31)
    ]


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert write([], xpulp_product.module) == 2
    assert "usage" in capsys.readouterr().err
