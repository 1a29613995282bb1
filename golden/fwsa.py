# SPDX-License-Identifier: Apache-2.0
"""fwsa: fused-weight attention map, input int8 [S,E] -> uint8 [H,S,S].

inner_h = requant(X W*_h^T + b_h), int8 [S,E]; map_h = softmax(requant(inner_h X^T)). W*_h fuses the
query and key weights of a head (golden/fusion.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from golden import attention_scores, linear_qk
from golden.case import Array, Operands, Params, Shape, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.requant import Requant, requant_of
from golden.softmax_table import softmax_operands, softmax_params, table_of
from golden.value_classes import activation, weight


def attend(
    x: Array, weights: Array, bias: Array, requant: Requant, scores: Requant, table: Array
) -> Array:
    """uint8 map [H,S,S]; every head reads the same activations as keys."""
    inner = linear_qk.project(x, weights, bias, requant)
    return attention_scores.attend(inner, x[None], scores, table)


def calibrate(
    rng: CounterRng, x: Array, weights: Array, value_class: str, numerics: Numerics
) -> tuple[Array, Requant, Requant]:
    """Bias, requantisation of the inner product and of the scores."""
    bias, requant = linear_qk.calibrate(rng, x, weights, value_class, numerics)
    inner = linear_qk.project(x, weights, bias, requant)
    scores = attention_scores.calibrate(rng.child("scores"), inner, x[None], value_class, numerics)
    return bias, requant, scores


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Parameters and operands of a case, in the kernel's order."""
    x = activation(rng, "input", (shape.S, shape.E), value_class)
    weights = weight(rng, "weight", (shape.H, shape.E, shape.E), value_class)
    bias, requant, scores = calibrate(rng.child("requant"), x, weights, value_class, numerics)
    params = {
        **requant.params("requant"),
        **scores.params("scores_requant"),
        **softmax_params(numerics.softmax),
    }
    operands = {
        "input": x,
        "weight": weights,
        "bias": bias,
        **requant.operands("requant"),
        **scores.operands("scores_requant"),
        **softmax_operands(numerics.softmax),
    }
    return params, operands


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    channels = shape.H * shape.E
    attention = attend(
        take(operands, "input", "int8", (shape.S, shape.E)),
        take(operands, "weight", "int8", (shape.H, shape.E, shape.E)),
        take(operands, "bias", "int32", (channels,)),
        requant_of("requant", params, operands, channels),
        requant_of("scores_requant", params, operands, 0),
        table_of(params, operands),
    )
    return {"output": attention}
