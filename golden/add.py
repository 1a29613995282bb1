# SPDX-License-Identifier: Apache-2.0
"""add: a, b int8 [S,E] -> int8 [S,E] = clip8((a a_mul + b b_mul [+ round]) >> shift)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

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


@dataclass(frozen=True)
class Sum:
    """The two multipliers, the shift and the flag bits."""

    a_mul: int
    b_mul: int
    shift: int
    flags: int

    def apply(self, a: Array, b: Array) -> Array:
        """int8 of two int8 tensors of one shape."""
        acc = a.astype(np.int64) * self.a_mul + b.astype(np.int64) * self.b_mul
        if self.flags:
            acc += np.int64(1) << np.int64(self.shift - 1)
        check_int32(acc, "an accumulator")
        result: Array = np.clip(acc >> np.int64(self.shift), -128, 127).astype(np.int8)
        return result


def make_sum(rng: CounterRng, value_class: str, numerics: Numerics) -> Sum:
    """Multipliers and shift for a value class."""
    mul, shift = _GAINS[value_class]
    return Sum(
        a_mul=min(rng.integer("a_mul", mul // 2, mul + mul // 2), 65535),
        b_mul=min(rng.integer("b_mul", mul // 2, mul + mul // 2), 65535),
        shift=shift,
        flags=ROUND_HALF_UP if numerics.rounding == "half_up" else 0,
    )


def sum_of(params: Mapping[str, int], prefix: str = "", names: tuple[str, str] = ("a", "b")) -> Sum:
    """The addition that parameters of these names describe, checked."""
    a_mul, b_mul = (param(params, f"{prefix}{name}_mul", 1, 65535) for name in names)
    shift = param(params, f"{prefix}shift", 1, 31)
    return Sum(a_mul, b_mul, shift, param(params, f"{prefix}flags", 0, ROUND_HALF_UP))


def make_inputs(
    shape: Shape, rng: CounterRng, value_class: str, numerics: Numerics, source: str
) -> tuple[Params, Operands]:
    """Parameters and operands of a case, in the kernel's order."""
    params = asdict(make_sum(rng, value_class, numerics))
    size = (shape.S, shape.E)
    return params, {name: activation(rng, name, size, value_class) for name in "ab"}


def golden(shape: Shape, params: Mapping[str, int], operands: Mapping[str, Array]) -> Operands:
    """The output, from parameters and operands alone."""
    a = take(operands, "a", "int8", (shape.S, shape.E))
    b = take(operands, "b", "int8", (shape.S, shape.E))
    return {"output": sum_of(params).apply(a, b)}
