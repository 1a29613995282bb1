# SPDX-License-Identifier: Apache-2.0
"""layernorm: input int8 [S,E], weight int16 [E], bias int32 [E], shift -> int8 [S,E].

Per row: mean = trunc(sum / E) toward zero; var = trunc(sum((x - mean)^2) / E) + 1;
std = floor(sqrt(var)); y = clip8((trunc((x - mean) * weight / std) + bias) >> shift). The semantics
of pulp-transformer's iLayerNorm, plus the saturation that QuantLib has and its C code lacks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from golden.case import Array, Operands, Params, Shape, check_int32, param, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.value_classes import activation

# (largest |weight|, shift): x is normalised to a standard deviation of 1 before the weight, so
# |weight| / 2**shift is that of the output.
_SPREADS = {
    "random": (40 << 8, 8),
    "extremes": (32767, 9),
    "saturating": (32767, 4),
    "constant": (32767, 14),
    "one_hot": (20 << 6, 6),
}


def _divide(numerator: Array, denominator: Array) -> Array:
    """Quotient truncated toward zero, as in C; the denominator is positive."""
    quotient: Array = np.sign(numerator) * (np.abs(numerator) // denominator)
    return quotient


def _isqrt(values: Array) -> Array:
    """floor(sqrt); float64 is only the first guess and exact for the values here (< 2**17)."""
    root = np.sqrt(values.astype(np.float64)).astype(np.int64)
    root = np.where(root * root > values, root - 1, root)
    return np.where((root + 1) * (root + 1) <= values, root + 1, root)


def make_scale(rng: CounterRng, width: int, value_class: str) -> tuple[Array, Array, int]:
    """Weight, bias and shift."""
    largest, shift = _SPREADS[value_class]
    if value_class == "extremes":
        weights = np.where(rng.bytes("weight", (width,)) & 1, 32767, -32768)
    else:
        sign = np.where(rng.bytes("weight.sign", (width,)) & 1, 1, -1)
        weights = sign * rng.integers("weight", (width,), largest // 2, largest)
    if value_class == "one_hot":
        # Products next to zero, on both sides of where a division changes its sign.
        weights = np.where(rng.bytes("weight.small", (width,)) & 1, sign, weights)
    reach = 32 << shift
    bias = rng.integers("bias", (width,), -reach, reach).astype(np.int32)
    return weights.astype(np.int16), bias, shift


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Parameters and operands of a case, in the kernel's order."""
    weights, bias, shift = make_scale(rng, shape.E, value_class)
    x = activation(rng, "input", (shape.S, shape.E), value_class)
    return {"shift": shift}, {"input": x, "weight": weights, "bias": bias}


def normalise(x: Array, weights: Array, bias: Array, shift: int) -> Array:
    """int8 [S,E] of int8 rows."""
    wide = x.astype(np.int64)
    width = wide.shape[-1]
    mean = _divide(wide.sum(axis=-1, keepdims=True), np.int64(width))
    centred = wide - mean
    squares = (centred * centred).sum(axis=-1, keepdims=True)
    std = _isqrt(check_int32(squares, "a sum of squares") // width + 1)
    acc = _divide(centred * weights.astype(np.int64), std) + bias.astype(np.int64)
    check_int32(acc, "an accumulator")
    result: Array = np.clip(acc >> np.int64(shift), -128, 127).astype(np.int8)
    return result


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    x = take(operands, "input", "int8", (shape.S, shape.E))
    weights = take(operands, "weight", "int16", (shape.E,))
    bias = take(operands, "bias", "int32", (shape.E,))
    return {"output": normalise(x, weights, bias, param(params, "shift", 0, 31))}
