# SPDX-License-Identifier: Apache-2.0
"""Softmax and GELU tables, the ECG, the fusion of weights, the packers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.case import GoldenError
from golden.counter_rng import CounterRng
from golden.ecg import ecg_tokens, load_record, quantise
from golden.fusion import fuse
from golden.fusion import quantise as quantise_weights
from golden.gelu_table import preset_table as gelu_preset
from golden.pack import main as pack_main
from golden.packers import words4
from golden.softmax_table import preset_table, softmax_rows
from touchstone.vectors import Case, Container, Operand, read_container, write_container


def _c_trunc(a: int, b: int) -> int:
    return abs(a) // b * (1 if a >= 0 else -1)


def test_authors_table_is_the_c_code() -> None:
    table = preset_table("authors")
    for d in range(256):
        x = -d
        z = -_c_trunc(x, 5)
        p = x + z * 5
        expected = ((p + 7) ** 2 + 24) >> z if z <= 31 else 0
        assert table[d] == expected
    assert table[:6] == [73, 60, 49, 40, 33, 36] and max(table) == 73
    assert not any(table[31:])


@pytest.mark.parametrize(("preset", "largest"), [("accurate", 255), ("wide", 65535)])
def test_exponential_tables(preset: str, largest: int) -> None:
    table = preset_table(preset)
    assert table == [round(largest * math.exp(-d / 16)) for d in range(256)]
    assert table == sorted(table, reverse=True)


def test_softmax_of_a_row() -> None:
    table = np.array(preset_table("authors"), dtype=np.int64)
    rows = np.array([[0, 0], [10, 5], [127, -128]], dtype=np.int8)
    expected = [[127, 127], [255 * 73 // 109, 255 * 36 // 109], [255, 0]]
    assert softmax_rows(rows, table).tolist() == expected
    with pytest.raises(GoldenError, match="uint32"):
        softmax_rows(np.zeros((1, 300), dtype=np.int8), np.full(256, 2**24 - 1))


def test_i_gelu_table_is_the_c_code() -> None:
    table = np.array(gelu_preset("i_gelu"))
    for x in range(-128, 128):
        q = min(abs(x), 49)
        poly = ((x > 0) - (x < 0)) * (2674 - (q - 49) ** 2)
        y = (x * (2674 + poly)) >> 1
        assert table[x & 255] == min(max((y * 1569) >> 22, -128), 127)


def test_accurate_gelu_table() -> None:
    table = np.array(gelu_preset("accurate"))
    for x in range(-128, 128):
        exact = x / 2 * (1 + math.erf(x / 20 / math.sqrt(2)))
        assert table[x & 255] == math.floor(exact + 0.5)


def test_ecg_quantisation() -> None:
    assert quantise(np.array([-250, 250, 0, 1, -1, 2])).tolist() == [-127, 127, 0, 1, -1, 1]
    record = load_record()
    assert record.size == 1024
    largest = int(np.abs(record).max())
    assert np.abs(quantise(record) - 127 * record / largest).max() <= 0.5
    with pytest.raises(GoldenError, match="all zero"):
        quantise(np.zeros(3))


def test_ecg_tokens_are_windows_of_a_ring() -> None:
    record = quantise(load_record())
    rng = CounterRng("ecg")
    start = rng.integer("ecg.start", 0, 1023)
    tokens = ecg_tokens(rng, 500, 40)
    for s, e in ((0, 0), (1, 0), (17, 39), (499, 39)):
        assert tokens[s, e] == record[(start + 3 * s + e) % 1024]


def _weights(heads: int, width: int, embedding: int) -> list[Any]:
    rng = CounterRng("fusion")
    shapes = ((heads, width, embedding), (heads, width, embedding), (heads, width))
    return [
        rng.integers(str(index), shape, -1000, 1000) / 1000 for index, shape in enumerate(shapes)
    ]


def test_fusion_gives_the_same_attention() -> None:
    q_weight, k_weight, q_bias = _weights(3, 8, 12)
    x = CounterRng("fusion").integers("x", (10, 12), -100, 100) / 100
    k_bias = 0.7
    query = np.einsum("se,hpe->hsp", x, q_weight) + q_bias[:, None, :]
    key = np.einsum("se,hpe->hsp", x, k_weight) + k_bias
    scores = np.einsum("hsp,htp->hst", query, key) / math.sqrt(8)
    fused = fuse(q_weight, k_weight, q_bias)
    inner = np.einsum("se,hfe->hsf", x, fused.weight) + fused.bias[:, None, :]
    found = np.einsum("hsf,tf->hst", inner, x)
    difference = scores - found
    # Equal up to a shift of each row, which the softmax does not see.
    np.testing.assert_allclose(difference, difference[..., :1] + 0 * difference, atol=1e-12)


def test_fusion_report() -> None:
    fused = fuse(*_weights(4, 16, 32))
    integer = quantise_weights(fused, 1 / 64)
    assert integer.weight.dtype == np.int8 and integer.weight.shape == (4, 32, 32)
    assert integer.bias.dtype == np.int32 and integer.bias.shape == (128,)
    for head in range(4):
        real, scale = fused.weight[head], integer.scale[head]
        error = np.abs(real - scale * integer.weight[head])
        assert np.abs(integer.weight[head]).max() == 127
        assert integer.report.max_abs_error[head] == error.max() <= scale / 2 * (1 + 1e-9)
        assert integer.report.max_relative_error[head] <= 0.5 / 127 * (1 + 1e-9)
        # Uniform rounding noise of scale^2 / 12 under a signal whose peak is 127 scale.
        assert 25 < integer.report.sqnr_db[head] < 50
        bias = integer.bias[32 * head : 32 * head + 32] * scale / 64
        assert np.abs(bias - fused.bias[head]).max() <= scale / 128 * (1 + 1e-9)


def test_fusion_of_nothing_and_of_the_wrong_shapes() -> None:
    zero = quantise_weights(fuse(np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), np.zeros((1, 2))), 1.0)
    assert not zero.weight.any() and zero.report.sqnr_db == (math.inf,)
    with pytest.raises(GoldenError, match="one shape"):
        fuse(np.zeros((1, 2, 3)), np.zeros((1, 3, 2)), np.zeros((1, 2)))
    with pytest.raises(GoldenError, match="query bias"):
        fuse(np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), np.zeros(2))
    with pytest.raises(GoldenError, match="input scale"):
        quantise_weights(fuse(*_weights(1, 2, 3)), 0.0)
    with pytest.raises(GoldenError, match="int32"):
        quantise_weights(fuse(*_weights(1, 2, 3)), 1e-12)


@pytest.mark.parametrize(("length", "words"), [(1, 1), (4, 1), (7, 2)])
def test_words4(length: int, words: int) -> None:
    """Three rows and one of zeros, word by word."""
    array = np.arange(1, 1 + 6 * length, dtype=np.int8).reshape(2, 3, length)
    packed = words4.pack(array)
    assert packed.shape == words4.packed_shape(array.shape) == (2, 1, words, 16)
    assert packed.dtype == np.int8
    rows = packed.reshape(2, words, 4, 4).swapaxes(1, 2).reshape(2, 4, 4 * words)
    assert (rows[:, :3, :length] == array).all()
    assert not rows[:, 3].any() and not rows[..., length:].any()


def test_pack_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    operands = (
        Operand("input", "int8", (1, 3), b"\x01\x02\x03"),
        Operand("weight", "int16", (2, 3), bytes(range(12))),
    )
    shape = {"S": 1, "E": 3, "P": 2, "H": 1, "F": 0}
    container = Container("linear_qk", shape, (Case("random", {"requant_shift": 3}, operands),))
    source, target = tmp_path / "in.bin", tmp_path / "out.bin"
    source.write_bytes(write_container(container))
    assert pack_main([str(source), str(target), "weight=words4"]) == 0
    case = read_container(target.read_bytes()).cases[0]
    assert case.params == {"requant_shift": 3} and case.operands[0] == operands[0]
    packed = bytes(range(6)) + bytes(2) + bytes(range(6, 12)) + bytes(2 + 16)
    assert case.operands[1] == Operand("weight", "int16", (1, 1, 16), packed)

    assert pack_main([str(source), str(target), "weight=none"]) == 2
    assert pack_main([str(source), str(target), "wait=words4"]) == 2
    assert pack_main([str(source), str(target), "weight"]) == 2
    assert pack_main([str(tmp_path / "missing"), str(target), "weight=words4"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [
        "golden.pack: there is no packer named none",
        "golden.pack: case random has no operand wait",
    ]
    assert len(lines) == 4
