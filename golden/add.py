# SPDX-License-Identifier: Apache-2.0
"""add: a, b int8 [S,E] -> int8 [S,E] = clip8((a a_mul + b b_mul [+ round]) >> shift)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from golden.case import Array, Operands, Params, Shape, check_int32, param, take
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.requant import ROUND_HALF_UP
from golden.value_classes import activation

# (multiplier, shift) about which the two multipliers are drawn. 25000/2**16 gives the sum of two
# uniform int8 a standard deviation of about 40.
_GAINS = {
    "random": (25000, 16),
    "extremes": (12500, 15),
    "saturating": (30000, 4),
    "constant": (60000, 18),
    "one_hot": (50, 6),
}


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Parameters and operands of a case, in the kernel's order."""
    mul, shift = _GAINS[value_class]
    params = {
        "a_mul": min(rng.integer("a_mul", mul // 2, mul + mul // 2), 65535),
        "b_mul": min(rng.integer("b_mul", mul // 2, mul + mul // 2), 65535),
        "shift": shift,
        "flags": ROUND_HALF_UP if numerics.rounding == "half_up" else 0,
    }
    size = (shape.S, shape.E)
    return params, {name: activation(rng, name, size, value_class) for name in "ab"}


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    a = take(operands, "a", "int8", (shape.S, shape.E))
    b = take(operands, "b", "int8", (shape.S, shape.E))
    shift = param(params, "shift", 1, 31)
    acc = a * param(params, "a_mul", 1, 65535) + b * param(params, "b_mul", 1, 65535)
    if param(params, "flags", 0, ROUND_HALF_UP):
        acc += np.int64(1) << np.int64(shift - 1)
    check_int32(acc, "an accumulator")
    return {"output": np.clip(acc >> np.int64(shift), -128, 127).astype(np.int8)}
