# SPDX-License-Identifier: Apache-2.0
"""attention_context: map uint8 [H,S,S], value int8 [H,P,S] -> int8 [S,H,P] = requant(A V)."""

from __future__ import annotations

from collections.abc import Mapping

from golden.calibrate import make_requant
from golden.case import Array, Operands, Params, Shape, matmul, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.requant import Requant, requant_of
from golden.value_classes import activation, attention_map


def dot(attention: Array, value: Array) -> Array:
    """Accumulators [S,H,P]."""
    acc: Array = matmul(attention, value.swapaxes(-1, -2)).transpose(1, 0, 2)
    return acc


def mix(attention: Array, value: Array, requant: Requant) -> Array:
    """int8 [S,H,P], which is also the [S,H*P] that the output projection reads."""
    heads, width, _ = value.shape
    return requant.apply(dot(attention, value), (heads, width))


def calibrate(
    rng: CounterRng, attention: Array, value: Array, value_class: str, numerics: Numerics
) -> Requant:
    """Requantisation that suits this map and these values."""
    channels = value.shape[0] * value.shape[1]
    return make_requant(rng, dot(attention, value), channels, value_class, numerics)


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Parameters and operands of a case, in the kernel's order."""
    attention = attention_map(rng, "map", (shape.H, shape.S, shape.S), value_class)
    value_values = "random" if value_class == "one_hot" else value_class
    value = activation(rng, "value", (shape.H, shape.P, shape.S), value_values)
    requant = calibrate(rng.child("requant"), attention, value, value_class, numerics)
    operands = {"map": attention, "value": value, **requant.operands("requant")}
    return requant.params("requant"), operands


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    attention = take(operands, "map", "uint8", (shape.H, shape.S, shape.S))
    value = take(operands, "value", "int8", (shape.H, shape.P, shape.S))
    requant = requant_of("requant", params, operands, shape.H * shape.P)
    return {"output": mix(attention, value, requant)}
