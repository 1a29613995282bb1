# SPDX-License-Identifier: Apache-2.0
"""linear_o: output projection over all heads, int8 [S,H*P] -> int8 [S,E] = requant(X W^T + b)."""

from __future__ import annotations

from collections.abc import Mapping

from golden.calibrate import make_bias, make_requant
from golden.case import Array, Operands, Params, Shape, matmul, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.requant import Requant, requant_of
from golden.value_classes import activation, weight


def dot(x: Array, weights: Array) -> Array:
    """Accumulators [S,E] without bias; x [S,H*P], weights [E,H*P]."""
    return matmul(x, weights.T)


def project(x: Array, weights: Array, bias: Array, requant: Requant) -> Array:
    """int8 [S,E]."""
    return requant.apply(dot(x, weights) + bias, (weights.shape[0],))


def calibrate(
    rng: CounterRng, x: Array, weights: Array, value_class: str, numerics: Numerics
) -> tuple[Array, Requant]:
    """Bias and requantisation that suit these activations and weights."""
    channels, reduction = weights.shape
    acc = dot(x, weights)
    bias = make_bias(rng, acc, channels, reduction, value_class)
    return bias, make_requant(rng, acc, channels, value_class, numerics)


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Parameters and operands of a case, in the kernel's order."""
    x = activation(rng, "input", (shape.S, shape.H * shape.P), value_class)
    weights = weight(rng, "weight", (shape.E, shape.H * shape.P), value_class)
    bias, requant = calibrate(rng.child("requant"), x, weights, value_class, numerics)
    operands = {"input": x, "weight": weights, "bias": bias, **requant.operands("requant")}
    return requant.params("requant"), operands


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    x = take(operands, "input", "int8", (shape.S, shape.H * shape.P))
    weights = take(operands, "weight", "int8", (shape.E, shape.H * shape.P))
    bias = take(operands, "bias", "int32", (shape.E,))
    requant = requant_of("requant", params, operands, shape.E)
    return {"output": project(x, weights, bias, requant)}
