# SPDX-License-Identifier: Apache-2.0
"""Every golden model against its definition written out in plain Python, number by number."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from golden.case import GoldenError, Shape, check_int32, matmul
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.requant import Requant
from golden.value_classes import CLASSES

SHAPES = (Shape(5, 7, 3, 2, 9), Shape(1, 1, 1, 1, 1), Shape(3, 4, 2, 5, 8), Shape(6, 9, 4, 1, 3))
NUMERICS = (
    Numerics("floor", False, "authors", "i_gelu"),
    Numerics("half_up", True, "accurate", "accurate"),
    Numerics("floor", True, "wide", "i_gelu"),
)


class Plain:
    """Nested lists of a case, and the formulas of the definitions on single numbers."""

    def __init__(self, shape: Shape, params: dict[str, int], operands: dict[str, Any]) -> None:
        self.s, self.e, self.p, self.h = shape.S, shape.E, shape.P, shape.H
        self.params = params
        self.operands = {name: array.tolist() for name, array in operands.items()}

    def requant(self, acc: int, name: str, channel: int) -> int:
        assert -(2**31) <= acc < 2**31
        flags, shift = self.params[f"{name}_flags"], self.params[f"{name}_shift"]
        mul: int = self.operands[f"{name}_mul"][channel if flags & 2 else 0]
        value = acc * mul
        if flags & 1:
            value += 1 << (shift - 1)
        return min(max(value >> shift, -128), 127)

    def softmax(self, row: list[int]) -> list[int]:
        table = self.operands["softmax_table"]
        entries = [table[max(row) - x] for x in row]
        return [255 * entry // sum(entries) for entry in entries]

    def heads(self, stem: str, name: str, width: int) -> list[list[list[int]]]:
        x, w = self.operands["input"], self.operands[f"{stem}weight"]
        bias = self.operands[f"{stem}bias"]
        return [
            [
                [
                    self.requant(
                        sum(x[s][e] * w[h][p][e] for e in range(self.e)) + bias[h * width + p],
                        name,
                        h * width + p,
                    )
                    for p in range(width)
                ]
                for s in range(self.s)
            ]
            for h in range(self.h)
        ]

    def map(self, query: Any, key: Any, name: str) -> list[list[list[int]]]:
        return [
            [
                self.softmax(
                    [
                        self.requant(sum(a * b for a, b in zip(q, k, strict=True)), name, 0)
                        for k in key[h]
                    ]
                )
                for q in query[h]
            ]
            for h in range(self.h)
        ]

    def values(self, stem: str, name: str) -> list[list[list[int]]]:
        rows = self.heads(stem, name, self.p)
        return [[[row[p] for row in head] for p in range(self.p)] for head in rows]

    def context(self, attention: Any, value: Any, name: str) -> list[list[list[int]]]:
        return [
            [
                [
                    self.requant(
                        sum(a * v for a, v in zip(attention[h][s], value[h][p], strict=True)),
                        name,
                        h * self.p + p,
                    )
                    for p in range(self.p)
                ]
                for h in range(self.h)
            ]
            for s in range(self.s)
        ]

    def out(self, rows: Any, stem: str, name: str) -> list[list[int]]:
        w, bias = self.operands[f"{stem}weight"], self.operands[f"{stem}bias"]
        return [
            [
                self.requant(sum(a * b for a, b in zip(row, w[e], strict=True)) + bias[e], name, e)
                for e in range(len(w))
            ]
            for row in rows
        ]

    def finish(self, attention: Any) -> list[list[int]]:
        context = self.context(attention, self.values("v_", "v"), "context")
        return self.out([[v for head in row for v in head] for row in context], "o_", "o")

    def activate(self, rows: Any) -> list[list[int]]:
        return [[self.operands["gelu_table"][x & 255] for x in row] for row in rows]

    def feed_forward(self, rows: Any) -> list[list[int]]:
        return self.out(self.activate(self.out(rows, "up_", "up")), "down_", "down")

    def block(self) -> list[list[int]]:
        x = self.operands["input"]
        self.operands["input"] = [self.layernorm_row(row, "norm1_") for row in x]
        attended = self.finish(
            self.map(self.heads("q_", "q", self.p), self.heads("k_", "k", self.p), "scores")
        )
        y = self.add(x, attended, "add1_", "residual", "layer")
        fed = self.feed_forward([self.layernorm_row(row, "norm2_") for row in y])
        return self.add(y, fed, "add2_", "residual", "layer")

    def layernorm_row(self, row: list[int], stem: str = "") -> list[int]:
        def trunc(a: int, b: int) -> int:
            return abs(a) // b * (1 if a >= 0 else -1)

        mean = trunc(sum(row), self.e)
        variance = sum((x - mean) ** 2 for x in row) // self.e + 1
        std = max(root for root in range(300) if root * root <= variance)
        weights, bias = self.operands[f"{stem}weight"], self.operands[f"{stem}bias"]
        shift = self.params[f"{stem}shift"]
        return [
            min(max((trunc((x - mean) * w, std) + b) >> shift, -128), 127)
            for x, w, b in zip(row, weights, bias, strict=True)
        ]

    def add(self, a: Any, b: Any, stem: str, *names: str) -> list[list[int]]:
        shift, flags = self.params[f"{stem}shift"], self.params[f"{stem}flags"]
        a_mul, b_mul = (self.params[f"{stem}{name}_mul"] for name in names)
        half = 1 << (shift - 1) if flags & 1 else 0
        return [
            [
                min(max((x * a_mul + y * b_mul + half) >> shift, -128), 127)
                for x, y in zip(*rows, strict=True)
            ]
            for rows in zip(a, b, strict=True)
        ]


def _keys(c: Plain) -> list[Any]:
    return [c.operands["input"]] * c.h


DEFINITIONS: dict[str, Callable[[Plain], Any]] = {
    "linear_qk": lambda c: c.heads("", "requant", c.p),
    "linear_v": lambda c: c.values("", "requant"),
    "linear_o": lambda c: c.out(c.operands["input"], "", "requant"),
    "softmax": lambda c: [[c.softmax(row) for row in head] for head in c.operands["input"]],
    "attention_scores": lambda c: c.map(c.operands["query"], c.operands["key"], "requant"),
    "attention_context": lambda c: c.context(c.operands["map"], c.operands["value"], "requant"),
    "fwsa": lambda c: c.map(c.heads("", "requant", c.e), _keys(c), "scores_requant"),
    "mhsa": lambda c: c.finish(c.map(c.heads("q_", "q", c.p), c.heads("k_", "k", c.p), "scores")),
    "mhsa_fwsa": lambda c: c.finish(c.map(c.heads("f_", "f", c.e), _keys(c), "scores")),
    "layernorm": lambda c: [c.layernorm_row(row) for row in c.operands["input"]],
    "gelu": lambda c: [[c.operands["table"][x & 255] for x in r] for r in c.operands["input"]],
    "add": lambda c: c.add(c.operands["a"], c.operands["b"], "", "a", "b"),
    "ffn": lambda c: c.feed_forward(c.operands["input"]),
    "encoder_block": lambda c: c.block(),
}


@pytest.mark.parametrize("kernel", sorted(DEFINITIONS))
def test_golden_is_the_definition(kernel: str) -> None:
    operation = importlib.import_module(f"golden.{kernel}")
    for shape in SHAPES:
        for numerics in NUMERICS:
            for value_class in CLASSES:
                rng = CounterRng(f"definition/{value_class}")
                params, operands = operation.make_inputs(
                    shape, rng, value_class, numerics, "random"
                )
                found = operation.golden(shape, params, operands)["output"]
                expected = np.array(DEFINITIONS[kernel](Plain(shape, params, operands)))
                assert found.shape == expected.shape
                np.testing.assert_array_equal(found, expected)


def test_requantisation_is_exact_at_the_limits() -> None:
    accumulators = np.array([-(2**31), 2**31 - 1, -1, 0, 1, 32767, -32768, 128, -129])
    for shift in range(1, 32):
        for mul in (1, 2, 255, 32768, 65535):
            for flags in (0, 1):
                requant = Requant(np.array([mul], dtype=np.uint16), shift, flags)
                half = (1 << (shift - 1)) if flags else 0
                expected = [
                    min(max((int(acc) * mul + half) >> shift, -128), 127) for acc in accumulators
                ]
                assert requant.apply(accumulators, (1,)).tolist() == expected


def test_an_accumulator_beyond_int32_is_refused() -> None:
    check_int32(np.array([2**31 - 1, -(2**31)]), "x")
    for value in (2**31, -(2**31) - 1):
        with pytest.raises(GoldenError, match="an accumulator leaves the range of int32"):
            Requant(np.array([1], dtype=np.uint16), 1, 0).apply(np.array([value]), (1,))


def test_a_product_that_float64_cannot_hold_is_refused() -> None:
    wide = np.full((1, 2), 2**26)
    with pytest.raises(GoldenError, match="exact"):
        matmul(wide, wide.T)
    assert matmul(wide, np.array([[3], [5]])).tolist() == [[2**29]]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("bias", np.zeros(5, dtype=np.int32), "operand bias: expected shape"),
        ("weight", np.zeros((2, 3, 7), dtype=np.int16), "operand weight: expected int8"),
        ("requant_mul", np.zeros(1, dtype=np.uint16), "a multiplier is 0"),
        ("requant_mul", np.ones(6, dtype=np.uint16), "operand requant_mul: expected uint16"),
        ("bias", np.full(6, 2**31 - 1, dtype=np.int32), "leaves the range of int32"),
    ],
)
def test_wrong_operands_are_refused(name: str, value: Any, message: str) -> None:
    from golden import linear_qk

    shape = SHAPES[0]
    rng = CounterRng("refused/random")
    params, operands = linear_qk.make_inputs(shape, rng, "random", Numerics(), "random")
    operands["input"] = np.full((5, 7), 127, dtype=np.int8)
    operands["weight"] = np.full((2, 3, 7), 127, dtype=np.int8)
    with pytest.raises(GoldenError, match=message):
        linear_qk.golden(shape, params, {**operands, name: value})


def test_missing_operands_and_wrong_params_are_refused() -> None:
    from golden import softmax

    shape = SHAPES[0]
    rng = CounterRng("refused/random")
    params, operands = softmax.make_inputs(shape, rng, "random", Numerics(), "random")
    with pytest.raises(GoldenError, match="operand input is missing"):
        softmax.golden(shape, params, {"softmax_table": operands["softmax_table"]})
    with pytest.raises(GoldenError, match="softmax_max is not the largest entry"):
        softmax.golden(shape, {"softmax_max": 72}, operands)
    with pytest.raises(GoldenError, match="parameter softmax_max is missing"):
        softmax.golden(shape, {}, operands)
    zero = operands["softmax_table"].copy()
    zero[0] = 0
    with pytest.raises(GoldenError, match="the first >= 1"):
        softmax.golden(shape, params, {**operands, "softmax_table": zero})
