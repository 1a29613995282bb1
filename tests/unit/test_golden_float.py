# SPDX-License-Identifier: Apache-2.0
"""Golden models against real arithmetic: inside the derived bounds, and broken ones outside."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from golden.case import Shape
from golden.counter_rng import CounterRng
from golden.float_noise import LIMIT, NoisyAttention
from golden.float_reference import RealCase, reference, stage_references
from golden.presets import Numerics
from golden.value_classes import CLASSES

STAGES = (
    "linear_qk",
    "linear_v",
    "linear_o",
    "softmax",
    "attention_scores",
    "attention_context",
    "fwsa",
    "layernorm",
    "gelu",
    "add",
)
WHOLE = ("mhsa", "mhsa_fwsa")
COMPOSED = (*WHOLE, "ffn", "encoder_block")
SHAPES = (
    Shape(81, 32, 32, 8, 128),
    Shape(66, 16, 2, 8, 33),
    Shape(17, 33, 3, 3, 5),
    Shape(1, 1, 1, 1, 1),
)
Case = tuple[dict[str, int], dict[str, Any]]


def _numerics() -> list[Numerics]:
    return [
        Numerics(rounding, per_channel, softmax, "accurate" if softmax == "wide" else "i_gelu")
        for softmax, (rounding, per_channel) in itertools.product(
            ("authors", "accurate", "wide"), (("floor", False), ("half_up", True))
        )
    ]


def _make(kernel: str, shape: Shape, name: str, numerics: Numerics) -> tuple[Any, Case]:
    """Module and case; the last part of `name` is the value class."""
    operation = importlib.import_module(f"golden.{kernel}")
    value_class = name.rpartition("/")[2]
    case = operation.make_inputs(shape, CounterRng(name), value_class, numerics, "random")
    return operation, case


@pytest.mark.parametrize("kernel", STAGES)
def test_every_output_is_within_its_bounds(kernel: str) -> None:
    for shape, numerics, value_class, seed in itertools.product(
        SHAPES, _numerics(), CLASSES, range(2)
    ):
        if (kernel, value_class) == ("gelu", "saturating"):
            continue  # has another table
        operation, case = _make(kernel, shape, f"float{seed}/{value_class}", numerics)
        real = RealCase(*case, numerics.softmax, numerics.gelu)
        found = operation.golden(shape, *case)["output"]
        assert reference(kernel, real).violations(found) == 0, (shape, numerics, value_class)


@pytest.mark.parametrize("kernel", COMPOSED)
def test_every_stage_is_within_its_bounds(kernel: str) -> None:
    for shape, numerics, value_class in itertools.product(SHAPES, _numerics(), CLASSES):
        operation, case = _make(kernel, shape, f"float/{value_class}", numerics)
        stages = operation.stages(shape, *case)
        real = RealCase(*case, numerics.softmax, numerics.gelu)
        bands = stage_references(kernel, real, stages)
        if value_class == "saturating":
            bands.pop("activated", None)  # has another table
        assert {*stages, "activated"} == {*bands, "activated"}
        for name, band in bands.items():
            assert band.violations(stages[name]) == 0, (name, shape, numerics, value_class)


@pytest.mark.parametrize("kernel", WHOLE)
@pytest.mark.parametrize("value_class", ["random", "extremes"])
def test_the_error_from_end_to_end_is_the_expected_one(kernel: str, value_class: str) -> None:
    for shape, softmax, rounding in itertools.product(
        SHAPES[:3], ("accurate", "wide"), ("floor", "half_up")
    ):
        numerics = Numerics(rounding, rounding == "half_up", softmax)
        operation, case = _make(kernel, shape, f"noise/{value_class}", numerics)
        found = operation.golden(shape, *case)["output"]
        expected = NoisyAttention(*case).output()
        assert expected.deviation(found) < LIMIT
        assert np.sqrt(expected.variance).mean() < 2.0  # LSBs: the check means something


def _double_shift(name: str) -> Callable[[Case], Case]:
    return lambda case: ({**case[0], name: case[0][name] + 1}, case[1])


def _other_rounding(name: str) -> Callable[[Case], Case]:
    return lambda case: ({**case[0], name: case[0][name] ^ 1}, case[1])


def _operand(name: str, change: Callable[[Any], Any]) -> Callable[[Case], Case]:
    return lambda case: (case[0], {**case[1], name: change(case[1][name])})


def _exchange(first: str, second: str) -> Callable[[Case], Case]:
    return lambda case: (
        case[0],
        {**case[1], first: case[1][second], second: case[1][first]},
    )


# What is broken is expressed by running the true golden model on changed parameters or operands and
# comparing with the reference of the unchanged ones.
BROKEN: list[tuple[str, str, Callable[[Case], Case]]] = [
    (kernel, "shift", _double_shift("requant_shift")) for kernel in STAGES[:3] + STAGES[4:7]
]
BROKEN += [
    (kernel, "no bias", _operand("bias", np.zeros_like)) for kernel in (*STAGES[:3], "layernorm")
]
BROKEN += [
    (kernel, "rounding", _other_rounding("requant_flags"))
    for kernel in ("linear_qk", "linear_v", "linear_o", "attention_context")
]
BROKEN += [
    ("linear_qk", "heads in the wrong order", _operand("weight", lambda w: w[::-1])),
    ("linear_v", "channels in the wrong order", _operand("weight", lambda w: w[:, ::-1])),
    ("attention_scores", "query and key exchanged", _exchange("query", "key")),
    ("attention_scores", "step", _operand("softmax_table", lambda t: t[np.arange(256) // 2])),
    ("softmax", "step", _operand("softmax_table", lambda t: t[np.arange(256) * 8 // 7 % 256])),
    ("softmax", "key order", _operand("input", lambda x: x[..., ::-1])),
    ("attention_context", "map transposed", _operand("map", lambda m: m.swapaxes(1, 2))),
    ("fwsa", "scores shift", _double_shift("scores_requant_shift")),
    ("layernorm", "shift", _double_shift("shift")),
    ("gelu", "index", _operand("table", lambda t: np.roll(t, 128))),
    ("gelu", "off by two", _operand("table", lambda t: np.clip(t + 2, -128, 127).astype(t.dtype))),
    ("add", "multipliers", lambda case: (dict(case[0], a_mul=case[0]["b_mul"]), case[1])),
    ("add", "rounding", _other_rounding("flags")),
]


@pytest.mark.parametrize(("kernel", "what", "change"), BROKEN, ids=lambda value: str(value)[:24])
def test_a_broken_golden_model_is_outside(
    kernel: str, what: str, change: Callable[[Case], Case]
) -> None:
    shape = SHAPES[0]
    for numerics in (Numerics(), Numerics("half_up", True, "accurate")):
        operation, case = _make(kernel, shape, "broken/random", numerics)
        real = RealCase(*case, numerics.softmax, numerics.gelu)
        params, operands = change(case)
        found = operation.golden(shape, params, operands)["output"]
        assert reference(kernel, real).violations(found) > 0, what


@pytest.mark.parametrize("kernel", ["softmax", "attention_scores", "fwsa"])
def test_softmax_without_its_maximum_is_outside(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_maximum(scores: Any, table: Any) -> Any:
        entries = table[127 - scores.astype(np.int64)]
        sums = np.maximum(entries.sum(axis=-1, keepdims=True), 1)
        return (255 * entries // sums).astype(np.uint8)

    for module in ("softmax", "attention_scores"):
        monkeypatch.setattr(f"golden.{module}.softmax_rows", without_maximum)
    operation, case = _make(kernel, SHAPES[0], "broken/random", Numerics())
    found = operation.golden(SHAPES[0], *case)["output"]
    assert reference(kernel, RealCase(*case)).violations(found) > 0


@pytest.mark.parametrize("kernel", WHOLE)
def test_broken_compositions_are_far_from_the_expected_error(kernel: str) -> None:
    numerics = Numerics("floor", False, "accurate")
    operation, case = _make(kernel, SHAPES[0], "broken/random", numerics)
    expected = NoisyAttention(*case).output()
    changes = [_double_shift(f"{name}_shift") for name in ("scores", "v", "context", "o")]
    changes += [
        _operand("v_bias", np.zeros_like),
        _operand("o_weight", lambda w: w.reshape(32, 8, 32).swapaxes(1, 2).reshape(32, 256)),
        _operand("v_weight", lambda w: np.roll(w, 1, axis=0)),
        _operand("f_bias" if kernel == "mhsa_fwsa" else "q_bias", np.zeros_like),
    ]
    for change in changes:
        found = operation.golden(SHAPES[0], *change(case))["output"]
        assert expected.deviation(found) > 2 * LIMIT
