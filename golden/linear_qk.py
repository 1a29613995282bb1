# SPDX-License-Identifier: Apache-2.0
"""linear_qk: query or key projection, input int8 [S,E] -> int8 [H,S,P] = requant(X W_h^T + b_h)."""

from __future__ import annotations

from collections.abc import Mapping

from golden.calibrate import make_bias, make_requant
from golden.case import Array, Operands, Params, Shape, matmul, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.requant import Requant, requant_of
from golden.value_classes import activation, weight


def dot(x: Array, weights: Array) -> Array:
    """Accumulators [H,S,channels of a head] without bias; weights [H,channels of a head,E]."""
    return matmul(x, weights.swapaxes(-1, -2))


def project(x: Array, weights: Array, bias: Array, requant: Requant) -> Array:
    """int8 [H,S,channels of a head]; bias and multipliers are numbered head first."""
    heads, width, _ = weights.shape
    acc = dot(x, weights) + bias.reshape(heads, 1, width)
    return requant.apply(acc, (heads, 1, width))


def calibrate(
    rng: CounterRng, x: Array, weights: Array, value_class: str, numerics: Numerics
) -> tuple[Array, Requant]:
    """Bias and requantisation that suit these activations and weights."""
    heads, width, reduction = weights.shape
    acc = dot(x, weights)
    bias = make_bias(rng, acc, heads * width, reduction, value_class)
    return bias, make_requant(rng, acc, heads * width, value_class, numerics)


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Parameters and operands of a case, in the kernel's order."""
    x = activation(rng, "input", (shape.S, shape.E), value_class)
    weights = weight(rng, "weight", (shape.H, shape.P, shape.E), value_class)
    bias, requant = calibrate(rng.child("requant"), x, weights, value_class, numerics)
    operands = {"input": x, "weight": weights, "bias": bias, **requant.operands("requant")}
    return requant.params("requant"), operands


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    channels = shape.H * shape.P
    x = take(operands, "input", "int8", (shape.S, shape.E))
    weights = take(operands, "weight", "int8", (shape.H, shape.P, shape.E))
    bias = take(operands, "bias", "int32", (channels,))
    requant = requant_of("requant", params, operands, channels)
    return {"output": project(x, weights, bias, requant)}
